import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { validate as validateCtrf } from "ctrf";
import { describe, expect, test } from "vitest";
import { renderCtrf } from "../../../src/report/ctrf.ts";
import { formatEvent, parseEvents } from "../../../src/report/events.ts";
import { parseReport, renderJson } from "../../../src/report/json.ts";
import { createReducer, reduceResult } from "../../../src/report/reduce.ts";
import { at, failure, greenStory, planned, RED_LOGS, redStory, Story } from "./sample-run.ts";

const schema = JSON.parse(readFileSync("docs/report.schema.json", "utf8")) as object;
const matches = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);

const RED = reduceResult(redStory().events, { logs: RED_LOGS });
const STORIES = { red: redStory().events, green: greenStory().events, empty: [] };

function expectValid(report: unknown): void {
  matches(report);
  expect(matches.errors ?? []).toEqual([]);
}

describe("renderJson()", () => {
  test.each(Object.entries(STORIES))(
    "writes what the schema says, cut off anywhere (%s)",
    (_, events) => {
      for (let length = 0; length <= events.length; length++)
        expectValid(
          JSON.parse(renderJson(reduceResult(events.slice(0, length), { logs: RED_LOGS }))),
        );
    },
  );

  test("writes observations, events, warnings and artifacts as the schema says", () => {
    const story = new Story([planned("db", { readiness: "wait", labels: ["data"] })])
      .observed("db", 3, {
        pods: [
          {
            name: "db-1",
            namespace: "default",
            phase: "Running",
            ready: true,
            restarts: 2,
            node: "n",
            scheduledAt: at(2),
            readyAt: at(3),
          },
        ],
      })
      .add({
        type: "cluster-event",
        at: at(2),
        resource: "db",
        object: "Pod/default/db-1",
        reason: "Pulled",
        message: "x",
        warning: false,
        count: 2,
      })
      .add({
        type: "step",
        at: at(3),
        startedAt: at(2),
        resource: "db",
        phase: "ready",
        name: "pull",
      })
      .add({
        type: "warning",
        at: at(2),
        resource: "db",
        message: "m",
        position: { file: "/repo/Tiltfile", line: 1, column: 1 },
      })
      .add({ type: "holding", at: at(2), resource: "db", phase: "deploy", reason: "API server" });
    const result = reduceResult(story.events, {
      artifacts: [{ path: "junit.xml", mime: "application/xml", bytes: 3, sha256: "ab" }],
    });
    expectValid(JSON.parse(renderJson(result)));
    expect(result.resources.find((r) => r.name === "db")?.observed?.pods[0]).toMatchObject({
      readyAt: "2026-01-01T00:00:03.000Z",
      restarts: 2,
    });
  });

  test("the schema refuses what is no report", () => {
    expect(matches({ ...RED, verdict: "green" })).toBe(false);
    expect(matches({ ...RED, schemaVersion: "2.0" })).toBe(false);
    const { firstCause: _, ...without } = RED;
    expect(matches(without)).toBe(false);
  });

  test("the schema is the one that the TypeScript source makes", () => {
    expect(() =>
      execFileSync(process.execPath, ["scripts/report-schema.mjs", "--check"], { stdio: "pipe" }),
    ).not.toThrow();
  });

  test("has at least the keys that every reader relies on", () => {
    const report = JSON.parse(renderJson(RED)) as typeof RED;
    expect(report.firstCause[0]).toMatchObject({
      resource: "db",
      phase: "ready",
      code: "CrashLoop",
      message: expect.any(String),
      position: { file: "Tiltfile", line: 10, column: 1 },
    });
    for (const resource of report.resources)
      for (const phase of resource.phases)
        for (const key of ["name", "status", "code", "startedAt", "durationMs"])
          expect(phase).toHaveProperty(key);
    for (const timing of report.timings)
      expect(Object.keys(timing)).toEqual(
        expect.arrayContaining(["phase", "startedAt", "durationMs"]),
      );
  });
});

describe("parseReport()", () => {
  test("reads a report back, newer minor versions too", () => {
    expect(parseReport(renderJson(RED), "report.json")).toEqual(RED);
    expect(
      parseReport(JSON.stringify({ ...RED, schemaVersion: "1.9", later: 1 }), "r").verdict,
    ).toBe("failed");
  });

  test.each([
    ["{", "is not JSON"],
    ["[]", "no schemaVersion"],
    ["null", "no schemaVersion"],
    ['{"schemaVersion":"2.0"}', "reads 1.x"],
    ['{"schemaVersion":"1.0"}', "no resources"],
  ])("refuses %s with a sentence", (text, message) => {
    expect(() => parseReport(text, "x.json")).toThrow(message);
  });
});

describe("renderCtrf()", () => {
  test.each(Object.entries(STORIES))("is valid CTRF, cut off anywhere (%s)", (_, events) => {
    for (let length = 0; length <= events.length; length += 3) {
      const { valid, errors } = validateCtrf(
        JSON.parse(renderCtrf(reduceResult(events.slice(0, length), { logs: RED_LOGS }))),
      );
      expect(errors ?? []).toEqual([]);
      expect(valid).toBe(true);
    }
  });

  test("maps failed, error, skipped and flaky, with what is ours under a key of ours", () => {
    const { results } = JSON.parse(renderCtrf(RED)) as {
      results: { summary: object; tests: { name: string; status: string; rawStatus: string }[] };
    };
    expect(results.summary).toMatchObject({
      tests: 18,
      passed: 13,
      failed: 3,
      skipped: 2,
      start: at(0),
      stop: at(30),
    });
    expect(results.tests.find((t) => t.name === "db: ready")).toMatchObject({
      status: "failed",
      rawStatus: "failed",
      suite: ["db"],
      filePath: "Tiltfile",
      line: 10,
      duration: 11_000,
      message: "Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
      trace: "last words: data directory has wrong ownership",
      attachments: [{ name: "log", contentType: "text/plain", path: "logs/db/ready.log" }],
      extra: { "tilt-ci": { code: "CrashLoop" } },
    });
    const green = JSON.parse(
      renderCtrf(reduceResult(greenStory().events)),
    ) as typeof results extends never ? never : { results: { tests: object[] } };
    expect(green.results.tests).toContainEqual(
      expect.objectContaining({
        name: "api: build example/api",
        status: "passed",
        flaky: true,
        retries: 1,
      }),
    );
  });
});

describe("formatEvent()", () => {
  const stream = (events: typeof STORIES.red) => {
    const reducer = createReducer({ logs: RED_LOGS });
    return events.map((event) => {
      reducer.add(event);
      return formatEvent(event, reducer);
    });
  };

  test("carries the objects of report.json", () => {
    const lines = stream(redStory().events).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    const finished = lines.find(
      (l) => l.type === "phase-finished" && l.resource === "db" && l.phase === "ready",
    );
    expect(finished).toMatchObject({
      at: "2026-01-01T00:00:24.000Z",
      result: {
        name: "ready",
        status: "failed",
        code: "CrashLoop",
        startedAt: "2026-01-01T00:00:13.000Z",
        durationMs: 11_000,
      },
    });
    expect(lines.find((l) => l.type === "phase-started")).toMatchObject({
      result: { name: "evaluate", status: "running", code: null },
    });
    expect(lines.at(-1)).toMatchObject({
      type: "run-finished",
      result: { verdict: "failed", exitCode: 1, firstCause: [{ resource: "db" }] },
    });
  });

  test("parseEvents() gives the events back, from a stream that was cut off too", () => {
    const { events } = greenStory().add({
      type: "step",
      at: at(3),
      startedAt: at(2),
      resource: "db",
      phase: "ready",
      name: "pull",
    });
    const text = stream(events).join("");
    expect(parseEvents(text)).toEqual(events);
    expect(parseEvents(text.slice(0, -20))).toEqual(events.slice(0, -1));
    expect(() => parseEvents("nonsense\n{}\n")).toThrow(SyntaxError);
  });

  test("never breaks a line", () => {
    const story = new Story([planned("a")]).failed(
      "a",
      "ready",
      1,
      2,
      failure("CrashLoop", "x\ny\u2028z\r"),
    );
    for (const line of stream(story.events)) expect(line.indexOf("\n")).toBe(line.length - 1);
  });
});
