import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import { createReducer, reduceResult } from "../../../src/report/reduce.ts";
import { at, failure, greenStory, planned, RED_LOGS, redStory, Story } from "./sample-run.ts";

/** CPU time of this process: what a busy machine does not stretch. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const phaseOf = (result: ReturnType<typeof reduceResult>, resource: string, name: string) =>
  result.resources.find((r) => r.name === resource)?.phases.find((p) => p.name === name);
const resourceOf = (result: ReturnType<typeof reduceResult>, name: string) =>
  result.resources.find((r) => r.name === name)!;

describe("reduceResult()", () => {
  test("tells how the cluster is reached when that is known, later facts beside earlier ones", () => {
    const facts = { name: "tci-1", context: "kind-tci-1", kubeconfig: "/k" };
    const told = (...clusters: Extract<RunEvent, { type: "cluster" }>["cluster"][]) =>
      reduceResult(clusters.map((cluster) => ({ type: "cluster", at: at(1), cluster }))).cluster;
    expect(told()).toBeNull();
    expect(told({ registryHost: "localhost:5000" })).toBeNull();
    expect(told(facts)).toEqual({ ...facts, registryHost: null, stays: false });
    expect(told(facts, { registryHost: "localhost:5000" }, { stays: true })).toEqual({
      ...facts,
      registryHost: "localhost:5000",
      stays: true,
    });
  });

  test("tells a passed run with times, images, retries and what it waited for", () => {
    const result = reduceResult(greenStory().events);
    expect(result).toMatchObject({
      schemaVersion: "1.0",
      complete: true,
      verdict: "passed",
      exitCode: 0,
      message: "SUCCESS. All workloads are healthy.",
      firstCause: [],
      startedAt: "2026-01-01T00:00:00.000Z",
      finishedAt: "2026-01-01T00:00:21.000Z",
      durationMs: 21_000,
    });
    expect(result.resources.map((r) => [r.name, r.status])).toEqual([
      ["(cluster)", "passed"],
      ["(Tiltfile)", "passed"],
      ["db", "passed"],
      ["api", "passed"],
    ]);
    expect(phaseOf(result, "api", "build")).toMatchObject({
      subject: "example/api",
      status: "passed",
      code: null,
      flaky: true,
      durationMs: 7000,
      attempts: [
        { number: 1, status: "failed", durationMs: 2000, failure: { code: "Infra" } },
        { number: 2, status: "passed", durationMs: 5000 },
      ],
    });
    expect(phaseOf(result, "api", "deploy")?.holds).toEqual([
      { reason: "waiting for db: ready", startedAt: "2026-01-01T00:00:12.000Z", durationMs: 2000 },
    ]);
    expect(result.images).toEqual([
      expect.objectContaining({
        ref: "example/api",
        digest: `sha256:${"b".repeat(64)}`,
        cacheHit: false,
        buildMs: 7000,
        pushMs: 4000,
      }),
    ]);
    expect(result.timings.find((t) => t.phase === "ready")).toMatchObject({
      durationMs: 5750,
      count: 2,
    });
  });

  test("walks the critical path back from the phase that ended last", () => {
    const { criticalPath } = reduceResult(greenStory().events);
    expect(criticalPath.map((s) => `${s.resource} ${s.phase}`)).toEqual([
      "(cluster) create",
      "db deploy",
      "db ready",
      "api deploy",
      "api ready",
      "(cluster) teardown",
    ]);
  });

  test("names the culprit, its echoes and what it blocked", () => {
    const result = reduceResult(redStory().events, { logs: RED_LOGS });
    expect(result.firstCause).toEqual([
      expect.objectContaining({
        resource: "db",
        phase: "ready",
        code: "CrashLoop",
        position: { file: "Tiltfile", line: 10, column: 1 },
        echoes: ["api", "worker"],
        blocked: ["web"],
        log: "logs/db/ready.log",
        evidenceAt: "2026-01-01T00:00:15.000Z",
      }),
    ]);
    expect(result.message).toBe("db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)");
    expect(resourceOf(result, "db").role).toBe("culprit");
    expect(resourceOf(result, "worker")).toMatchObject({
      role: "echo",
      causedBy: [
        {
          resource: "db",
          phase: "ready",
          relation: "echo",
          evidence: expect.stringContaining("translate host name"),
        },
      ],
    });
    expect(resourceOf(result, "api").causedBy[0]).toMatchObject({
      relation: "echo",
      evidence: "DATABASE_URL=postgres://db:5432/app",
    });
    expect(phaseOf(result, "web", "deploy")).toMatchObject({
      status: "skipped",
      skipReason: "blocked by api: ready",
      role: "blocked",
    });
    expect(resourceOf(result, "cache").role).toBeNull();
    expect(result.counts).toMatchObject({ failed: 3, skipped: 1, passed: 1 });
    expect(phaseOf(result, "db", "ready")?.log).toEqual({
      path: "logs/db/ready.log",
      lines: 2,
      bytes: 51,
      tail: ["starting", "FATAL: data directory has wrong ownership"],
    });
    expect(phaseOf(result, "cache", "ready")?.log?.tail).toBeUndefined();
  });

  test("is valid after every single event, and running phases count as cancelled", () => {
    const reducer = createReducer({ logs: RED_LOGS });
    const { events } = redStory();
    for (const event of events) {
      reducer.add(event);
      const result = reducer.result();
      expect(result.complete).toBe(event.type === "run-finished");
      for (const resource of result.resources)
        for (const phase of resource.phases) expect(phase.status).not.toBe("running");
    }
    const cut = reduceResult(events.slice(0, 6));
    expect(cut).toMatchObject({ verdict: "cancelled", exitCode: 130, firstCause: [] });
    expect(phaseOf(cut, "db", "deploy")).toMatchObject({ status: "pending", code: null });
    const running = reduceResult([
      ...events.slice(0, 6),
      {
        type: "phase-started",
        at: at(2),
        resource: "api",
        phase: "build",
        subject: "example/api",
        attempt: 1,
      },
    ]);
    expect(phaseOf(running, "api", "build")).toMatchObject({
      status: "cancelled",
      code: "Cancelled",
      message: "api: build example/api had not finished when the run ended",
    });
    expect(phaseOf(running, "api", "deploy")?.status).toBe("pending");
  });

  test("says how long a server that was cut short had run, and what it lacked", () => {
    const story = new Story([planned("dev", { type: "local", phases: [{ phase: "serve" }] })])
      .started("dev", "serve", 2)
      .observed("dev", 3, { summary: "readiness probe fails" })
      .add({
        type: "phase-finished",
        at: at(7),
        resource: "dev",
        phase: "serve",
        attempt: 1,
        status: "cancelled",
      });
    const dev = reduceResult(story.events).resources.find(({ name }) => name === "dev");
    expect(dev).toMatchObject({ durationMs: 5000, startedAt: "2026-01-01T00:00:02.000Z" });
    expect(dev?.phases[0]?.message).toBe(
      "dev: serve had not finished when the run ended: readiness probe fails",
    );
  });

  test("calls a cut-off run failed once something has failed", () => {
    const story = new Story([planned("db")]).failed(
      "db",
      "ready",
      3,
      4,
      failure("OOMKilled", "Pod/default/db: killed"),
    );
    expect(reduceResult(story.events)).toMatchObject({
      complete: false,
      verdict: "failed",
      exitCode: 1,
    });
  });

  test("calls what was to run on a broken cluster blocked by it", () => {
    const { events } = new Story([planned("db")]).failed(
      "(cluster)",
      "create",
      1,
      2,
      failure("Infra", "no kind"),
      { status: "error" },
    );
    const skipped = {
      type: "phase-finished",
      at: 3000,
      resource: "db",
      phase: "ready",
      attempt: 1,
      status: "skipped",
      skipReason: "not started: the run had failed",
    } as const;
    const result = reduceResult([...events, skipped]);
    expect(phaseOf(result, "db", "ready")?.skipReason).toBe("blocked by (cluster): create");
    expect(result.firstCause).toMatchObject([{ resource: "(cluster)", blocked: ["db"] }]);
  });

  test("never throws on events in any order or for unknown resources", () => {
    const shuffled: RunEvent[] = redStory().events.toReversed();
    const result = reduceResult(shuffled);
    expect(result.verdict).toBe("failed");
    expect(reduceResult([])).toMatchObject({
      verdict: "cancelled",
      startedAt: null,
      durationMs: 0,
      resources: [],
    });
  });

  test("gives exit 3 the verdict error when only the teardown failed", () => {
    const story = new Story([planned("db")])
      .passed("db", "ready", 2, 3)
      .passed("db", "deploy", 1, 2)
      .verdict(3, "passed", 0)
      .failed(
        "(cluster)",
        "teardown",
        3,
        5,
        failure("Infra", "kind cluster tilt-ci-run-1: cannot delete"),
        { status: "error" },
      )
      .finished(5, 3);
    const result = reduceResult(story.events);
    expect(result).toMatchObject({ verdict: "error", exitCode: 3 });
    expect(result.firstCause).toMatchObject([
      { resource: "(cluster)", phase: "teardown", code: "Infra" },
    ]);
  });

  test("leaves a failed teardown out of the causes of a red run", () => {
    const story = new Story([planned("db")])
      .failed("db", "ready", 2, 3, failure("CrashLoop", "db: exit 1"))
      .verdict(3, "failed", 1)
      .failed("(cluster)", "teardown", 3, 5, failure("Infra", "cannot delete"), { status: "error" })
      .finished(5, 1);
    expect(reduceResult(story.events).firstCause.map((c) => c.resource)).toEqual(["db"]);
  });

  test("makes a cause of a verdict that no phase explains", () => {
    const story = new Story().verdict(1, "error", 2, "No resources found").finished(1, 2);
    expect(reduceResult(story.events).firstCause).toMatchObject([
      {
        resource: "(Tiltfile)",
        phase: "evaluate",
        code: "TiltfileError",
        message: "No resources found",
      },
    ]);
  });

  test("says what was seen last when a phase timed out", () => {
    const story = new Story([planned("db")])
      .observed("db", 4, {
        summary: "0 of 1 ready",
        failure: failure("ProbeFailed", "readiness probe: connection refused"),
      })
      .failed(
        "db",
        "ready",
        3,
        10,
        failure("Timeout", "Deployment/default/db: not ready after 7s"),
      );
    expect(reduceResult(story.events).firstCause[0]?.message).toBe(
      "Deployment/default/db: not ready after 7s: 0 of 1 ready: readiness probe: connection refused",
    );
  });

  test("tells a shared image's failed build of the resource that built it, and blocks the other", () => {
    const story = new Story([planned("a", { images: ["img"] }), planned("b", { images: ["img"] })])
      .failed("a", "build", 1, 2, failure("BuildFailed", "img: exit code 1"), { subject: "img" })
      .verdict(3, "failed", 1)
      .finished(3, 1);
    const result = reduceResult(story.events);
    expect(result.firstCause).toMatchObject([
      { resource: "a", phase: "build", subject: "img", blocked: ["b"] },
    ]);
    expect(phaseOf(result, "b", "build")).toMatchObject({
      status: "skipped",
      skipReason: "blocked by a: build img",
    });
    expect(phaseOf(result, "a", "deploy")).toMatchObject({
      status: "skipped",
      skipReason: "blocked by a: build img",
    });
    expect(resourceOf(result, "a").role).toBe("culprit");
  });

  test("passes a shared image on to the resource that did not build it", () => {
    const story = new Story([
      planned("a", { images: ["img"] }),
      planned("b", { images: ["img"] }),
    ]).passed("a", "build", 1, 2, { subject: "img" });
    expect(phaseOf(reduceResult(story.events), "b", "build")).toMatchObject({
      status: "passed",
      cached: true,
      causedBy: [{ resource: "a", phase: "build", relation: "needs" }],
    });
  });

  test("skips disabled and auto_init=False resources with the reason", () => {
    const story = new Story([
      planned("off", { enabled: false }),
      planned("manual", { autoInit: false }),
    ])
      .verdict(2, "passed", 0)
      .finished(3, 0);
    const result = reduceResult(story.events);
    expect(phaseOf(result, "off", "ready")).toMatchObject({
      status: "skipped",
      skipReason: "disabled",
    });
    expect(phaseOf(result, "manual", "ready")).toMatchObject({
      status: "skipped",
      skipReason: "auto_init=False",
    });
    expect(result.counts.skipped).toBe(1);
  });

  test("takes positions outside the repository as they are", () => {
    const story = new Story([
      planned("x", { position: { file: "/ext/Tiltfile", line: 3, column: 2 } }),
    ]);
    expect(resourceOf(reduceResult(story.events), "x").position?.file).toBe("/ext/Tiltfile");
  });

  test("is cheap with 500 resources and 10,000 events, even when everything fails", () => {
    const names = Array.from({ length: 500 }, (_, i) => `svc-${i}`);
    const story = new Story(
      names.map((name, i) =>
        planned(name, {
          resourceDeps: i > 400 ? [`svc-${i - 400}`] : [],
          mentions: [`PEER=http://svc-${(i * 7) % 500}:80`],
        }),
      ),
    );
    for (const [i, name] of names.entries()) {
      story.passed(name, "deploy", 2, 3);
      for (let n = 0; n < 15; n++) story.observed(name, 3 + n, { summary: `${n}` });
      story.failed(
        name,
        "ready",
        3,
        20 + i / 100,
        failure("CrashLoop", `Deployment/default/${name}: exit 1`, {
          detail: `dial tcp: svc-${(i * 3) % 500}: connection refused`,
        }),
      );
    }
    const lines = Array.from(
      { length: 100 },
      (_, i) => `line ${i} of something that is as long as log lines are, on average`,
    );
    const logs = { describe: () => ({ lines: 100, bytes: 7000 }), tail: () => lines };
    const reducer = createReducer({ logs });
    const start = cpuMs();
    for (const event of story.events) reducer.add(event);
    const added = cpuMs();
    const result = reducer.result();
    const settled = cpuMs();
    expect(story.events.length).toBeGreaterThan(9000);
    expect(result.resources).toHaveLength(501);
    expect(added - start).toBeLessThan(500);
    expect(settled - added).toBeLessThan(2000);
  });
});
