import { describe, expect, test } from "vitest";
import { evaluateFiles, failureOf } from "../evaluation.ts";

/* Settings (tiltfile-api.md §9) and what ends or splits a Tiltfile (§1.2, §1.4), where no golden file says it. */

const refused = (call: string) => failureOf(call)?.replace(/^Error in [\w.]+: /, "");

function settings(tiltfile: string) {
  const { plan, error } = evaluateFiles({ Tiltfile: tiltfile });
  if (error !== undefined) throw error;
  return plan!.settings;
}

describe("settings", () => {
  test("are the last ones given, each by itself", () => {
    expect(
      settings(
        'ci_settings(timeout="1h30m", k8s_grace_period="10s")\nci_settings(readiness_timeout="1m", timeout="2s")',
      ).ci,
    ).toEqual({
      timeoutMs: 2000,
      readinessTimeoutMs: 60_000,
      gracePeriodMs: 10_000,
    });
    expect(
      settings(
        'update_settings(max_parallel_updates=2)\nupdate_settings(k8s_upsert_timeout_secs=5, k8s_server_side_apply="true")\nupdate_settings(max_parallel_updates=None)',
      ).update,
    ).toEqual({ maxParallelUpdates: 2, upsertTimeoutMs: 5000, serverSideApply: "true" });
    expect(settings("secret_settings(disable_scrub=True)").scrubSecrets).toBe(false);
    expect(
      settings("secret_settings(disable_scrub=True)\nsecret_settings(False)").scrubSecrets,
    ).toBe(true);
    expect(
      settings('allow_k8s_contexts("a")\nallow_k8s_contexts(["b", "c"])').allowedContexts,
    ).toEqual(["a", "b", "c"]);
  });

  test.each(["events", "facets", "labels", "multiple_containers_per_pod", "update_history"])(
    "warn of the feature %s, which is no more",
    (name) => {
      const { plan } = evaluateFiles({
        Tiltfile: `enable_feature("${name}")\ndisable_feature("live_update_v2")`,
      });
      expect(plan?.warnings).toMatchObject([
        { message: `Obsolete feature flag: ${name}`, position: { line: 1 } },
      ]);
    },
  );

  test.each([
    [
      'ci_settings(timeout="1x")',
      /^ci_settings: for parameter "timeout": .*unknown unit "x" in duration "1x"/,
    ],
    [
      "ci_settings(timeout=None)",
      'ci_settings: for parameter "timeout": Expected string. Got: NoneType',
    ],
    ["update_settings(k8s_upsert_timeout_secs=0)", "minimum k8s upsert timeout is 1s; got 0s"],
    [
      'update_settings(max_parallel_updates="1")',
      'update_settings: for parameter "max_parallel_updates": got starlark.String, want int',
    ],
    [
      'update_settings(k8s_server_side_apply="x")',
      'k8s_server_side_apply must be one of "true", "false", or "auto"; got "x"',
    ],
    ["secret_settings()", "secret_settings: missing argument for disable_scrub"],
    [
      'version_settings(constraint=">=99.0.0")',
      /^you are running Tilt version .*, which doesn't match the version constraint specified in your Tiltfile: '>=99\.0\.0'$/,
    ],
    [
      "docker_prune_settings(num_builds=1, interval_hrs=1)",
      "can't specify both 'prune every X builds' and 'prune every Y hours'; please pass only one of `num_builds` and `interval_hrs`",
    ],
    ["allow_k8s_contexts()", "allow_k8s_contexts: missing argument for contexts"],
    ["allow_k8s_contexts(1)", /allow_k8s_contexts|context/],
    ['set_team("a")\nset_team("b")', /team/],
    ['enable_feature("nope")', /Unknown feature flag: nope/],
    [
      "analytics_settings(enable=1)",
      'analytics_settings: for parameter "enable": got int, want bool',
    ],
    ['experimental_telemetry_cmd("")', "cmd cannot be empty"],
  ])("%s: %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });
});

describe("exit()", () => {
  test.each([
    ["exit()", ""],
    ["exit(1)", "1\n"],
    ['exit("done")', '"done"\n'],
  ])("%s ends the Tiltfile as if it ended there, and logs %j", (call, logged) => {
    const { plan, log } = evaluateFiles({
      Tiltfile: `local_resource("a", "x")\n${call}\nlocal_resource("b", "x")`,
    });
    expect(plan!.resources.map(({ name }) => name)).toEqual(["a"]);
    expect(log).toBe(logged);
  });

  test("ends all files, from wherever it is called", () => {
    const { plan } = evaluateFiles({
      Tiltfile: 'load("lib", "f")\nlocal_resource("a", "x")\nf()\nlocal_resource("b", "x")',
      lib: "def f(): exit()\n",
    });
    expect(plan!.resources.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("other files", () => {
  test("run once, whoever asks for them, also when they fail", () => {
    const { log, plan } = evaluateFiles({
      Tiltfile:
        'load("./lib", "x")\ninclude("lib")\nprint(load_dynamic("lib")["_y"])\nload("sub/../lib", z="x")',
      lib: "x = 1\n_y = 2\nprint(__file__, __name__)\n",
    });
    expect(log).toBe("$D/lib lib\n2\n");
    expect(plan).toBeDefined();
  });

  test.each([
    [
      'load("lib", "_y")',
      "$D/Tiltfile:1:14: load: names with leading underscores are not exported: _y",
    ],
    ['load("lib")', "$D/Tiltfile:1:5: load statement must import at least 1 symbol"],
    ['load("none", "x")', /open \$D\/none: no such file or directory$/],
    ['load("lib", "l")\nl.append(1)', "Error in append: append: cannot append to frozen list"],
    ["load_dynamic(1)", /^Error in load_dynamic: /],
    ['if True: load("lib", "x")', "$D/Tiltfile:1:10: load statement within a conditional"],
    ['for x in []: load("lib", "x")', "$D/Tiltfile:1:14: load statement within a loop"],
  ])("%s: %s", (call, message) => {
    const actual = failureOf(call, { lib: "x = 1\n_y = 2\nl = []\n" });
    if (typeof message === "string") expect(actual).toBe(message);
    else expect(actual).toMatch(message);
  });

  test("do not hand on what they load themselves", () => {
    const { error } = evaluateFiles({
      Tiltfile: 'load("a", "x")',
      a: 'load("b", "x")\n',
      b: "x = 1\n",
    });
    expect(error?.message).toContain("load: name x not found in module a");
  });
});
