import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { annotationsOf, workflowCommand } from "../../../src/report/annotations.ts";
import { RecentLines } from "../../../src/report/console-recent.ts";
import { explain } from "../../../src/report/explain.ts";
import { finalMessage } from "../../../src/report/final-message.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { reproduceCommand, shellQuote } from "../../../src/report/reproduce.ts";
import { detailBeyond } from "../../../src/report/story.ts";
import { MAX_SUMMARY_BYTES, renderSummary } from "../../../src/report/summary.ts";
import { formatDuration, listNames, verdictLine } from "../../../src/report/wording.ts";
import { bigPage } from "./sample-page.ts";
import {
  failure,
  greenStory,
  logsOf,
  planned,
  RED_LOGS,
  RUN,
  redStory,
  Story,
} from "./sample-run.ts";

const RED = reduceResult(redStory().events, { logs: RED_LOGS });
const GREEN = reduceResult(greenStory().events);

describe("finalMessage()", () => {
  test("says which resource, phase, why, last log lines, Tiltfile line, what followed, how to reproduce", () => {
    expect(
      finalMessage(RED, { reportDirectory: "tilt-ci-report" }),
    ).toBe(`Error: db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)

Resource db failed in phase ready after 11.0s
  │ last words: data directory has wrong ownership
  at: Tiltfile:10:1
  try: Look at the container's last output
  last log lines (logs/db/ready.log):
  │ starting
  │ FATAL: data directory has wrong ownership
  failed because of it: api and worker
  never started because of it: web

Report: tilt-ci-report/report.html
Reproduce: tilt-ci ci --file Tiltfile
`);
  });

  test("keeps the indentation of log lines, as explain does", () => {
    const lines = new RecentLines();
    for (const text of ["Traceback:", '  File "a.py"', "\tkey: 1\r", "KeyError"])
      lines.add({ resource: "db", phase: "ready", text, level: "info", source: "runtime", at: 0 });
    const result = reduceResult(redStory().events, { logs: lines });
    const shown = '  │ Traceback:\n  │   File "a.py"\n  │ \tkey: 1\n  │ KeyError\n';
    expect(finalMessage(result)).toContain(shown);
    expect(explain({ result, directory: "/nowhere" })).toContain(shown);
  });

  test("tells several independent causes one after the other", () => {
    const story = new Story([planned("a"), planned("b")])
      .failed("a", "ready", 1, 2, failure("OOMKilled", "Pod/default/a: killed"))
      .failed(
        "b",
        "deploy",
        1,
        3,
        failure("ApplyRejected", "Deployment/default/b: spec.replicas: invalid"),
      )
      .verdict(3, "failed", 1)
      .finished(4, 1);
    const text = finalMessage(reduceResult(story.events));
    const first = "a: ready: Pod/default/a: killed (OOMKilled)\n";
    expect(text).toContain(`Error: ${first}\nCause 1 of 2: ${first}`);
    expect(text).toContain(
      "Cause 2 of 2: b: deploy: Deployment/default/b: spec.replicas: invalid (ApplyRejected)\n",
    );
    expect(text).not.toContain("why:");
  });

  test("says of a passed smoke test what it has shown", () => {
    const result = { ...GREEN, run: { ...GREEN.run, command: "smoke" } };
    expect(verdictLine(result)).toBe(
      "SUCCESS. Tiltfile, images and objects are in order; nothing was deployed.",
    );
  });

  test("is Tilt's line for a passed run, and the verdict's message for a cancelled one", () => {
    expect(finalMessage(GREEN)).toBe("SUCCESS. All workloads are healthy.\n");
    const cancelled = reduceResult(
      new Story([planned("a")]).verdict(1, "cancelled", 130, "context canceled").finished(2, 130)
        .events,
    );
    expect(finalMessage(cancelled)).toMatch(/^Error: context canceled\n/);
  });

  test("says why in its own line when the first one tells something else", () => {
    const story = new Story([planned("a")])
      .failed("a", "ready", 1, 2, failure("OOMKilled", "Pod/default/a: killed"))
      .verdict(3, "cancelled", 130, "Cancelled by SIGINT")
      .finished(4, 130);
    expect(finalMessage(reduceResult(story.events))).toContain(
      "Error: Cancelled by SIGINT\n\nResource a failed in phase ready after 1.0s\n  why: Pod/default/a: killed (OOMKilled)\n",
    );
  });
});

describe("the first cause", () => {
  test("reads the same in console, summary, annotation and JSON", () => {
    const line = "db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)";
    expect(RED.message).toBe(line);
    expect(finalMessage(RED).split("\n")[0]).toBe(`Error: ${line}`);
    expect(annotationsOf(RED)[0]?.title).toBe(`First cause: ${line}`);
    expect(renderSummary(RED).split("\n")[0]).toBe(
      "## ❌ db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)",
    );
  });
});

describe("the advice of a failure", () => {
  const advice = (why: ReturnType<typeof failure>) => {
    const story = new Story([planned("a")])
      .failed("a", "ready", 1, 2, why)
      .verdict(3, "failed", 1)
      .finished(4, 1);
    return /^ {2}try: (.*)$/m.exec(finalMessage(reduceResult(story.events)))?.[1];
  };

  test("is its own, else what its code suggests, else none", () => {
    expect(advice(failure("OOMKilled", "killed", { hint: "Buy memory" }))).toBe("Buy memory");
    expect(advice(failure("OOMKilled", "killed"))).toMatch(/^Raise resources\.limits\.memory/);
    expect(advice(failure("CrashLoop", "exit 1"))).toBeUndefined();
  });
});

describe("objectLabel()", () => {
  test.each([
    ["command", "Command"],
    ["serve", "Command"],
    ["push", "Image"],
    ["ready", "Object"],
  ] as const)("of a cause in phase %s is %s", (phase, label) => {
    const story = new Story([planned("a", { phases: [{ phase }] })])
      .failed("a", phase, 1, 2, failure("Infra", "no luck", { object: "thing" }))
      .verdict(3, "failed", 1)
      .finished(4, 1);
    expect(renderSummary(reduceResult(story.events))).toContain(`- ${label}: \`thing\``);
  });
});

describe("annotationsOf()", () => {
  test("puts first causes before echoes, on the Tiltfile's lines", () => {
    const annotations = annotationsOf(RED);
    expect(annotations.map(({ level, file, line }) => [level, file, line])).toEqual([
      ["error", "Tiltfile", 10],
      ["error", "Tiltfile", 20],
      ["error", "Tiltfile", 26],
    ]);
    expect(annotations[1]?.message).toContain("because of db: ready");
    expect(workflowCommand(annotations[0]!)).toBe(
      "::error file=Tiltfile,line=10,col=1,title=First cause%3A db%3A ready%3A Deployment/default/db%3A exit 1%2C 4 restarts (CrashLoop)::Deployment/default/db: exit 1, 4 restarts (CrashLoop)%0Alast words: data directory has wrong ownership%0Atry: Look at the container's last output%0Alast log lines:%0Astarting%0AFATAL: data directory has wrong ownership%0Afailed because of it: api and worker%0Anever started: web",
    );
  });

  test("warns of flaky phases", () => {
    expect(annotationsOf(GREEN)).toEqual([
      expect.objectContaining({
        level: "warning",
        title: "api: build example/api was flaky",
        message: "passed at attempt 2: example/api: connection reset by registry",
      }),
    ]);
  });

  test("keeps to ten of a level, and to files of the repository", () => {
    const names = Array.from({ length: 30 }, (_, i) => `r${i}`);
    const story = new Story(
      names.map((name) =>
        planned(name, { position: { file: "/ext/Tiltfile", line: 9, column: 1 } }),
      ),
    );
    for (const [i, name] of names.entries())
      story
        .failed(name, "ready", 1, 2 + i, failure("CrashLoop", `${name}: exit 1`))
        .add({ type: "warning", at: 1, message: name });
    const annotations = annotationsOf(reduceResult(story.events));
    expect(annotations.filter((a) => a.level === "error")).toHaveLength(10);
    expect(annotations.filter((a) => a.level === "warning")).toHaveLength(10);
    expect(annotations[0]).toMatchObject({ file: "Tiltfile" });
    expect(annotations[0]?.line).toBeUndefined();
  });
});

describe("renderSummary()", () => {
  test("tells verdict, cause, reproduction, resources, timeline and failed resources in this order", () => {
    const text = renderSummary(RED);
    const parts = [
      "## ❌ db: ready",
      "### First cause: db",
      "FATAL: data directory has wrong ownership",
      "### Reproduce",
      "tilt-ci ci --file Tiltfile",
      "### Resources",
      "| db | failed |",
      "| api | failed (echo) |",
      "| web | skipped |  | blocked by api: ready |".replace("|  |", "|"),
      "### Timeline",
      "```mermaid\ngantt",
      "section (cluster)".replaceAll("\\", ""),
      "#### api: ready",
      "#### worker: ready",
      "### Phases",
    ];
    let at = -1;
    for (const part of parts.filter((p) => !p.startsWith("| web"))) {
      const next = text.indexOf(part, at + 1);
      expect(next, part).toBeGreaterThan(at);
      at = next;
    }
    expect(text).toMatch(/\| web \| skipped \| [\d.]+s \| blocked by api: ready \|/);
    expect(text).toContain("create (12.0s) :active, 0, 12000");
    expect(text).toContain("ready (11.0s) :crit, 13000, 24000");
  });

  test("is short for a passed run", () => {
    const text = renderSummary(GREEN);
    expect(text).toContain("## ✅ SUCCESS. All workloads are healthy.");
    expect(text).toContain("### Flaky");
    expect(text).not.toContain("Reproduce");
    expect(text.length).toBeLessThan(4000);
  });

  test("stays below the limit, keeping what tells most", () => {
    const names = Array.from({ length: 500 }, (_, i) => `r${i}`);
    const story = new Story(names.map((name) => planned(name)));
    for (const [i, name] of names.entries())
      story.failed(
        name,
        "ready",
        1,
        2 + i,
        failure("CrashLoop", `${name}: ${"ü".repeat(500)}`, { detail: "x".repeat(50_000) }),
      );
    const logs = logsOf(
      names.map(
        (resource) =>
          [
            { resource, phase: "ready" as const },
            Array.from({ length: 100 }, () => "ä".repeat(1500)),
          ] as const,
      ),
    );
    const result = reduceResult(story.events, { logs });
    expect(Buffer.byteLength(renderSummary(result))).toBeLessThan(MAX_SUMMARY_BYTES);
    const small = renderSummary(result, { maxBytes: 70_000 });
    expect(Buffer.byteLength(small)).toBeLessThanOrEqual(70_000);
    expect(small).toContain("### First cause: r0");
    expect(small).toContain("_Cut here: the rest is in the report._");
    expect(Buffer.byteLength(renderSummary(bigPage().result))).toBeLessThan(200_000);
  });
});

describe("wording", () => {
  test("formatDuration(), listNames(), shellQuote()", () => {
    expect([0, 420, 12_345, 59_949, 59_960, 125_000, 3_720_000].map(formatDuration)).toEqual([
      "0.0s",
      "0.4s",
      "12.3s",
      "59.9s",
      "1m00s",
      "2m05s",
      "1h02m",
    ]);
    expect(listNames(["a"])).toBe("a");
    expect(listNames(["a", "b", "c"])).toBe("a, b and c");
    expect(listNames(["a", "b", "c", "d"], 3)).toBe("a, b and 2 more");
    expect(["a", "a b", "it's", "$(x)", "--f=x"].map(shellQuote)).toEqual([
      "a",
      "'a b'",
      "'it'\\''s'",
      "'$(x)'",
      "--f=x",
    ]);
  });

  test("reproduceCommand() repeats the command once, quoted", () => {
    const run = { ...RUN, argv: ["--file", "My Tiltfile", "--", "--env=x y"] };
    expect(reproduceCommand(reduceResult(new Story([], run).events))).toBe(
      "tilt-ci ci --file 'My Tiltfile' -- '--env=x y'",
    );
  });

  test("leaves out what does not change what comes of it", () => {
    const argv = [
      ...["ci", "--report-dir", "out", "--junit=j.xml", "-q", "--keep", "api"],
      ...["--events", "-", "--reuse", "x", "--", "--quiet", "--json", "y"],
    ];
    const run = { ...RUN, argv };
    expect(reproduceCommand(reduceResult(new Story([], run).events))).toBe(
      "tilt-ci ci api --reuse x -- --quiet --json y",
    );
  });
});

describe("reproduceCommand() of a run of CI", () => {
  test.each([
    [["ci"], "/repo/examples/hello/Tiltfile", "cd examples/hello && tilt-ci ci"],
    [["ci"], "/repo/my stack/Tiltfile", "cd 'my stack' && tilt-ci ci"],
    [["ci"], "/repo/Tiltfile", "tilt-ci ci"],
    [
      ["ci", "--file=deploy/Tiltfile"],
      "/repo/deploy/Tiltfile",
      "tilt-ci ci --file=deploy/Tiltfile",
    ],
    [["ci", "-f", "ci.star"], "/repo/a/b/ci.star", "cd a/b && tilt-ci ci -f ci.star"],
    [["ci", "--", "-f", "x"], "/repo/a/Tiltfile", "cd a && tilt-ci ci -- -f x"],
    [["ci", "--working-directory", "a"], "/repo/a/Tiltfile", "tilt-ci ci --working-directory a"],
  ])("%o of %s begins at the top of the repository", (argv, tiltfile, expected) => {
    const run = { ...RUN, argv, tiltfile, directory: dirname(tiltfile), ci: "github" };
    expect(reproduceCommand(reduceResult(new Story([], run).events))).toBe(expected);
  });

  test("needs no folder where it was started by hand", () => {
    const run = { ...RUN, argv: ["ci"], tiltfile: "/repo/a/Tiltfile", directory: "/repo/a" };
    expect(reproduceCommand(reduceResult(new Story([], run).events))).toBe("tilt-ci ci");
  });
});

describe("detailBeyond()", () => {
  test("drops a detail that the last log lines say as well", () => {
    expect(detailBeyond("a\n\x1b[31mb\x1b[0m\n", ["x", "a", "b"])).toBeUndefined();
    expect(detailBeyond("a\nc", ["a", "b"])).toBe("a\nc");
    expect(detailBeyond(undefined, ["a"])).toBeUndefined();
  });
});
