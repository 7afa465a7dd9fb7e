import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as junit2json } from "junit2json";
import { parseV2 } from "test-results-parser";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseStringPromise } from "xml2js";
import { validateXML } from "xmllint-wasm";
import { renderJunit } from "../../../src/report/junit.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import {
  at,
  failure,
  greenStory,
  logsOf,
  planned,
  RED_LOGS,
  redStory,
  Story,
} from "./sample-run.ts";

const XSD = readFileSync(new URL("testdata/jenkins-junit.xsd", import.meta.url), "utf8");

async function expectValid(xml: string): Promise<void> {
  const { valid, errors } = await validateXML({
    xml: [{ fileName: "junit.xml", contents: xml }],
    schema: [{ fileName: "jenkins.xsd", contents: XSD }],
  });
  expect(errors).toEqual([]);
  expect(valid).toBe(true);
}

interface Case {
  $: Record<string, string>;
  failure?: { $: Record<string, string>; _: string }[];
  error?: { $: Record<string, string>; _: string }[];
  skipped?: { $: Record<string, string> }[];
  flakyFailure?: { $: Record<string, string>; stackTrace: string[] }[];
  rerunFailure?: { $: Record<string, string> }[];
  "system-out"?: string[];
}
interface Suites {
  testsuites: {
    $: Record<string, string>;
    testsuite: {
      $: Record<string, string>;
      properties?: { property: { $: { name: string; value: string } }[] }[];
      testcase: Case[];
    }[];
  };
}

async function read(xml: string) {
  const { testsuites } = (await parseStringPromise(xml)) as Suites;
  const suite = (name: string) => testsuites.testsuite.find((s) => s.$.name === name)!;
  const caseOf = (name: string) =>
    testsuites.testsuite.flatMap((s) => s.testcase).find((c) => c.$.name === name)!;
  const properties = (name: string) =>
    suite(name).properties?.[0]?.property.map(({ $ }) => [$.name, $.value]) ?? [];
  return { testsuites, suite, caseOf, properties };
}

const RED = reduceResult(redStory().events, { logs: RED_LOGS });

describe("renderJunit()", () => {
  test("matches Jenkins' schema with its three extensions", async () => {
    await expectValid(renderJunit(RED));
    await expectValid(renderJunit(reduceResult(greenStory().events)));
    await expectValid(renderJunit(reduceResult([])));
  });

  test("has one flat suite a resource and one case a phase, with fixed names", async () => {
    const { testsuites, suite } = await read(renderJunit(RED));
    expect(testsuites.testsuite.map((s) => s.$.name)).toEqual([
      "(cluster)",
      "(Tiltfile)",
      "db",
      "cache",
      "api",
      "worker",
      "web",
    ]);
    expect(suite("api").testcase.map((c) => c.$.name)).toEqual([
      "api: build example/api",
      "api: push example/api",
      "api: deploy",
      "api: ready",
    ]);
    expect(suite("(cluster)").testcase.map((c) => c.$.name)).toEqual([
      "(cluster): create",
      "(cluster): registry",
      "(cluster): teardown",
    ]);
    expect(suite("(Tiltfile)").testcase.map((c) => c.$.name)).toEqual(["(Tiltfile): evaluate"]);
    for (const { $, testcase } of testsuites.testsuite) {
      for (const c of testcase) expect(c.$.classname).toBe($.name);
      expect(Object.keys($)).toEqual(
        expect.arrayContaining([
          "name",
          "tests",
          "failures",
          "errors",
          "skipped",
          "time",
          "timestamp",
          "hostname",
        ]),
      );
    }
    expect(testsuites.$).toMatchObject({
      tests: "18",
      failures: "3",
      errors: "0",
      skipped: "2",
      time: "30.000",
    });
  });

  test("names the cases of local resources and tests by their contract", async () => {
    const story = new Story([
      planned("lint", { type: "local", phases: [{ phase: "command" }, { phase: "serve" }] }),
      planned("e2e", { type: "local", phases: [{ phase: "test" }] }),
    ]);
    const { suite } = await read(renderJunit(reduceResult(story.events)));
    expect(suite("lint").testcase.map((c) => c.$.name)).toEqual(["lint: local", "lint: serve"]);
    expect(suite("e2e").testcase.map((c) => c.$.name)).toEqual(["e2e: test e2e"]);
  });

  test("gives a failure its code, message, place and a body that says it all", async () => {
    const { caseOf } = await read(renderJunit(RED));
    const c = caseOf("db: ready");
    expect(c.$).toMatchObject({ file: "Tiltfile", line: "10", time: "11.000" });
    expect(c.error).toBeUndefined();
    expect(c.failure).toHaveLength(1);
    expect(c.failure?.[0]?.$).toEqual({
      type: "CrashLoop",
      message: "Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
    });
    expect(c.failure?.[0]?._).toBe(
      [
        "Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
        "last words: data directory has wrong ownership",
        "last log lines:",
        "  starting",
        "  FATAL: data directory has wrong ownership",
        "try: Look at the container's last output",
        "at Tiltfile:10:1",
        "reproduce: tilt-ci ci --file Tiltfile",
      ].join("\n"),
    );
    expect(c["system-out"]).toEqual([
      "starting\nFATAL: data directory has wrong ownership\n[[ATTACHMENT|logs/db/ready.log]]\n",
    ]);
    expect(caseOf("worker: ready").failure?.[0]?._).toContain(
      "first cause: db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
    );
  });

  test("skips what was blocked and says by what", async () => {
    const { caseOf } = await read(renderJunit(RED));
    expect(caseOf("web: deploy").skipped?.[0]?.$).toEqual({ message: "blocked by api: ready" });
    expect(caseOf("cache: ready")["system-out"]).toBeUndefined();
  });

  test("puts digests, cached cases and attachments into suite properties", async () => {
    const { properties } = await read(renderJunit(RED));
    expect(properties("web")).toContainEqual(["web: build example/web: cached", "true"]);
    expect(properties("api")).toContainEqual(["image example/api", `sha256:${"a".repeat(64)}`]);
    expect(properties("api")).toContainEqual(["attachment", "logs/api/ready.log"]);
    expect(properties("db")).toEqual(
      expect.arrayContaining([
        ["cluster", "tilt-ci-run-1"],
        ["kubernetes", "v1.34.4"],
        ["git.sha", RED.run.gitSha],
        ["args", "ci --file Tiltfile"],
      ]),
    );
  });

  test("encodes flaky as one passing case, and a failure after retries with its reruns", async () => {
    const green = await read(renderJunit(reduceResult(greenStory().events)));
    const flaky = green.caseOf("api: build example/api");
    expect(flaky.failure).toBeUndefined();
    expect(flaky.flakyFailure).toEqual([
      {
        $: { message: "example/api: connection reset by registry (Infra)", type: "Infra" },
        stackTrace: ["example/api: connection reset by registry"],
      },
    ]);
    const story = new Story([planned("a", { images: ["i"] })])
      .started("a", "push", 1, "i")
      .add({
        type: "phase-retried",
        at: at(2),
        resource: "a",
        phase: "push",
        subject: "i",
        attempt: 1,
        failure: failure("Infra", "reset"),
      })
      .add({
        type: "phase-finished",
        at: at(3),
        resource: "a",
        phase: "push",
        subject: "i",
        attempt: 2,
        status: "error",
        failure: failure("Infra", "reset again"),
      });
    const xml = renderJunit(reduceResult(story.events));
    await expectValid(xml);
    const red = (await read(xml)).caseOf("a: push i");
    expect(red.error?.[0]?.$).toEqual({ type: "Infra", message: "reset again (Infra)" });
    expect(red.failure).toBeUndefined();
    expect(red.rerunFailure).toHaveLength(1);
  });

  test("calls a broken Tiltfile a failure and a broken cluster an error", async () => {
    const story = new Story()
      .failed(
        "(Tiltfile)",
        "evaluate",
        0,
        1,
        failure("TiltfileError", "Tiltfile:3:1: name 'x' is not defined", {
          position: { file: "/repo/Tiltfile", line: 3, column: 1 },
        }),
        { status: "error" },
      )
      .failed(
        "(cluster)",
        "create",
        0,
        2,
        failure("Infra", "kind create: port is already allocated"),
        { status: "error" },
      );
    const { caseOf } = await read(renderJunit(reduceResult(story.events)));
    expect(caseOf("(Tiltfile): evaluate").failure).toHaveLength(1);
    expect(caseOf("(Tiltfile): evaluate").$).toMatchObject({ file: "Tiltfile", line: "3" });
    expect(caseOf("(cluster): create").error).toHaveLength(1);
  });

  test("makes an error of what was running when the run was cut off: never a pass", async () => {
    const { events } = redStory();
    const cut = events.findIndex((e) => e.type === "phase-started" && e.phase === "create") + 1;
    const xml = renderJunit(reduceResult(events.slice(0, cut)));
    await expectValid(xml);
    const { caseOf } = await read(xml);
    const states = (await read(xml)).testsuites.testsuite.flatMap((s) =>
      s.testcase.map((c) => [c.$.name, c.error !== undefined, c.skipped !== undefined]),
    );
    expect(states).toContainEqual(["(cluster): create", true, false]);
    expect(caseOf("db: ready").skipped?.[0]?.$.message).toBe(
      "not started when this report was written",
    );
  });

  test("omits disabled resources unless asked for, and honours the prefix", async () => {
    const result = reduceResult(
      new Story([planned("off", { enabled: false }), planned("on")]).events,
    );
    expect(renderJunit(result)).not.toContain('"off"');
    expect(renderJunit(result, { deselected: true, prefix: "e2e" })).toContain(
      'classname="e2e.off"',
    );
  });

  test("survives whatever programs print", async () => {
    const nasty = [
      "\x1b[31mred\x1b[0m",
      "\x00\x01\x08\x0b\x0c\x0e\x1b\x7f\x9b",
      "]]> ]]> <![CDATA[ </testcase>",
      "&amp; <b> \"q\" 'a'",
      "\ud800 \udfff \ufffe",
      "50%\r100%",
      "\x1b]0;title\x07x",
    ];
    const text = nasty.join("\n");
    const logs = logsOf([[{ resource: "n", phase: "ready" }, nasty]]);
    const story = new Story([planned("n"), planned(text, { images: [text] })])
      .failed(
        "n",
        "ready",
        1,
        2,
        failure("CrashLoop", text, { detail: text, object: text, hint: text }),
      )
      .add({
        type: "cluster-event",
        at: at(1),
        resource: "n",
        object: text,
        reason: text,
        message: text,
        warning: true,
        count: 1,
      });
    const xml = renderJunit(reduceResult(story.events, { logs }));
    await expectValid(xml);
    expect(xml).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/);
    const { caseOf } = await read(xml);
    expect(caseOf("n: ready").failure?.[0]?._).toContain("]]> ]]> <![CDATA[ </testcase>");
    expect(caseOf("n: ready")["system-out"]?.[0]).toContain('&amp; <b> "q"');
  });

  test("keeps system-out below 64 KiB", async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `${i} ${"x".repeat(1900)}`);
    const story = new Story([planned("n")]).failed(
      "n",
      "ready",
      1,
      2,
      failure("CrashLoop", "n: exit 1"),
    );
    const { caseOf } = await read(
      renderJunit(
        reduceResult(story.events, { logs: logsOf([[{ resource: "n", phase: "ready" }, lines]]) }),
      ),
    );
    const out = caseOf("n: ready")["system-out"]?.[0] ?? "";
    expect(out.length).toBeLessThanOrEqual(65_536);
    expect(out).toContain("99 xxx");
    expect(out.trimEnd().endsWith("[[ATTACHMENT|logs/n/ready.log]]")).toBe(true);
  });

  test("is read by junit2json with counts, cases and failures", async () => {
    const parsed = (await junit2json(renderJunit(RED))) as {
      tests: number;
      failures: number;
      testsuite: {
        name: string;
        testcase: {
          name: string;
          classname: string;
          failure?: { message: string }[];
          skipped?: { message: string }[];
        }[];
      }[];
    };
    expect(parsed).toMatchObject({ tests: 18, failures: 3 });
    const db = parsed.testsuite.find((s) => s.name === "db");
    expect(db?.testcase[1]).toMatchObject({
      name: "db: ready",
      classname: "db",
      failure: [{ message: "Deployment/default/db: exit 1, 4 restarts (CrashLoop)" }],
    });
  });

  test("is read by test-results-parser with the same totals", () => {
    const directory = mkdtempSync(join(tmpdir(), "tilt-ci-junit-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, "junit.xml");
    writeFileSync(file, renderJunit(RED));
    const { result, errors } = parseV2({ type: "junit", files: [file] });
    expect(errors).toEqual([]);
    expect(result).toMatchObject({ total: 16, failed: 3, skipped: 2, status: "FAIL" });
    expect(result.suites.find((s) => s.name === "db")?.cases[1]).toMatchObject({
      name: "db: ready",
      status: "FAIL",
      failure: "Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
    });
  });
});
