import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseStringPromise } from "xml2js";
import type { RunResult } from "../../../src/model/run-result.ts";
import { writeAtomically } from "../../../src/report/atomic.ts";
import { parseEvents } from "../../../src/report/events.ts";
import { parseReport } from "../../../src/report/json.ts";
import { createScrubber } from "../../../src/report/scrub.ts";
import {
  createReportWriter,
  exitCodeAfterReports,
  type ReportOptions,
} from "../../../src/report/writer.ts";
import { at, failure, planned, redStory, Story } from "./sample-run.ts";

let root: string;
let dir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tilt-ci-writer-"));
  dir = join(root, "report");
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

class FakeClock {
  ms = 0;
  now = () => at(0) + this.ms;
  monotonic = () => this.ms;
}

function open(
  options: Partial<ReportOptions> = {},
  scrubber = createScrubber(),
  clock = new FakeClock(),
) {
  const writer = createReportWriter(
    { directory: dir, directoryAsked: false, ...options },
    scrubber,
    clock,
  );
  return { writer, clock };
}
const read = (name: string) => readFileSync(join(dir, name), "utf8");
const report = (name = "report.json"): RunResult => parseReport(read(name), name);
const line = (text: string, more: object = {}) => ({
  at: at(14),
  resource: "db",
  phase: "ready" as const,
  level: "info" as const,
  source: "runtime" as const,
  text,
  ...more,
});

describe("createReportWriter()", () => {
  test("lays out the report directory and the extra files", () => {
    const lines: string[] = [];
    const { writer } = open({
      junit: join(root, "x/junit.xml"),
      json: join(root, "x/r.json"),
      ctrf: join(root, "x/ctrf.json"),
      events: (l) => lines.push(l),
    });
    for (const event of redStory().events) writer.event(event);
    writer.log(line("FATAL"));
    writer.applied("db", "kind: StatefulSet\n");
    expect(writer.finish()).toEqual([]);
    expect(readdirSync(dir).sort()).toEqual([
      "events.ndjson",
      "junit.xml",
      "logs",
      "report.html",
      "report.json",
    ]);
    expect(readdirSync(join(root, "x")).sort()).toEqual(["ctrf.json", "junit.xml", "r.json"]);
    expect(readFileSync(join(root, "x/r.json"), "utf8")).toBe(read("report.json"));
    expect(readFileSync(join(root, "x/junit.xml"), "utf8")).toBe(read("junit.xml"));
    expect(parseEvents(read("events.ndjson"))).toEqual(redStory().events);
    expect(lines.map((l) => `${l}\n`).join("")).toBe(read("events.ndjson"));
    expect(read("logs/db/ready.log")).toContain("FATAL");
    expect(read("logs/db/applied.yaml")).toBe("kind: StatefulSet\n");
    expect(report().artifacts.find((a) => a.path === "logs/db/ready.log")).toMatchObject({
      mime: "text/plain",
      resource: "db",
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(
      report()
        .resources.find((r) => r.name === "db")
        ?.phases.at(-1)?.log?.tail,
    ).toEqual(["FATAL"]);
    expect(read("report.html")).toContain("kind: StatefulSet");
  });

  describe("rescrub()", () => {
    const VALUE = "s3cret-password";
    const secret = { label: "secret db:password", value: VALUE, origin: "manifest" } as const;
    const everything = () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
        .join("\n");

    test("cleans what was written before a secret was known", () => {
      const scrubber = createScrubber();
      const { writer } = open({ events: join(root, "events.ndjson") }, scrubber);
      const story = redStory().events;
      const said = { type: "notice", at: at(1), message: `it is ${VALUE}` } as const;
      const events = [...story.slice(0, 3), said];
      for (const event of events) writer.event(event);
      writer.log(line(`password: ${VALUE}`));
      writer.log(line("x".repeat(30_000) + VALUE));
      writer.applied("db", `token: ${VALUE}\n`);
      writer.flush();
      expect(everything().split(VALUE).length).toBeGreaterThan(5);
      scrubber.add([secret]);
      writer.rescrub(events);
      expect(everything()).not.toContain(VALUE);
      expect(read("logs/db/ready.log")).toContain("password: [redacted secret db:password]\n");
      // and it goes on from there
      for (const event of story.slice(3)) writer.event(event);
      writer.log(line(`again ${VALUE}`));
      expect(writer.finish()).toEqual([]);
      expect(everything()).not.toContain(VALUE);
      const log = read("logs/db/ready.log");
      expect(log.trimEnd().split("\n")).toHaveLength(3);
      expect(report().artifacts.find((a) => a.path === "logs/db/ready.log")?.bytes).toBe(
        Buffer.byteLength(log),
      );
      const scrubbed = { ...said, message: "it is [redacted secret db:password]" };
      expect(parseEvents(read("events.ndjson"))).toEqual([
        ...story.slice(0, 3),
        scrubbed,
        ...story.slice(3),
      ]);
    });

    test("leaves names alone that are spelled like a secret", () => {
      const scrubber = createScrubber();
      const { writer } = open({}, scrubber);
      const { events } = redStory();
      for (const event of events) writer.event(event);
      const before = report().resources.map(({ name }) => name);
      scrubber.add(before.map((value) => ({ ...secret, value: `${value}` })));
      writer.rescrub(events);
      writer.finish();
      expect(report().resources.map(({ name }) => name)).toEqual(before);
    });

    test("rather removes a log than leaves a secret in it", () => {
      const scrubber = createScrubber();
      const { writer } = open({}, scrubber);
      writer.log(line(VALUE));
      writer.flush();
      // what is to be written beside it cannot be
      mkdirSync(join(dir, "logs/db/ready.log.tmp"));
      writeFileSync(join(dir, "logs/db/ready.log.tmp/x"), "");
      scrubber.add([secret]);
      writer.rescrub([]);
      expect(existsSync(join(dir, "logs/db/ready.log"))).toBe(false);
      expect(writer.finish()).toMatchObject([{ path: join(dir, "logs/db/ready.log") }]);
    });
  });

  test("has valid files from the first event on, and after every further one", async () => {
    const { writer, clock } = open();
    for (const event of redStory().events) {
      writer.event(event);
      clock.ms += 60_000; // no write is put off
      const { complete } = report();
      expect(complete).toBe(event.type === "run-finished" ? complete : false);
      await expect(parseStringPromise(read("junit.xml"))).resolves.toBeDefined();
      expect(read("report.html").trimEnd().endsWith("</html>")).toBe(true);
      parseEvents(read("events.ndjson"));
    }
    writer.finish();
    expect(report().complete).toBe(true);
  });

  test("writes at most once a second while the run goes on, but always at the verdict and the end", () => {
    const { writer, clock } = open();
    const story = new Story([planned("a")]);
    for (const event of story.events) writer.event(event);
    const before = report();
    writer.event({
      type: "phase-finished",
      at: at(2),
      resource: "a",
      phase: "deploy",
      attempt: 1,
      status: "passed",
    });
    expect(report()).toEqual(before);
    clock.ms += 5000;
    writer.event({
      type: "phase-finished",
      at: at(3),
      resource: "a",
      phase: "ready",
      attempt: 1,
      status: "passed",
    });
    expect(report().resources.find((r) => r.name === "a")?.status).toBe("passed");
    writer.event({ type: "verdict", at: at(4), verdict: "passed", exitCode: 0, message: "" });
    expect(report()).toMatchObject({ verdict: "passed", complete: false });
    writer.finish();
  });

  test("writes what was put off when its time has come", async () => {
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const writer = createReportWriter(
      { directory: dir, directoryAsked: false },
      createScrubber(),
      clock,
    );
    for (const event of new Story([planned("a")]).events) writer.event(event);
    writer.event({
      type: "phase-finished",
      at: at(3),
      resource: "a",
      phase: "ready",
      attempt: 1,
      status: "failed",
      failure: failure("CrashLoop", "a: exit 1"),
    });
    await expect.poll(() => report().firstCause.length, { timeout: 5000 }).toBe(1);
    writer.finish();
  });

  test("keeps secrets out of every file", () => {
    const secret = "sup3r-s3cret/value";
    const scrubber = createScrubber([
      { value: secret, label: "secret db:password", origin: "manifest" },
    ]);
    const { writer } = open(
      { events: join(root, "e.ndjson"), ctrf: join(root, "c.json") },
      scrubber,
    );
    const forms = [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)];
    const story = new Story([planned("db", { mentions: forms.map((f) => `P=${f}`) })])
      .failed(
        "db",
        "ready",
        1,
        2,
        failure("CrashLoop", `db: ${forms.join(" ")}`, { detail: forms.join("\n"), hint: secret }),
      )
      .add({
        type: "cluster-event",
        at: at(2),
        resource: "db",
        object: "Pod/default/db",
        reason: "Bad",
        message: secret,
        warning: true,
        count: 1,
      });
    for (const event of story.events) writer.event(event);
    for (const form of forms)
      expect(writer.log(line(`x ${form}`)).text).toBe("x [redacted secret db:password]");
    writer.applied("db", `password: ${secret}\n`);
    writer.finish();
    const files = execFileSync("find", [root, "-type", "f"], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(files.length).toBeGreaterThan(7);
    for (const file of files)
      for (const form of forms) expect(readFileSync(file, "utf8"), file).not.toContain(form);
    expect(read("junit.xml")).toContain("[redacted secret db:password]");
  });

  test("removes what an earlier run left, but nobody else's files", () => {
    const first = open().writer;
    first.event(redStory().events[0]!);
    first.log(line("old"));
    first.finish();
    writeFileSync(join(dir, ".report.json.1234.tmp"), "{");
    writeFileSync(join(dir, "mine.txt"), "mine");
    open().writer.finish();
    expect(existsSync(join(dir, "logs/db/ready.log"))).toBe(false);
    expect(existsSync(join(dir, ".report.json.1234.tmp"))).toBe(false);
    expect(read("mine.txt")).toBe("mine");
    rmSync(dir, { recursive: true });
    mkdirSync(join(dir, "logs"), { recursive: true });
    writeFileSync(join(dir, "logs/app.log"), "theirs");
    open().writer.finish();
    open().writer.finish();
    expect(read("logs/app.log")).toBe("theirs");
  });

  test("does not follow a planted link out of the report directory", () => {
    mkdirSync(join(root, "outside"));
    mkdirSync(dir);
    symlinkSync(join(root, "outside"), join(dir, "logs"));
    symlinkSync(join(root, "outside/target"), join(dir, "report.json"));
    const { writer } = open();
    writer.event(redStory().events[0]!);
    writer.log(line("x"));
    writer.finish();
    expect(readdirSync(join(root, "outside"))).toEqual([]);
  });

  test("tells what it could not write, and goes on with the rest", () => {
    writeFileSync(join(root, "file"), "");
    const { writer } = open({
      junit: join(root, "file/junit.xml"),
      events: join(root, "file/e.ndjson"),
    });
    for (const event of redStory().events) writer.event(event);
    const problems = writer.finish();
    expect(problems.map(({ path, asked }) => [path, asked])).toEqual(
      expect.arrayContaining([
        [join(root, "file/junit.xml"), true],
        [join(root, "file/e.ndjson"), true],
      ]),
    );
    expect(problems[0]?.message).toMatch(/^E[A-Z]+: /);
    expect(report().complete).toBe(true);
  });

  test("does not throw when the whole directory cannot be written", () => {
    writeFileSync(dir, "a file");
    const { writer } = open();
    for (const event of redStory().events) writer.event(event);
    writer.log(line("x"));
    expect(writer.finish().length).toBeGreaterThan(2);
    expect(writer.result().verdict).toBe("failed");
  });

  test("leaves valid reports behind when the disk is full", () => {
    const script = join(root, "full.mjs");
    bundle(
      script,
      `
      const writer = createReportWriter({ directory: process.argv[2], directoryAsked: true }, createScrubber(), { now: Date.now, monotonic: () => performance.now() });
      const events = redStory().events;
      for (const event of events) writer.event(event);
      writer.flush();
      const big = "x".repeat(1000);
      for (let i = 0; i < 4000; i++) writer.log({ at: 0, resource: "db", phase: "ready", level: "info", source: "runtime", text: big });
      for (let i = 0; i < 500; i++) writer.event({ type: "warning", at: 0, message: big });
      const problems = writer.finish();
      console.log(JSON.stringify({ problems: problems.map((p) => p.message), exit: exitCodeAfterReports(0, problems), red: exitCodeAfterReports(1, problems) }));
    `,
    );
    const mount = join(root, "disk");
    mkdirSync(mount);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], { stdio: "pipe" });
    } catch {
      return; // only root may mount; the cases above show the same with other errors
    }
    try {
      const out = JSON.parse(
        execFileSync(process.execPath, [script, join(mount, "report")], { encoding: "utf8" }),
      ) as { problems: string[]; exit: number; red: number };
      expect(out.problems.join("\n")).toContain("ENOSPC");
      expect(out).toMatchObject({ exit: 3, red: 1 });
      const left = parseReport(readFileSync(join(mount, "report/report.json"), "utf8"), "left");
      expect(left.verdict).toBe("failed");
      expect(
        readFileSync(join(mount, "report/junit.xml"), "utf8").trimEnd().endsWith("</testsuites>"),
      ).toBe(true);
      parseEvents(readFileSync(join(mount, "report/events.ndjson"), "utf8"));
    } finally {
      execFileSync("umount", [mount]);
    }
  });

  test("leaves valid reports behind when it is killed at any moment", async () => {
    const script = join(root, "kill.mjs");
    bundle(
      script,
      `
      const clock = { now: Date.now, monotonic: () => performance.now() * 1000 };
      const writer = createReportWriter({ directory: process.argv[2], directoryAsked: true }, createScrubber(), clock);
      for (;;) for (const event of redStory().events) { writer.event(event); writer.log({ at: 0, resource: "db", phase: "ready", level: "info", source: "runtime", text: "x" }); if (event.type === "run-started") console.log("up"); }
    `,
    );
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, [script, dir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await new Promise((done) => setTimeout(done, 37 * round));
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(["failed", "cancelled"]).toContain(report().verdict);
      await parseStringPromise(read("junit.xml"));
      parseEvents(read("events.ndjson"));
      const html = existsSync(join(dir, "report.html")) ? read("report.html") : "</html>";
      expect(html.trimEnd().endsWith("</html>")).toBe(true);
    }
  }, 60_000);
});

function bundle(outfile: string, contents: string): void {
  buildSync({
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    stdin: {
      resolveDir: resolve("."),
      loader: "ts",
      contents: `
      import { createReportWriter, exitCodeAfterReports } from "./src/report/writer.ts";
      import { createScrubber } from "./src/report/scrub.ts";
      import { redStory } from "./test/unit/report/sample-run.ts";
      ${contents}`,
    },
  });
}

describe("writeAtomically()", () => {
  test("leaves the old content and no temporary file when it fails", () => {
    mkdirSync(join(root, "target"));
    expect(() => writeAtomically(join(root, "target"), "x")).toThrow();
    expect(readdirSync(root)).toEqual(["target"]);
  });
});

describe("exitCodeAfterReports()", () => {
  test("makes a passed run exit 3 only for reports that were asked for", () => {
    const problem = { path: "p", message: "m" };
    expect(exitCodeAfterReports(0, [])).toBe(0);
    expect(exitCodeAfterReports(0, [{ ...problem, asked: false }])).toBe(0);
    expect(exitCodeAfterReports(0, [{ ...problem, asked: true }])).toBe(3);
    expect(exitCodeAfterReports(1, [{ ...problem, asked: true }])).toBe(1);
    expect(exitCodeAfterReports(130, [{ ...problem, asked: true }])).toBe(130);
  });
});
