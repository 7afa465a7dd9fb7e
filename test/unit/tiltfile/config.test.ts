import { describe, expect, test } from "vitest";
import { evaluateFiles } from "./evaluation.ts";

/* What config.parse() makes of arguments and of tilt_config.json. */

interface Given {
  readonly args?: readonly string[];
  readonly file?: unknown;
}

/** Prints a setting, or the reason why there is none. */
function settingOf(define: string, { args = [], file }: Given): string {
  const files = file === undefined ? {} : { "tilt_config.json": JSON.stringify(file) };
  const { log, error } = evaluateFiles(
    { ...files, Tiltfile: `${define}\nprint(repr(config.parse().get("foo", "unset")))` },
    () => ({ args: [...args] }),
  );
  return error === undefined ? log.trimEnd() : error.message;
}

const BOOL = 'config.define_bool("foo")';
const LIST = 'config.define_string_list("foo")';
const OBJECT = 'config.define_object("foo")';
const STRING = 'config.define_string("foo")';

describe("config.parse() gives", () => {
  test.each<[string, string, Given, string]>([
    ["a list from flags", LIST, { args: ["--foo", "1", "--foo", "2"] }, '["1", "2"]'],
    ["a list with commas", LIST, { args: ["--foo", "1,2"] }, '["1,2"]'],
    ["a list from the file", LIST, { file: { foo: ["1", "2"] } }, '["1", "2"]'],
    ["an empty list for null", LIST, { file: { foo: null } }, "[]"],
    ["a string from a flag", STRING, { args: ["--foo=bar"] }, '"bar"'],
    ["a string from the file", STRING, { file: { foo: "bar" } }, '"bar"'],
    ["a bool from a bare flag", BOOL, { args: ["--foo"] }, "True"],
    ["a bool from a flag with a value", BOOL, { args: ["--foo=false"] }, "False"],
    ["a bool from the file", BOOL, { file: { foo: true } }, "True"],
    ["an object from a flag", OBJECT, { args: ["--foo", '{"a": 1}'] }, '{"a": 1.0}'],
    ["an object from the file", OBJECT, { file: { foo: { a: [true] } } }, '{"a": [True]}'],
    ["nothing for what is not set", STRING, {}, '"unset"'],
    ["the flag before the file", LIST, { args: ["--foo", "1"], file: { foo: ["2"] } }, '["1"]'],
  ])("%s", (_, define, given, expected) => {
    expect(settingOf(define, given)).toBe(expected);
  });

  test("positional arguments to the setting that takes them, among flags", () => {
    const { log } = evaluateFiles(
      {
        Tiltfile: [
          'config.define_string_list("rest", args=True)',
          'config.define_string_list("a")',
          'config.define_string_list("b")',
          "print(config.parse())",
        ].join("\n"),
      },
      () => ({ args: ["--a", "1", "--b", "2", "x", "--a", "3", "y"] }),
    );
    expect(log).toContain('"rest": ["x", "y"]');
    expect(log).toContain('"a": ["1", "3"]');
    expect(log).toContain('"b": ["2"]');
  });
});

describe("config.parse() refuses", () => {
  test.each<[string, string, Given, string]>([
    ["a list of numbers", LIST, { file: { foo: [1, 2] } }, "expected string, got float64"],
    [
      "a list that is a string",
      LIST,
      { file: { foo: "1" } },
      "specified invalid value for setting foo: expected array",
    ],
    [
      "a string given twice",
      STRING,
      { args: ["--foo", "1", "--foo", "2"] },
      "string settings can only be specified once",
    ],
    ["a number for a string", STRING, { file: { foo: 5 } }, "expected string, found float64"],
    [
      "a bool given twice",
      BOOL,
      { args: ["--foo", "--foo"] },
      "bool settings can only be specified once",
    ],
    ["a number for a bool", BOOL, { file: { foo: 5 } }, "expected bool, found float64"],
    [
      "a name it does not know",
      LIST,
      { file: { bar: "1" } },
      "specified unknown setting name 'bar'",
    ],
    ["an unknown flag", LIST, { args: ["--bar", "x"] }, "unknown flag: --bar"],
    [
      "a positional argument",
      LIST,
      { args: ["x"] },
      'positional CLI args ("x") were specified, but none were expected',
    ],
    ["an object that is no JSON", OBJECT, { args: ["--foo", "{"] }, "unexpected end of JSON input"],
  ])("%s", (_, define, given, expected) => {
    expect(settingOf(define, given)).toContain(expected);
  });

  test.each([
    [
      'config.define_string_list("a", args=True)\nconfig.define_string_list("b", args=True)',
      "both b and a are defined as positional args",
    ],
    ['config.define_string_list("a")\nconfig.define_string("a")', "a defined multiple times"],
    [
      'config.parse()\nconfig.define_bool("a")',
      "config.define_bool cannot be called after config.parse is called",
    ],
    ['print(config.parse()["a"])', 'key "a" not in dict'],
  ])("%s", (tiltfile, expected) => {
    expect(evaluateFiles({ Tiltfile: tiltfile }).error?.message).toContain(expected);
  });

  test("to parse in two directories, and names both", () => {
    const { error } = evaluateFiles({
      Tiltfile: 'config.parse()\ninclude("inc/Tiltfile")',
      "inc/Tiltfile": "config.parse()",
    });
    expect(error?.message).toContain(
      "config.parse can only be called from one Tiltfile working directory per run",
    );
    expect(error?.message).toContain("$D/inc");
  });
});

describe("the resources that are enabled", () => {
  const resources = 'local_resource("a", "true")\nlocal_resource("b", "true")\n';
  const parse = 'config.define_string_list("resources", args=True)\nconfig.parse()\n';
  const set = 'config.set_enabled_resources(["b"])\n';
  test.each<[string, string, string[], string[]]>([
    ["all without a word", "", [], ["a", "b"]],
    ["all without a word, with config.parse", parse, [], ["a", "b"]],
    ["those of the arguments", "", ["a"], ["a"]],
    ["all, when config.parse takes the arguments", parse, ["a"], ["a", "b"]],
    ["those of the Tiltfile", set, [], ["b"]],
    ["those of the Tiltfile rather than of the arguments", set, ["a"], ["b"]],
    ["those of the Tiltfile, with config.parse", set + parse, ["a"], ["b"]],
    ["none", "config.clear_enabled_resources()\n", [], []],
  ])("are %s", (_, settings, args, expected) => {
    const { plan } = evaluateFiles({ Tiltfile: settings + resources }, () => ({ args }));
    const enabled = plan?.resources.filter((resource) => resource.enabled);
    expect(enabled?.map(({ name }) => name)).toEqual(expected);
  });

  test("are not those that clear_enabled_resources() is given: it takes none", () => {
    const { error } = evaluateFiles({ Tiltfile: 'config.clear_enabled_resources("a")\n' });
    expect(error?.message).toContain("got 1 arguments, want at most 0");
  });
});
