import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { argvOf, checkVersion, linesOf, switchOf } from "../../../src/action/inputs.ts";
import { masksOf } from "../../../src/action/mask.ts";
import { wantsLogs } from "../../../src/action/post.ts";
import { ciCommand } from "../../../src/cli/ci.ts";
import { defaultText } from "../../../src/cli/help.ts";
import { defaultTexts } from "../../../src/cli/run-flags.ts";

interface ActionFile {
  readonly inputs: Readonly<
    Record<string, { readonly default?: string; readonly description: string }>
  >;
}

const action = load(
  readFileSync(new URL("../../../action.yml", import.meta.url), "utf8"),
) as ActionFile;
const command = ciCommand(() => async () => {});
const flagName = (option: { name(): string }) => option.name().replace(/^no-/, "");
const names = Object.keys(action.inputs);

/** Words of the command line, and what only a job has. */
const NO_FLAGS = ["args", "resources", "job-status", "version"];

const inputsWith = (given: Readonly<Record<string, string>>) => (name: string) =>
  given[name] ?? action.inputs[name]?.default ?? "";
const argv = (given: Readonly<Record<string, string>> = {}) =>
  argvOf(inputsWith(given), defaultTexts());

describe("action.yml", () => {
  test.each(names.filter((name) => !NO_FLAGS.includes(name)))(
    "input %s is a flag of ci by the same name",
    (name) => {
      expect(command.options.map(flagName)).toContain(name);
    },
  );

  test.each(names.filter((name) => !NO_FLAGS.includes(name)))(
    "input %s has the flag's default",
    (name) => {
      const option = command.options.find((one) => flagName(one) === name)!;
      const given = action.inputs[name]!.default;
      const own: Readonly<Record<string, string>> = {
        tiltfile: "Tiltfile", // an alias of --file, which has the default
        "github-token": "${{ github.token }}", // elsewhere in the environment
        "working-directory": ".",
        "fail-fast": "true", // what --keep-going turns off
      };
      const isSwitch = !option.required && !option.optional;
      const preset = isSwitch ? String(option.negate) : defaultText(option);
      expect(given).toBe(own[name] ?? preset);
    },
  );

  test("describes every input in one line", () => {
    for (const { description } of Object.values(action.inputs)) {
      expect(description.length).toBeGreaterThan(0);
      expect(description.length).toBeLessThan(100);
    }
  });
});

describe("argvOf()", () => {
  test("says nothing for defaults, so that the Tiltfile's own settings count", () => {
    expect(argv()).toEqual(["ci"]);
  });

  test("reads every input but those of the runner", () => {
    const read = new Set<string>(["github-token"]); // with cache: gha only
    argvOf((name) => {
      read.add(name);
      return "";
    }, defaultTexts());
    const elsewhere = ["working-directory", "keep-cluster", "job-status", "version"];
    expect([...read, ...elsewhere].sort()).toEqual([...names].sort());
  });

  test("makes words that the command line understands", () => {
    const values: Readonly<Record<string, string>> = {
      tiltfile: "deploy/Tiltfile",
      cluster: "current",
      context: "kind-dev",
      timeout: "90s",
      "cache-to": "type=gha\ntype=inline",
      "secret-env": "A\nB",
      "fail-fast": "false",
      annotations: "false",
      summary: "False",
      "create-namespaces": "true",
      resources: "api\nweb",
      args: "--env=ci",
    };
    const words = argv(values);
    expect(words).toEqual([
      "ci",
      "--file=deploy/Tiltfile",
      "--cluster=current",
      "--context=kind-dev",
      "--timeout=90s",
      "--cache-to=type=gha",
      "--cache-to=type=inline",
      "--secret-env=A",
      "--secret-env=B",
      "--create-namespaces",
      "--keep-going",
      "--no-annotations",
      "--no-summary",
      "--",
      "api",
      "web",
      "--env=ci",
    ]);
    const flags = ciCommand(() => async () => {}).exitOverride();
    flags.parse(words.slice(1, words.indexOf("--")), { from: "user" });
    expect(flags.opts()).toMatchObject({
      timeout: 90_000,
      secretEnv: ["A", "B"],
      annotations: false,
      summary: false,
    });
  });

  test("lets context imply the current cluster, whatever the default of cluster", () => {
    expect(argv({ context: "prod" })).toEqual(["ci", "--context=prod"]);
  });
});

describe("switchOf()", () => {
  test("knows YAML's spellings and refuses all else", () => {
    expect(switchOf("a", () => "TRUE")).toBe(true);
    expect(switchOf("a", () => "")).toBe(false);
    expect(() => switchOf("summary", () => "yes")).toThrow(/summary.*yes/);
  });
});

describe("linesOf()", () => {
  test("trims lines and drops empty ones", () => {
    expect(linesOf(" a \n\n b\r\n")).toEqual(["a", "b"]);
  });
});

describe("wantsLogs()", () => {
  test.each([
    ["on-failure", "success", false, false],
    ["on-failure", "failure", false, true],
    ["on-failure", "cancelled", false, true],
    ["on-failure", "failure", true, false],
    ["always", "success", false, true],
    ["always", "failure", true, true],
    ["never", "failure", false, false],
    ["never", "cancelled", false, false],
  ])("export-logs %s, job %s, main has a bundle: %s → %s", (when, status, has, expected) => {
    expect(wantsLogs(when, status, has)).toBe(expected);
  });
});

describe("masksOf()", () => {
  test("masks each line by itself, but no short words", () => {
    expect(masksOf("-----BEGIN KEY-----\nabcdef\n}\nabcdef\r\n")).toEqual([
      "-----BEGIN KEY-----",
      "abcdef",
    ]);
    expect(masksOf("1234")).toEqual([]);
  });
});

describe("argvOf() of github-token", () => {
  test("hands the token to a cache that GitHub keeps, and to nothing else", () => {
    expect(argv({ "github-token": "t0ken" })).toEqual(["ci"]);
    expect(argv({ "github-token": "t0ken", cache: "registry=h/n" })).toEqual([
      "ci",
      "--cache=registry=h/n",
    ]);
    expect(argv({ "github-token": "t0ken", cache: "gha" })).toEqual([
      "ci",
      "--cache=gha",
      "--github-token=t0ken",
    ]);
  });
});

describe("checkVersion()", () => {
  test.each([
    ["", "0.1.0"],
    ["0.1.0", "0.1.0"],
    ["v0.1.0", "0.1.0"],
    ["^0.1", "0.1.7"],
    ["0", "0.9.0"],
  ])("lets %j pass for %s", (wanted, actual) => {
    expect(() => checkVersion(wanted, actual)).not.toThrow();
  });

  test.each([
    ["0.2.0", /This is tilt-ci 0\.1\.0, and input "version" wants 0\.2\.0: choose it with uses:/],
    ["newest", /Input "version" is "newest"/],
  ])("refuses %j", (wanted, message) => {
    expect(() => checkVersion(wanted, "0.1.0")).toThrow(message);
  });
});
