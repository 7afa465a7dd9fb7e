import { describe, expect, test } from "vitest";
import { evaluateFiles, failureOf, logOf } from "../evaluation.ts";

/* The steps of live_update (tiltfile-api.md §5): checked as in Tilt, never carried out. */

const YAML = `apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: app}]}
`;

const build = (steps: string, rest = "") =>
  `docker_build("app", "src", dockerfile_contents="FROM scratch", live_update=${steps}${rest})`;

describe("live_update takes its steps", () => {
  test.each([
    ['[initial_sync(), fall_back_on("src/a"), sync("src", "/src"), run("make")]'],
    ['[fall_back_on(["src/a"]), fall_back_on("src/b"), sync("src/x", "/x"), sync("src/y", "/y")]'],
    ['run(["make", "all"], trigger=["src/go.mod"], echo_off=True)'],
    ['(sync("src", "/src"), run("a"), run("b", trigger="x"))'],
    ["[]"],
    ["None"],
  ])("in this order: %s", (steps) => {
    const { error, plan } = evaluateFiles({
      Tiltfile: `${build(steps)}\nk8s_yaml("p.yaml")`,
      "p.yaml": YAML,
    });
    expect(error).toBeUndefined();
    expect(plan!.warnings).toEqual([]);
  });

  test.each([
    [
      '[sync("src", "/src"), initial_sync()]',
      "initial_sync must appear at most once, at the start of the list",
    ],
    [
      '[initial_sync(), initial_sync(), run("x")]',
      "initial_sync must appear at most once, at the start of the list",
    ],
    [
      '[sync("src", "/src"), fall_back_on("src/a")]',
      "fall_back_on steps must appear at the start of the list",
    ],
    [
      '[run("x"), fall_back_on("src/a")]',
      "fall_back_on steps must appear at the start of the list",
    ],
    ['[run("x"), sync("src", "/src")]', "all sync steps must precede all run steps"],
    [
      '[restart_container(), sync("src", "/src")]',
      "restart container is only valid as the last step",
    ],
    [
      '[sync("src", "/src"), restart_container(), run("x")]',
      "restart container is only valid as the last step",
    ],
    [
      "[restart_container()]",
      "spec.syncs: Invalid value: null: must contain at least 1 sync or 1 exec to run on live update",
    ],
    [
      "initial_sync()",
      "spec.syncs: Invalid value: null: must contain at least 1 sync or 1 exec to run on live update",
    ],
    [
      '[sync("src", "rel")]',
      'spec.syncs[0]: Invalid value: "rel": sync destination is not absolute',
    ],
    [
      '[sync("src", "/ok"), sync("src", ""), sync("src", "../x")]',
      '[spec.syncs[1]: Invalid value: "": sync destination is not absolute, spec.syncs[2]: Invalid value: "../x": sync destination is not absolute]',
    ],
    [
      '["x", run("y")]',
      "'steps' must be a list of live update steps - got value '\"x\"' of type 'string'",
    ],
    ["1", "'steps' must be a list of live update steps - got value '1' of type 'int'"],
  ])("and refuses %s", (steps, message) => {
    expect(failureOf(build(steps))).toBe(`Error in docker_build: live_update: ${message}`);
  });
});

describe("a step", () => {
  test.each([
    ['sync("a")', "sync: missing argument for remote_path"],
    ['sync(None, "/a")', "sync: for parameter local_path: got NoneType, want string"],
    ['sync(blob("a"), "/a")', "sync: for parameter local_path: got blob, want string"],
    [
      "fall_back_on(4)",
      "fall_back_on: for parameter paths: value should be a string or List or Tuple of strings, but is of type int",
    ],
    ["fall_back_on()", "fall_back_on: missing argument for paths"],
    ["run()", "run: missing argument for cmd"],
    ["run(1)", "a command must be a string or list of strings. found starlark.Int"],
    [
      'run("bar", [4])',
      "run cmd 'bar' triggers contained value '4' of type 'int'. it may only contain strings",
    ],
    ['run("bar", echo_off=1)', 'run: for parameter "echo_off": got int, want bool'],
    ["restart_container(1)", "restart_container: got 1 arguments, want at most 0"],
    ["initial_sync(1)", "initial_sync: got 1 arguments, want at most 0"],
  ])("refuses %s", (call, message) => {
    expect(failureOf(call)).toMatch(
      new RegExp(`^Error in \\w+: ${message.replaceAll(/[[\]().']/g, "\\$&")}$`),
    );
  });

  test("has a type and a text", () => {
    const text = logOf(
      [
        'steps = [initial_sync(), fall_back_on(["a", "/b"]), sync("a", "/x"), run("make", trigger=["g", "h"]), run(["a b", "c"]), restart_container()]',
        "for s in steps: print(type(s), s)",
        'docker_build("x", ".", dockerfile_contents="FROM x", live_update=steps)',
      ].join("\n"),
    );
    expect(text.split("\n").slice(0, 6)).toEqual([
      "live_update_initial_sync_step initial_sync step",
      "live_update_fall_back_on_step fall_back_on step: [$D/a /b]'",
      "live_update_sync_step sync step: '$D/a'->'/x'",
      'live_update_run_step run step: "make" (triggers: g; h)',
      'live_update_run_step run step: "\\"a b\\" c"',
      "live_update_restart_container_step restart_container step",
    ]);
  });
});

describe("what is watched", () => {
  const kubernetes = (tiltfile: string) =>
    failureOf(`${tiltfile}\nk8s_yaml("p.yaml")`, { "p.yaml": YAML });

  test.each([
    [
      "a sync",
      '[sync("other", "/x")]',
      "sync step source '$D/other' is not a child of any watched filepaths ([$D/src])",
    ],
    [
      "a path of fall_back_on",
      '[fall_back_on("other"), sync("src", "/x")]',
      "fall_back_on paths '$D/other' is not a child of any watched filepaths ([$D/src])",
    ],
  ])("must hold %s", (_, steps, message) => {
    expect(kubernetes(build(steps))).toBe(message);
  });

  test("for custom_build are its deps", () => {
    const custom = (steps: string) =>
      `custom_build("app", "make", ["src", "lib"], live_update=${steps})`;
    expect(kubernetes(custom('[sync("lib/a", "/x")]'))).toBeUndefined();
    expect(kubernetes(custom('[sync("x", "/x")]'))).toBe(
      "sync step source '$D/x' is not a child of any watched filepaths ([$D/src $D/lib])",
    );
  });

  test("holds the contexts of base images too", () => {
    const base = 'docker_build("base", "lib", dockerfile_contents="FROM scratch")\n';
    const app =
      'docker_build("app", "src", dockerfile_contents="FROM base", live_update=[sync("lib/a", "/x")])';
    expect(kubernetes(base + app)).toBeUndefined();
  });

  test("does not matter for an image that nothing deploys", () => {
    expect(failureOf(build('[sync("other", "/x")]'))).toBeUndefined();
  });
});

test("a step may serve two images", () => {
  const tiltfile = `s = sync("src", "/x")\n${build("[s]")}\n${build("s").replace('"app"', '"two"')}`;
  expect(failureOf(tiltfile)).toBeUndefined();
});

test("steps that no live_update takes are an error, one for each place", () => {
  const { error } = evaluateFiles({
    Tiltfile: 'a = sync("a", "/a")\nfor i in range(3): run("make %d" % i)\n',
  });
  expect(error?.message).toBe(
    "found 2 live_update steps that were created but not used in a live_update:\n" +
      "$D/Tiltfile:1:9: value 'sync step: '$D/a'->'/a'' of type 'live_update_sync_step'\n" +
      "\t$D/Tiltfile:2:23: value 'run step: \"make 2\"' of type 'live_update_run_step'",
  );
});

describe("restart_container()", () => {
  test("is an error in what Kubernetes runs, for each resource", () => {
    const tiltfile = `${build('[sync("src", "/x"), restart_container()]')}\nk8s_yaml("p.yaml")`;
    const two = `${YAML}---\n${YAML.replace("name: p", "name: q")}`;
    const { error } = evaluateFiles({ Tiltfile: tiltfile, "p.yaml": two });
    expect(error?.message).toContain("step in resource(s): [p, q].");
    expect(error?.message).toContain("We recommend the restart_process extension");
  });
});
