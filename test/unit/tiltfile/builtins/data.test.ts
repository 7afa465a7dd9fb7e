import { describe, expect, test } from "vitest";
import { evaluateFiles, failureOf, logOf, withShortPaths } from "../evaluation.ts";

/* Files, data, os and the values of Tiltfiles (tiltfile-api.md §1.3, §7), where no golden file says it. */

const refused = (call: string, files: Readonly<Record<string, string>> = {}) =>
  failureOf(call, files)?.replace(/^Error in [\w.]+: /, "");

describe("a Blob", () => {
  test.each([
    [
      'print(type(blob("x")), bool(blob("")), bool(blob("x")), dir(blob("x")))',
      "blob False True []",
    ],
    ['print("%s" % blob("a\\n") + "|", "{}".format(blob("b")))', "a\n| b"],
  ])("%s prints %s", (tiltfile, log) => {
    expect(logOf(tiltfile)).toBe(log);
  });

  test.each([
    ['blob("a") + "b"', "unknown binary op: blob + string"],
    ['len(blob("a"))', "len: value of type blob has no len"],
    ['{blob("a"): 1}', "unhashable type: blob"],
    ["blob(1)", "blob: for parameter input: got int, want string"],
  ])("refuses %s", (expression, message) => {
    expect(failureOf(`x = ${expression}`)).toContain(message);
  });
});

describe("reading files", () => {
  test.each([
    ['print(read_file("none", "d"))', "d"],
    ['print(repr(str(read_file("a.txt"))))', '"text\\n"'],
    [
      'print(read_json("none", {"a": 1}), read_json("a.json"))',
      '{"a": 1} {"a": 1.5, "b": [1, None, True]}',
    ],
    [
      'print(read_yaml("none", default=None), read_yaml("a.yaml"))',
      'None {"1": "x", "a": 8, "b": True, "c": 1, "d": "2001-02-03"}',
    ],
    [
      'print(read_yaml_stream("none", default=[1]), read_yaml_stream("s.yaml"))',
      '[1] [{"a": 1}, 2]',
    ],
    ['print(decode_yaml(""), decode_yaml_stream("---\\n---\\n"))', "None []"],
    [
      'print(listdir("none"), listdir("d"), listdir("d", recursive=True))',
      '[] ["$D/d/.hidden", "$D/d/b"] ["$D/d/.hidden", "$D/d/b", "$D/d/sub/c"]',
    ],
  ])("%s prints %s", (tiltfile, log) => {
    const files = {
      "a.txt": "text\n",
      "a.json": '{"a": 1.5, "b": [1, null, true]}',
      "a.yaml": "a: 010\nb: yes\nc: 1.0\n1: x\nd: 2001-02-03\n",
      "s.yaml": "---\na: 1\n---\n---\n2\n",
      "d/.hidden": "",
      "d/b": "",
      "d/sub/c": "",
    };
    expect(evaluateFiles({ ...files, Tiltfile: tiltfile }).log.trimEnd()).toBe(log);
  });

  test.each([
    ['read_file("none")', "open $D/none: no such file or directory"],
    ['read_file("none", default=None)', "open $D/none: no such file or directory"],
    [
      'read_file("none", default=1)',
      'read_file: for parameter "default": expected starlark.String or None, got starlark.Int',
    ],
    [
      'read_file(blob("a"))',
      "read_file: for parameter paths: expected path | string. Actual type: io.Blob",
    ],
    ['decode_json("1e5")', /1e5/],
    ['decode_json("[1] [2]")', /multiple JSON values/],
    ['decode_yaml("a: 1\\n---\\nb: 2")', /expected a yaml document but found a yaml stream/],
    [
      "decode_json(1)",
      "decode_json: for parameter json: Value should be convertible to string, but is type int",
    ],
    [
      "listdir(None)",
      "listdir: for parameter dir: expected path | string. Actual type: starlark.NoneType",
    ],
    ["encode_yaml_stream(1)", /^encode_yaml_stream: for parameter objs: got int, want /],
    ["encode_json({1: 2})", /only string keys are supported|key must be string|unsupported type/],
  ])("refuses %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });

  test("lists nothing under a link to a directory, as Tilt's walk follows none", () => {
    const { log } = evaluateFiles({
      "d/b": "",
      Tiltfile:
        'local("ln -s d link", quiet=True, echo_off=True)\nprint(listdir("link"), listdir("link", recursive=True))',
    });
    expect(log.trimEnd()).toBe("[] []");
  });

  test("counts a file as read although it is missing, and a folder when it is walked", () => {
    const { plan } = withShortPaths(
      evaluateFiles({
        Tiltfile:
          'read_file("none", default="")\nwatch_file("w")\nlistdir("flat")\nlistdir("deep", recursive=True)',
        "flat/a": "",
        "deep/b": "",
      }),
    );
    expect(plan!.environment.files).toEqual([
      "$D/.tiltignore",
      "$D/Tiltfile",
      "$D/deep",
      "$D/none",
      "$D/w",
    ]);
  });
});

describe("writing data", () => {
  test.each([
    [
      'print(repr(encode_json({"b": "<&>", "a": [1, 2.5, True, None]})))',
      '"{\\n  \\"a\\": [\\n    1,\\n    2.5,\\n    true,\\n    null\\n  ],\\n  \\"b\\": \\"\\\\u003c\\\\u0026\\\\u003e\\"\\n}\\n"',
    ],
    ["print(type(encode_json([])), type(encode_yaml([])))", "string blob"],
    ['print(encode_yaml_stream([{"b": 1, "a": "yes"}, [1]]))', 'a: "yes"\nb: 1\n---\n- 1'],
  ])("%s prints %s", (tiltfile, log) => {
    expect(logOf(tiltfile)).toBe(log);
  });
});

describe("The place of a YAML error", () => {
  test("is in the file that was read, else where the text was given", () => {
    const yaml = { "x.yaml": "a: 1\nb: [\n" };
    const { error } = evaluateFiles({ Tiltfile: 'read_yaml("x.yaml")', ...yaml });
    expect(error?.position).toEqual({
      file: expect.stringMatching(/^\/.*\/x\.yaml$/),
      line: 2,
      column: 1,
    });
    const decoded = evaluateFiles({ Tiltfile: '\ndecode_yaml("a: [")' });
    expect(decoded.error?.position).toEqual({
      file: expect.stringMatching(/\/Tiltfile$/),
      line: 2,
      column: 12,
    });
    const blob = evaluateFiles({ Tiltfile: 'k8s_yaml(blob("a: ["))' });
    expect(blob.error?.position).toMatchObject({
      file: expect.stringMatching(/\/Tiltfile$/),
      line: 1,
    });
  });
});

describe("os", () => {
  test.each([
    ["print(os.name, os.getcwd())", "posix $D"],
    ['print(os.path.relpath("$D/a/b"), os.path.relpath("b", "a"))', "a/b ../b"],
    [
      'print(os.path.exists("none"), os.path.exists("."), os.path.dirname("/a/b/"), os.path.basename("a//"))',
      "False True /a/b a",
    ],
    [
      'os.putenv("A_B", "1")\nprint(os.getenv("A_B"), os.environ["A_B"], "A_B" in os.environ)\nos.unsetenv("A_B")\nprint(os.getenv("A_B"), os.getenv("A_B", 5))',
      "1 1 True\nNone 5",
    ],
    [
      'os.environ["A_B"] = "2"\nprint(os.getenv("A_B"), os.environ.get("none"), type(os.environ), len(os.environ) > 0)',
      "2 None environ True",
    ],
    [
      'os.environ.clear()\nos.environ["A"] = "1"\nd = {"B": 2}\nd.update(os.environ)\nprint(dict(os.environ), d, dict(**os.environ))',
      '{"A": "1"} {"B": 2, "A": "1"} {"A": "1"}',
    ],
  ])("%s prints %s", (tiltfile, log) => {
    const { log: actual, error } = evaluateFiles({
      Tiltfile: tiltfile.replace('"$D/a/b"', 'os.getcwd() + "/a/b"'),
    });
    expect(error).toBeUndefined();
    expect(actual.trimEnd()).toBe(log);
  });

  test.each([
    ['os.path.realpath("none")', "no such file or directory"],
    ['os.path.relpath("a", "/b")', "Rel: can't make a relative to /b"],
    ['os.environ["A"] = 1', "int"],
    ['x = os.environ["none"]', "none"],
    ["os.putenv('A')", "os.putenv: missing argument for value"],
    ["os.getenv()", "os.getenv: missing argument for key"],
  ])("%s fails with %s", (call, message) => {
    expect(failureOf(call)).toContain(message);
  });
});

describe("struct()", () => {
  test("is equal by value, and frozen", () => {
    expect(
      logOf("print(struct(a=1) == struct(a=1), struct(a=1), type(struct()), module('m', a=1).a)"),
    ).toBe("True struct(a = 1) struct 1");
    expect(failureOf("s = struct(a=1)\ns.a = 2")).toContain("can't assign to .a field of struct");
  });
});

describe("link()", () => {
  test.each([
    ['link("")', 'validating URL "": url empty'],
    ["link(None)", "link: for parameter url: got NoneType, want string"],
    ['link("http://[::1")', /missing ']' in host/],
  ])("refuses %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });

  test.each([
    ["example.com", "http://example.com"],
    ["HTTPS://x", "https://x"],
    ["localhost:80", "localhost:80"],
    ["//host/p", "http://host/p"],
  ])("of %s is %s", (url, shown) => {
    expect(logOf(`print(link("${url}").url)`)).toBe(shown);
  });
});

describe("messages of arguments", () => {
  test.each([
    ["read_file()", "read_file: missing argument for paths"],
    ["read_file('a', 'b', 'c')", "read_file: got 3 arguments, want at most 2"],
    ["read_file('a', nope=1)", 'read_file: unexpected keyword argument "nope"'],
    [
      "read_file(1)",
      "read_file: for parameter paths: expected path | string. Actual type: starlark.Int",
    ],
    [
      "read_file(paths=1)",
      'read_file: for parameter "paths": expected path | string. Actual type: starlark.Int',
    ],
    ["os.path.join('a', 1)", /^os\.path\.join\(\) only accepts strings/],
    ["shlex.quote()", "shlex.quote: missing argument for name"],
  ])("%s: %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });
});
