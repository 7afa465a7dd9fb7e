import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.ts";
import type { RunResult } from "../../../src/model/run-result.ts";
import { diffReports, formatDiff } from "../../../src/report/diff.ts";
import { explain } from "../../../src/report/explain.ts";
import { renderJson } from "../../../src/report/json.ts";
import { loadReport } from "../../../src/report/load-report.ts";
import { mergeReports } from "../../../src/report/merge.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { at, failure, greenStory, planned, RED_LOGS, RUN, redStory, Story } from "./sample-run.ts";

const RED = reduceResult(redStory().events, { logs: RED_LOGS });
const GREEN = reduceResult(greenStory().events);
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tilt-ci-report-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe("explain()", () => {
  test("tells the story of a red run from its directory and bundle", () => {
    writeFileSync(join(dir, "report.json"), renderJson(RED));
    mkdirSync(join(dir, "bundle"));
    writeFileSync(
      join(dir, "bundle/index.json"),
      JSON.stringify({
        schemaVersion: "1.0",
        collectors: [
          {
            name: "pods",
            status: "done",
            files: [
              { path: "pods/db-0/app.previous.log", bytes: 3 },
              { path: "pods/api-1/app.log", bytes: 3 },
            ],
          },
          { name: "node", status: "late", files: [] },
        ],
      }),
    );
    const text = explain(loadReport(dir));
    expect(text).toBe(explain(loadReport(join(dir, "report.json"))));
    expect(
      text.replaceAll(dir, "DIR"),
    ).toBe(`FAILED: db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)
Tiltfile, run run-1, started 2026-01-01T00:00:00.000Z, took 30.0s, exit code 1
resources: 1 passed, 3 failed, 1 skipped

What took the time (critical path):
  0.0s  (cluster): create took 12.0s
  12.0s  cache: deploy took 1.0s
  13.0s  cache: ready took 3.0s
  16.0s  worker: deploy took 1.0s
  17.0s  worker: ready took 10.0s
  27.0s  (cluster): teardown took 3.0s

First cause: db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop), first seen 15.0s into the run
  declared at Tiltfile:10:1
  │ last words: data directory has wrong ownership
  last log lines:
  │ starting
  │ FATAL: data directory has wrong ownership
  try: Look at the container's last output
  whole log: logs/db/ready.log
  see: bundle/pods/db-0/app.previous.log
  about CrashLoop: docs/failures.md#crashloop

What followed:
  api failed because of db: Deployment/default/api: exit 1, 3 restarts (CrashLoop), shown by: DATABASE_URL=postgres://db:5432/app
  worker failed because of db: Deployment/default/worker: readiness probe failed (ProbeFailed), shown by: could not translate host name "db" to address: Name or service not known
  web never started: blocked by api: ready

Evidence: DIR/bundle (pods, node: late)

Reproduce: tilt-ci ci --file Tiltfile
`);
  });

  test("tells a passed and a cut-off run", () => {
    expect(explain({ result: GREEN, directory: "d" })).toContain(
      "PASSED: SUCCESS. All workloads are healthy.",
    );
    expect(explain({ result: GREEN, directory: "d" })).toContain(
      "Flaky:\n  api: build example/api passed at attempt 2: example/api: connection reset by registry",
    );
    expect(
      explain({ result: reduceResult(redStory().events.slice(0, 8)), directory: "d" }),
    ).toContain("The run did not come to its end");
  });

  test("loadReport() refuses what is no report", () => {
    expect(() => loadReport(join(dir, "none"))).toThrow(UsageError);
    expect(() => loadReport(dir)).toThrow("holds no report.json");
    writeFileSync(join(dir, "x.json"), "{}");
    expect(() => loadReport(join(dir, "x.json"))).toThrow("is not a report of tilt-ci");
  });
});

describe("mergeReports()", () => {
  const shard = (story: Story): RunResult => reduceResult(story.events);
  const run = (id: string) => ({ ...RUN, id });
  const one = shard(
    new Story([planned("a"), planned("b", { enabled: false })], run("s1"))
      .passed("a", "deploy", 1, 2)
      .passed("a", "ready", 2, 5)
      .verdict(5, "passed", 0)
      .finished(6, 0),
  );
  const two = shard(
    new Story([planned("a", { enabled: false }), planned("b")], run("s2"))
      .passed("b", "deploy", 1, 2)
      .failed("b", "ready", 2, 9, failure("OOMKilled", "Pod/default/b: killed"))
      .verdict(9, "failed", 1)
      .finished(10, 1),
  );

  test("joins shards: worst verdict, each resource from the shard that ran it, paths moved", () => {
    const merged = mergeReports([
      { result: one, path: "shard-1" },
      {
        result: {
          ...two,
          artifacts: [{ path: "junit.xml", mime: "application/xml", bytes: null, sha256: null }],
        },
        path: "shard-2",
      },
    ]);
    expect(merged).toMatchObject({
      verdict: "failed",
      exitCode: 1,
      message: "b: ready: Pod/default/b: killed (OOMKilled)",
      complete: true,
      durationMs: 10_000,
    });
    expect(merged.run.id).toBe("s1+s2");
    expect(merged.resources.map(({ name, status, enabled }) => [name, status, enabled])).toEqual([
      ["(Tiltfile)", "passed", true],
      ["a", "passed", true],
      ["b", "failed", true],
    ]);
    expect(merged.counts).toMatchObject({ passed: 1, failed: 1 });
    expect(merged.artifacts[0]?.path).toBe("shard-2/junit.xml");
    expect(merged.timings.find((t) => t.phase === "ready")).toMatchObject({
      durationMs: 10_000,
      count: 2,
    });
    const valid = new Ajv({ strict: false }).compile(
      JSON.parse(readFileSync("docs/report.schema.json", "utf8")) as object,
    );
    expect(valid(merged), JSON.stringify(valid.errors)).toBe(true);
  });

  test("passes only if all passed, and does not hide a shard without an end", () => {
    expect(
      mergeReports([
        { result: one, path: "" },
        { result: one, path: "" },
      ]),
    ).toMatchObject({ verdict: "passed", exitCode: 0 });
    const cut = shard(new Story([planned("c")], run("s3")));
    expect(
      mergeReports([
        { result: one, path: "" },
        { result: two, path: "" },
        { result: cut, path: "" },
      ]),
    ).toMatchObject({ verdict: "cancelled", exitCode: 130, complete: false, finishedAt: null });
    expect(() => mergeReports([])).toThrow(UsageError);
  });
});

describe("diffReports()", () => {
  test("tells what became red and green, slower and quicker, added and removed", () => {
    const before = reduceResult(
      new Story([planned("a"), planned("b"), planned("gone")])
        .passed("a", "ready", 2, 5)
        .failed("b", "ready", 2, 5, failure("CrashLoop", "b: exit 1"))
        .passed("a", "deploy", 1, 2)
        .finished(6, 1).events,
    );
    const after = reduceResult(
      new Story([planned("a"), planned("b"), planned("c")])
        .passed("a", "ready", 2, 12)
        .passed("b", "ready", 2, 5)
        .passed("a", "deploy", 1, 2.3)
        .failed("c", "ready", 2, 3, failure("OOMKilled", "Pod/default/c: killed"))
        .finished(13, 1).events,
    );
    const diff = diffReports(before, after);
    expect(diff).toMatchObject({
      redder: [],
      greener: [{ name: "b: ready", before: "failed", after: "passed" }],
      slower: [{ name: "a: ready", beforeMs: 3000, afterMs: 10_000 }],
      quicker: [],
      added: ["c"],
      removed: ["gone"],
      newCauses: ["c: ready: Pod/default/c: killed (OOMKilled)"],
    });
    expect(diffReports(after, before).redder).toEqual([
      { name: "b: ready", before: "passed", after: "failed", why: "b: exit 1 (CrashLoop)" },
    ]);
    expect(formatDiff(diff)).toBe(`run-1 → run-1: still failed, 6.0s → 13.0s

New first causes (1 entry):
  c: ready: Pod/default/c: killed (OOMKilled)

Became green (1 entry):
  b: ready: failed → passed

Slower (1 entry):
  a: ready: 3.0s → 10.0s (+7.0s)

Added (1 entry):
  c

Removed (1 entry):
  gone
`);
  });

  test("knows the same failure by its fingerprint, whatever pod it was", () => {
    const crash = (pod: string) =>
      reduceResult(
        new Story([planned("b")]).failed(
          "b",
          "ready",
          2,
          5,
          failure("CrashLoop", `Pod default/${pod}: exit 1 after 3.2s`, { evidenceAt: at(3) }),
        ).events,
      );
    expect(diffReports(crash("b-6d4cf56db6-x2x7k"), crash("b-7f5dd8c9b-abcde")).newCauses).toEqual(
      [],
    );
  });

  test("says when nothing changed, and does not compare cached with built", () => {
    expect(formatDiff(diffReports(GREEN, GREEN))).toContain(
      "No phase became red, green, slower or quicker",
    );
    const built = reduceResult(
      new Story([planned("a", { images: ["i"] })]).passed("a", "build", 1, 20, { subject: "i" })
        .events,
    );
    const cached = reduceResult(
      new Story([planned("a", { images: ["i"] })]).passed("a", "build", 1, 2, {
        subject: "i",
        cached: true,
      }).events,
    );
    expect(diffReports(cached, built).slower).toEqual([]);
  });
});
