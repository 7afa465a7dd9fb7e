import { describe, expect, test } from "vitest";
import { decide } from "../../../src/engine/index.ts";
import { compose, failure, image, k8s, local, planOf, Scenario, server } from "./scenario.ts";

/*
 * The rows of ci-engine.md §4, §6 and §15 that the engine decides, under Tilt's names where its unit tests have one.
 * What pods make of them is in test/unit/kubernetes (readiness, tilt-readiness).
 */

describe("session", () => {
  test("Idempotent: a second look changes nothing", () => {
    const run = new Scenario(planOf([k8s("fe"), k8s("be")]));
    run.pass("fe|deploy").observe("fe", "ready");
    const again = () => decide(run.graph, run.state, run.policy, run.now);
    expect(again()).toEqual({ events: [], start: [], wakeAt: again().wakeAt });
    run.pass("be|deploy").observe("be", "ready");
    expect(again()).toEqual({ events: [], start: [], end: { reason: "passed" } });
  });

  test("FirstBuildFailure: one of two fails, and its error is the run's", () => {
    const plan = planOf(
      [k8s("fe", { images: ["fe"] }), k8s("be", { images: ["be"] })],
      [image("fe", ["fe"]), image("be", ["be"])],
    );
    const run = new Scenario(plan, { failureWindowMs: 0 });
    run.fail("be|build|be", failure("exit code 1", "BuildFailed"));
    expect(run.end).toBe("failed");
    expect(run.state.phases.get("be|build|be")?.failure?.message).toBe("exit code 1");
  });

  test("FirstRuntimeFailure: two deployed is not done; a pull error in one ends it", () => {
    const run = new Scenario(planOf([k8s("fe"), k8s("be")]), { failureWindowMs: 0 });
    run.pass("fe|deploy", "be|deploy");
    run.observe("fe", "pending").observe("be", "pending");
    expect(run.end).toBeUndefined();
    run.observe("fe", "failed", { failure: failure("Pod fe-1: ErrImagePull", "ImagePull") });
    expect(run.end).toBe("failed");
    expect(run.failureOf("fe", "ready")?.message).toBe("Pod fe-1: ErrImagePull");
  });

  test("GracePeriod: a first failure after it counts at once", () => {
    const run = new Scenario(planOf([k8s("fe")]), { gracePeriodMs: 60_000, failureWindowMs: 0 });
    run.pass("fe|deploy").at(70_000);
    run.observe("fe", "failed", { failure: failure("pull failed", "ImagePull") });
    expect(run.end).toBe("failed");
  });

  test("GracePeriod: has no say in commands and servers", () => {
    const run = new Scenario(planOf([server("dev"), local("slow")]), {
      gracePeriodMs: 60_000,
      failureWindowMs: 0,
    });
    run.observe("dev", "failed", { failure: failure("exited", "ServeExited") });
    expect(run.statusOf("dev", "serve")).toBe("failed");
  });

  test("Ignore_Pods: not done before the apply, done right after it", () => {
    const run = new Scenario(planOf([k8s("fe", { readiness: "ignore" }), k8s("other")]));
    run.pass("other|deploy").observe("other", "ready");
    expect(run.end).toBeUndefined();
    expect(run.pass("fe|deploy").observe("fe", "ready").end).toBe("passed");
  });

  test("JobSuccess: running is not done, completed is", () => {
    const run = new Scenario(planOf([k8s("job", { readiness: "succeeded" })]));
    run.pass("job|deploy").observe("job", "pending", { active: true, summary: "1 of 1 running" });
    expect(run.end).toBeUndefined();
    expect(run.observe("job", "ready").end).toBe("passed");
  });

  test.each([
    ["auto", true],
    ["manual", true],
    ["auto", false],
    ["manual", false],
  ] as const)(
    "TriggerMode %s with auto_init=%s waits only for what starts by itself",
    (triggerMode, autoInit) => {
      const plans = [
        planOf([local("l", { triggerMode, autoInit })]),
        planOf([server("l", { triggerMode, autoInit })]),
        planOf([k8s("l", { triggerMode, autoInit, readiness: "succeeded" })]),
      ];
      for (const plan of plans)
        expect(new Scenario(plan).end).toBe(autoInit ? undefined : "passed");
    },
  );

  test("ReadinessTimeout_Local: a probe that never passes is named", () => {
    const run = new Scenario(planOf([server("dev")]), {
      readinessTimeoutMs: 30_000,
      failureWindowMs: 0,
    });
    run.observe("dev", "pending", { active: true, summary: "readiness probe fails" });
    expect(run.at(29_999).end).toBeUndefined();
    expect(run.at(30_000).end).toBe("failed");
    expect(run.failureOf("dev", "serve")?.message).toBe(
      "Readiness timeout after 30s: not ready: readiness probe fails",
    );
  });

  test("RequeueLongTimeout: the next look is at the nearest deadline", () => {
    const run = new Scenario(planOf([k8s("fe")]), {
      gracePeriodMs: 60_000,
      readinessTimeoutMs: 0,
      timeoutMs: 90_000,
    });
    run.pass("fe|deploy").observe("fe", "failed", { failure: failure("pull failed", "ImagePull") });
    expect(run.at(50_000).wakeAt).toBe(60_000);
    const two = new Scenario(planOf([k8s("fe")]), { timeoutMs: 90_000 });
    expect(two.at(50_000).wakeAt).toBe(90_000);
  });

  test.each([0, 1])("0 is no limit (%#)", (which) => {
    const limits = which === 0 ? { timeoutMs: 0 } : { timeoutMs: 0, readinessTimeoutMs: 0 };
    const run = new Scenario(planOf([k8s("fe")]), limits);
    run.pass("fe|deploy").observe("fe", "pending", { active: which === 1 });
    expect(run.at(10 ** 9).end).toBeUndefined();
  });

  test("a server that was ready and fails while others start fails the run", () => {
    const run = new Scenario(planOf([k8s("fe"), k8s("be")]), { failureWindowMs: 0 });
    run.pass("fe|deploy").observe("fe", "ready");
    run.observe("fe", "failed", { failure: failure("evicted", "PodFailed") });
    expect(run.end).toBe("failed");
  });
});

describe("scheduling", () => {
  test("DoesntReturnCurrentlyBuilding: what runs is not started again", () => {
    const run = new Scenario(planOf([k8s("a"), k8s("b")]));
    run.tick().observe("a", "pending").tick();
    expect(run.events.filter(({ type }) => type === "phase-started")).toHaveLength(2);
  });

  test("CurrentlyBuildingK8sDisablesLocal: a local that runs alone waits, the next deploy does not", () => {
    const run = new Scenario(
      planOf([
        k8s("first"),
        local("gate", { allowParallel: true }),
        local("alone", { resourceDeps: ["gate"] }),
        k8s("next", { resourceDeps: ["gate"] }),
      ]),
    );
    run.pass("gate|command");
    expect(run.running).toEqual(["first|deploy", "next|deploy"]);
    expect(run.hold("alone", "command")).toMatch(/^runs alone: waiting for /);
    run.pass("first|deploy", "next|deploy");
    expect(run.running).toEqual(["alone|command"]);
  });

  test("K8sDependsOnLocal: held until the command has succeeded", () => {
    const run = new Scenario(planOf([local("l"), k8s("k", { resourceDeps: ["l"] })]));
    expect(run.hold("k", "deploy")).toBe("waiting for l");
    expect(run.pass("l|command").running).toEqual(["k|deploy"]);
  });

  test("LocalDependsOnNonWorkloadK8s: let go by the apply", () => {
    const run = new Scenario(
      planOf([k8s("config", { readiness: "ignore" }), local("l", { resourceDeps: ["config"] })]),
    );
    run.pass("config|deploy").observe("config", "ready");
    expect(run.running).toEqual(["l|command"]);
  });

  test("K8sDependsOnCluster: deploys wait for it, Compose and commands do not", () => {
    const run = new Scenario(
      planOf([k8s("k"), compose("c"), local("l", { allowParallel: true })]),
      {},
      { cluster: false },
    );
    expect(run.running.sort()).toEqual(["c|deploy", "l|command"]);
    expect(run.hold("k", "deploy")).toBe("waiting for the cluster");
    expect(run.reach("(cluster)", "api").running).toContain("k|deploy");
  });

  test("LocalResourcesBeforeCluster, UnresourcedYAMLFirst: locals, uncategorized, then as defined", () => {
    const run = new Scenario(
      planOf([
        k8s("b"),
        k8s("a"),
        local("l", { allowParallel: true }),
        k8s("uncategorized", { readiness: "ignore" }),
      ]),
      { maxUpdates: 1 },
    );
    const order: string[] = [];
    while (run.running.length > 0) {
      order.push(...run.running);
      run.pass(...run.running);
    }
    expect(order).toEqual(["l|command", "uncategorized|deploy", "b|deploy", "a|deploy"]);
  });

  test("RespectDockerComposeOrder: services start in the file's order", () => {
    const run = new Scenario(planOf([compose("z"), compose("m"), compose("a")]), { maxUpdates: 1 });
    const order = [run.running, run.pass("z|deploy").running, run.pass("m|deploy").running];
    expect(order.flat()).toEqual(["z|deploy", "m|deploy", "a|deploy"]);
  });

  test("ResourceDeps: nothing starts before all that it needs was ready", () => {
    const needs: Record<string, string[]> = {
      a: [],
      b: ["a"],
      c: ["a"],
      d: ["b"],
      e: ["c", "d"],
      f: [],
      g: ["e", "f"],
    };
    const run = new Scenario(
      planOf(Object.entries(needs).map(([name, resourceDeps]) => k8s(name, { resourceDeps }))),
    );
    const done = new Set<string>();
    while (run.end === undefined) {
      const started = run.running.map((id) => id.split("|")[0]!);
      for (const name of started) expect(needs[name]!.filter((dep) => !done.has(dep))).toEqual([]);
      const [next] = started;
      run.pass(`${next}|deploy`).observe(next!, "ready");
      done.add(next!);
    }
    expect(run.end).toBe("passed");
    expect(done.size).toBe(7);
  });

  test("DepTrumps: a dependency that fails never lets go", () => {
    const run = new Scenario(planOf([local("l"), k8s("k", { resourceDeps: ["l"] })]), {
      failFast: false,
    });
    expect(run.fail("l|command").end).toBe("failed");
    expect(run.statusOf("k", "deploy")).toBe("skipped");
  });

  test("WontBuildWithNoSlots: waits, and takes the slot that is freed, also by a failure", () => {
    const names = ["a", "b", "c", "d"];
    const plan = planOf(names.map((name) => local(name, { allowParallel: true })));
    const run = new Scenario(plan, { maxUpdates: 2, failFast: false });
    expect(run.running).toEqual(["a|command", "b|command"]);
    expect(run.hold("c", "command")).toBe("waiting for a slot");
    expect(run.pass("a|command").running).toEqual(["b|command", "c|command"]);
    expect(run.fail("b|command").running).toEqual(["c|command", "d|command"]);
  });

  test("builds and servers take no slots", () => {
    const plan = planOf(
      [k8s("k", { images: ["k"] }), server("s"), local("l", { allowParallel: true })],
      [image("k", ["k"])],
    );
    const run = new Scenario(plan, { maxUpdates: 1 });
    expect(run.running.sort()).toEqual(["k|build|k", "l|command", "s|serve"]);
  });

  test("LocalResourceNoServeCmdDeps: a probe without a server is nobody's", () => {
    const readinessProbe = {
      ...{ initialDelaySecs: 0, timeoutSecs: 1, periodSecs: 1 },
      ...{ successThreshold: 1, failureThreshold: 1 },
      action: { type: "exec", argv: ["false"] },
    } as const;
    const run = new Scenario(
      planOf([local("l", { readinessProbe }), local("after", { resourceDeps: ["l"] })]),
    );
    expect(run.pass("l|command").running).toEqual(["after|command"]);
  });

  test("a server without a probe lets its dependants go when its process runs", () => {
    const run = new Scenario(planOf([server("s"), local("l", { resourceDeps: ["s"] })]));
    expect(run.running).toEqual(["s|serve"]);
    expect(run.observe("s", "ready").running).toContain("l|command");
  });

  test("cmd and serve_cmd of one resource run one after the other", () => {
    const both = { ...server("s"), ...local("s"), serveCmd: { argv: ["x"], dir: "/", env: {} } };
    const run = new Scenario(planOf([both as never]));
    expect(run.running).toEqual(["s|command"]);
    expect(run.pass("s|command").running).toEqual(["s|serve"]);
  });
});
