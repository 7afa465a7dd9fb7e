import { PassThrough, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test, vi } from "vitest";
import type { LogLine, RunEvent } from "../../../src/model/event.ts";
import { type ConsoleOptions, createConsole, linePrefix } from "../../../src/report/console.ts";
import type { ConsoleStream } from "../../../src/report/console-sink.ts";
import { at, failure, greenStory, planned, RUN, redStory, Story } from "./sample-run.ts";

class Capture extends Writable {
  text = "";
  columns?: number;
  rows?: number;
  writes = 0;
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.text += chunk.toString();
    this.writes++;
    done();
  }
}

function open(options: Partial<ConsoleOptions> & { columns?: number; rows?: number } = {}) {
  const stdout = new Capture();
  const stderr = new Capture();
  if (options.columns !== undefined) {
    stdout.columns = options.columns;
    stdout.rows = options.rows ?? 24;
  }
  const console = createConsole({
    stdout,
    stderr,
    isTty: false,
    color: false,
    now: () => at(20),
    fence: () => "WORD",
    ...options,
  });
  return { console, stdout, stderr };
}
const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
  at: at(5),
  resource: "api",
  phase: "ready",
  level: "info",
  source: "runtime",
  text,
  ...more,
});
const tell = (console: { event(e: RunEvent): void }, story: Story) => {
  for (const event of story.events) console.event(event);
};

/** A resource that is built, deployed and ready. */
const update = () =>
  new Story([planned("api", { images: ["example/api"] })])
    .passed("api", "build", 1, 9.5, { subject: "example/api" })
    .passed("api", "deploy", 11, 12)
    .passed("api", "ready", 12, 15.25)
    .verdict(15, "passed", 0)
    .finished(16, 0);

describe("createConsole()", () => {
  test("prints Tilt's line shape for a passed run", async () => {
    const { console, stdout, stderr } = open();
    const story = new Story([planned("api", { images: ["example/api"] })])
      .passed("(cluster)", "create", 0, 11)
      .passed("api", "build", 1, 9.5, { subject: "example/api" })
      .passed("api", "push", 9.5, 11, { subject: "example/api" })
      .passed("api", "deploy", 11, 12)
      .passed("api", "ready", 12, 15.25)
      .verdict(15, "passed", 0)
      .finished(16, 0);
    for (const event of story.events) {
      console.event(event);
      if (event.type === "phase-started" && event.phase === "build")
        console.line(line("#1 load", { phase: "build", subject: "example/api", source: "build" }));
      if (event.type === "phase-started" && event.phase === "ready") {
        console.line(line("listening"));
        console.line(line("careful", { level: "warn", resource: "a-very-long-resource-name" }));
        console.line(line("from the Tiltfile", { resource: "(Tiltfile)", phase: "evaluate" }));
      }
    }
    await console.close();
    expect(stderr.text).toBe("");
    expect(stdout.text).toBe(`tilt-ci 0.1.0, run run-1: timeout 30m00s, readiness timeout 5m00s
evaluate passed after 1.0s
    (cluster) │ create passed after 11.0s
          api │ 
          api │ Initial Build
          api │ STEP 1/3 — Building image: [example/api]
          api │      #1 load
          api │ STEP 2/3 — Pushing example/api
          api │ STEP 3/3 — Deploying
          api │      Step 1 - 8.50s (Building image: [example/api])
          api │      Step 2 - 1.50s (Pushing example/api)
          api │      Step 3 - 1.00s (Deploying)
          api │      DONE IN: 11.00s
          api │ 
          api │ listening
a-very-long-… │ WARNING: careful
from the Tiltfile
          api │ ready passed after 3.3s
SUCCESS. All workloads are healthy.
`);
  });

  test("tells what commands run, and calls no command done that was cancelled", async () => {
    const { console, stdout } = open();
    const story = new Story([
      planned("e2e", { type: "local", phases: [{ phase: "command", title: "make e2e" }] }),
      planned("docs", { type: "local", phases: [{ phase: "serve", title: "hugo serve" }] }),
    ])
      .started("docs", "serve", 1)
      .started("e2e", "command", 1)
      .add({
        type: "phase-finished",
        at: at(5),
        resource: "e2e",
        phase: "command",
        attempt: 1,
        status: "cancelled",
      });
    tell(console, story);
    await console.close();
    expect(stdout.text).toContain("         docs │ Running cmd: hugo serve\n");
    expect(stdout.text).toContain(
      "          e2e │ Initial Build\n          e2e │ Running cmd: make e2e\n          e2e │ command cancelled after 4.0s\n",
    );
    expect(stdout.text).not.toContain("DONE IN");
  });

  test("linePrefix() aligns to 13 characters and cuts longer names to 12", () => {
    expect([linePrefix("api"), linePrefix("exactly-13-ch"), linePrefix("fourteen-chars")]).toEqual([
      "          api │ ",
      "exactly-13-ch │ ",
      "fourteen-cha… │ ",
    ]);
  });

  test("ends a red run on standard error with the first cause and its last lines", async () => {
    const { console, stdout, stderr } = open({ reportDirectory: "tilt-ci-report" });
    console.event(redStory().events[0]!);
    console.line(line("\x1b[31mFATAL\x1b[0m wrong owner", { resource: "db" }));
    console.line(line('could not translate host name "db" to address', { resource: "worker" }));
    tell(console, redStory());
    await console.close();
    expect(stdout.text).toContain(
      "           db │ ERROR: Deployment/default/db: exit 1, 4 restarts (CrashLoop)\n          api │ ERROR",
    );
    expect(stdout.text).not.toContain("SUCCESS");
    expect(stderr.text).toContain(
      "Error: db: ready: Deployment/default/db: exit 1, 4 restarts (CrashLoop)\n",
    );
    expect(stderr.text).toContain("  │ FATAL wrong owner\n");
    expect(stderr.text).toContain("  failed because of it: api and worker\n");
    expect(stderr.text).toContain("Report: tilt-ci-report/report.html\n");
  });

  test("shows a failure's detail where its phase has shown nothing", async () => {
    const { console, stdout } = open();
    tell(console, redStory());
    await console.close();
    expect(stdout.text).toContain(
      "restarts (CrashLoop)\n           db │ last words: data directory",
    );
  });

  test.each<[string, Partial<ConsoleOptions>, string[]]>([
    ["--log-level warn", { logLevel: "warn" }, ["w", "Initial Build"]],
    ["--log-source build", { logSource: "build" }, ["b", "Initial Build"]],
    ["--log-source runtime", { logSource: "runtime" }, ["i", "w", "e", "o", "Initial Build"]],
    ["--quiet", { quiet: true }, []],
    ["--log-resource twice", { logResources: ["api", "x"] }, ["i", "w", "e", "b", "Initial Build"]],
  ])("filters lines as tilt ci does: %s", async (_, options, shown) => {
    const { console, stdout } = open(options);
    console.event({
      type: "phase-started",
      at: at(1),
      resource: "api",
      phase: "deploy",
      attempt: 1,
    });
    console.line(line("<i>"));
    console.line(line("<w>", { level: "warn" }));
    console.line(line("<e>", { level: "error" }));
    console.line(line("<b>", { source: "build" }));
    console.line(line("<o>", { resource: "other" }));
    await console.close();
    const seen = ["i", "w", "e", "b", "o"].filter((l) => stdout.text.includes(`<${l}>`));
    if (stdout.text.includes("Initial Build")) seen.push("Initial Build");
    expect(seen.sort()).toEqual([...shown].sort());
  });

  test("drops the prefix when exactly one resource is shown", async () => {
    const { console, stdout } = open({ logResources: ["api"] });
    console.line(line("bare"));
    await console.close();
    expect(stdout.text).toBe("bare\n");
  });

  test("prints only phases and failures with --quiet", async () => {
    const { console, stdout } = open({ quiet: true });
    console.line(line("noise"));
    tell(console, redStory());
    await console.close();
    expect(stdout.text).toContain("ERROR: Deployment/default/db");
    expect(stdout.text).toContain("cache │ ready passed");
    expect(stdout.text).not.toContain("noise");
  });

  test("says each phase in one line with --quiet", async () => {
    const { console, stdout } = open({ quiet: true });
    tell(console, update());
    await console.close();
    expect(stdout.text.split("\n")).toEqual([
      "evaluate passed after 1.0s",
      "          api │ build example/api passed after 8.5s",
      "          api │ deploy passed after 1.0s",
      "          api │ ready passed after 3.3s",
      "SUCCESS. All workloads are healthy.",
      "",
    ]);
  });

  test("keeps colours only where wanted, and never what moves the cursor", async () => {
    const nasty = "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07 50%\r100%";
    const plain = open();
    plain.console.line(line(nasty));
    await plain.console.close();
    expect(plain.stdout.text).toBe("          api │ red  50%\n          api │ 100%\n");
    const coloured = open({ color: true });
    coloured.console.line(line(nasty));
    await coloured.console.close();
    expect(coloured.stdout.text).toBe(
      "          api │ \x1b[31mred\x1b[0m  50%\n          api │ 100%\n",
    );
  });

  test("says what a silent run waits for, without a terminal", async () => {
    vi.useFakeTimers();
    try {
      let now = at(0);
      const { console, stdout } = open({ now: () => now });
      const story = new Story([planned("db")])
        .passed("db", "deploy", 1, 2)
        .started("db", "ready", 2);
      tell(console, story.observed("db", 3, { summary: "0 of 1 ready: ContainerCreating" }));
      stdout.text = "";
      now = at(29);
      vi.advanceTimersByTime(200);
      expect(stdout.text).toBe("");
      now = at(40);
      vi.advanceTimersByTime(200);
      expect(stdout.text).toBe("waiting: db  ready   38.0s  0 of 1 ready: ContainerCreating\n");
      await console.close();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("createConsole() in CI systems", () => {
  const story = () =>
    new Story([planned("db")]).passed("db", "deploy", 1, 2).started("db", "ready", 2);
  const done: RunEvent = {
    type: "phase-finished",
    at: at(5),
    resource: "db",
    phase: "ready",
    attempt: 1,
    status: "passed",
  };

  test("folds each phase into a GitHub group and fences foreign commands off", async () => {
    const { console, stdout } = open({ ci: "github" });
    tell(console, story());
    console.line(line("::error::forged", { resource: "db" }));
    console.line(line("ok\r::set-output name=x::y", { resource: "db" }));
    stdout.text = "";
    console.event(done);
    expect(stdout.text).toContain(`::group::db: ready passed after 3.0s
::stop-commands::WORD
           db │ ::error::forged
           db │ ok
           db │ ::set-output name=x::y
::WORD::
::endgroup::
`);
    stdout.text = "";
    console.event({ type: "notice", at: at(6), message: "::add-mask::x" });
    expect(stdout.text).toBe("::stop-commands::WORD\n::add-mask::x\n::WORD::\n");
    await console.close();
  });

  test("says once that a phase has ended: by its group, or in a line when it has shown nothing", async () => {
    const { console, stdout } = open({ ci: "github" });
    for (const event of update().events) {
      console.event(event);
      if (event.type === "phase-started" && event.phase === "build")
        console.line(line("#1 load", { phase: "build", subject: "example/api", source: "build" }));
    }
    await console.close();
    expect(stdout.text.split("\n").slice(1)).toEqual([
      "evaluate passed after 1.0s",
      "          api │ Initial Build",
      "          api │ STEP 1/3 — Building image: [example/api]",
      "::group::api: build example/api passed after 8.5s",
      "          api │      #1 load",
      "::endgroup::",
      "          api │ STEP 2/3 — Deploying",
      "          api │ deploy passed after 1.0s",
      "          api │ ready passed after 3.3s",
      "SUCCESS. All workloads are healthy.",
      "",
    ]);
  });

  test("tells GitLab when a section began and when it ended", async () => {
    const { console, stdout } = open({ ci: "gitlab" });
    tell(console, story());
    console.line(line("first", { resource: "db", at: at(2) }));
    console.line(line("last", { resource: "db", at: at(4) }));
    console.event(done);
    await console.close();
    const times = [...stdout.text.matchAll(/section_(?:start|end):(\d+):/g)].map(([, s]) =>
      Number(s),
    );
    expect(times).toEqual([at(2) / 1000, at(5) / 1000]);
  });

  test("fences the last message too", async () => {
    const { console, stderr } = open({ ci: "github" });
    tell(
      console,
      new Story([planned("db")])
        .failed("db", "ready", 1, 2, failure("CrashLoop", "##[add-mask]x"))
        .verdict(3, "failed", 1)
        .finished(4, 1),
    );
    await console.close();
    expect(
      stderr.text.startsWith(
        "::stop-commands::WORD\nError: db: ready: ##[add-mask]x (CrashLoop)\n",
      ),
    ).toBe(true);
    expect(stderr.text.endsWith("\n::WORD::\n")).toBe(true);
  });

  test("folds into GitLab sections that output cannot forge", async () => {
    const { console, stdout } = open({ ci: "gitlab", color: true });
    tell(console, story());
    console.line(line("\x1b[0Ksection_start:1:x\r\x1b[0Kforged", { resource: "db" }));
    stdout.text = "";
    console.event(done);
    await console.close();
    expect(stdout.text).toMatch(
      /\x1b\[0Ksection_start:\d+:phase_1\[collapsed=true\]\r\x1b\[0Kdb: ready passed after 3\.0s\n/,
    );
    expect(stdout.text).toMatch(/\x1b\[0Ksection_end:\d+:phase_1\r\x1b\[0K\n/);
    expect(stdout.text.split("\x1b[0K")).toHaveLength(5);
  });

  test("keeps the end of a long phase and prints what is left at the end of the run", async () => {
    const { console, stdout } = open({ ci: "buildkite" });
    for (let i = 0; i < 5000; i++) console.line(line(`line ${i}`));
    await console.close();
    expect(stdout.text).toContain("--- api: ready until the end\n… ");
    expect(stdout.text).toContain("line 4999\n");
    expect(stdout.text).not.toContain("line 10\n");
  });
});

/** A terminal, small but true to what matters: cursor up, erase down, wrapping, line feeds. */
class Screen {
  rows: string[] = [""];
  row = 0;
  readonly columns: number;
  constructor(columns: number) {
    this.columns = columns;
  }
  write(text: string): void {
    for (const token of text.match(/\x1b\[[?\d;]*[A-Za-z]|[\s\S]/g) ?? []) {
      const up = /^\x1b\[(\d+)A$/.exec(token);
      if (up) this.row = Math.max(0, this.row - Number(up[1]));
      else if (token === "\x1b[0J") this.rows = [...this.rows.slice(0, this.row), ""];
      else if (token === "\n") {
        this.row++;
        this.rows[this.row] ??= "";
      } else if (token.startsWith("\x1b") || token === "\r") continue;
      else if ((this.rows[this.row] ?? "").length >= this.columns) {
        this.row++;
        this.rows[this.row] = token;
      } else this.rows[this.row] += token;
    }
  }
}

describe("createConsole() on a terminal", () => {
  test("keeps a footer below the lines: resource, phase, elapsed, what it waits for", async () => {
    const { console, stdout } = open({ isTty: true, columns: 80, rows: 24, now: () => at(20) });
    tell(
      console,
      new Story([planned("db"), planned("api", { resourceDeps: ["db"] })])
        .passed("db", "deploy", 1, 2)
        .started("db", "ready", 2)
        .observed("db", 3, { summary: "0 of 1 ready" })
        .add({
          type: "holding",
          at: at(3),
          resource: "api",
          phase: "deploy",
          reason: "waiting for db",
        }),
    );
    for (let i = 0; i < 50; i++) console.line(line(`line ${i}`));
    const screen = new Screen(80);
    screen.write(stdout.text);
    expect(screen.rows.filter((row) => row.startsWith("──"))).toEqual(["── 20.0s 0 of 2 ready"]);
    expect(screen.rows.slice(-4)).toEqual([
      "── 20.0s 0 of 2 ready",
      "db   ready    18.0s  0 of 1 ready",
      "api  deploy   17.0s  waiting for db",
      "",
    ]);
    expect(screen.rows.filter((row) => row.includes("│ line"))).toHaveLength(50);
    await console.close();
    const after = new Screen(80);
    after.write(stdout.text);
    expect(after.rows.join("\n")).not.toContain("──");
    expect(after.rows.at(-2)).toBe("          api │ line 49");
  });

  test("counts what is ready, and shows servers that are not", async () => {
    const { console, stdout } = open({ isTty: true, columns: 80, rows: 24, now: () => at(20) });
    const serve = [{ phase: "serve" }] as const;
    tell(
      console,
      new Story([
        planned("off", { phases: [], enabled: false }),
        planned("manual", { autoInit: false, skipReason: "auto_init=False" }),
        planned("done", { phases: [{ phase: "command" }] }),
        planned("up", { phases: serve }),
        planned("dev", { phases: serve }),
      ])
        .passed("done", "command", 1, 2)
        .passed("up", "serve", 1, 2)
        .started("dev", "serve", 2)
        .observed("dev", 3, { summary: "readiness probe fails" }),
    );
    console.line(line("draws it"));
    const screen = new Screen(80);
    screen.write(stdout.text);
    expect(screen.rows.slice(-3)).toEqual([
      "── 20.0s 2 of 3 ready",
      "dev  serve   18.0s  readiness probe fails",
      "",
    ]);
    await console.close();
  });

  test("leaves no remains when the terminal becomes narrower", async () => {
    const { console, stdout } = open({ isTty: true, columns: 120, rows: 24 });
    tell(
      console,
      new Story([planned("a-resource-with-a-name")])
        .started("a-resource-with-a-name", "ready", 2)
        .observed("a-resource-with-a-name", 3, {
          summary: "0 of 1 ready: ContainerCreating, and some more words that fill the line",
        }),
    );
    console.line(line("x"));
    const before = stripVTControlCharacters(stdout.text).split("\n").slice(-3, -1);
    stdout.text = "";
    stdout.columns = 40;
    stdout.emit("resize");
    const rows = before.reduce((sum, text) => sum + Math.ceil([...text].length / 40), 0);
    expect(rows).toBeGreaterThan(2);
    expect(stdout.text).toContain(`\x1b[${rows}A\r\x1b[0J`);
    for (const text of stripVTControlCharacters(stdout.text).split("\n"))
      expect([...text.replace("\r", "")].length).toBeLessThan(40);
    await console.close();
  });

  test("draws nothing when nothing has changed", async () => {
    vi.useFakeTimers();
    try {
      const { console, stdout } = open({ isTty: true, columns: 80 });
      tell(console, greenStory());
      const writes = stdout.writes;
      vi.advanceTimersByTime(2000);
      expect(stdout.writes).toBe(writes);
      await console.close();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("createConsole() with readers that misbehave", () => {
  test("falls silent when the pipe is closed", async () => {
    const stdout = new PassThrough();
    const { console, stderr } = open({ stdout: stdout as unknown as ConsoleStream });
    stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await new Promise(setImmediate);
    for (let i = 0; i < 100; i++) console.line(line("x"));
    tell(console, redStory());
    await console.close();
    expect(stderr.text).toContain("Error: db: ready");
  });

  test("does not grow for a reader that is slow, says what it left out, and ends with the verdict", async () => {
    const waiting: (() => void)[] = [];
    let seen = "";
    const slow = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _e, done) {
        seen += chunk.toString();
        waiting.push(done);
      },
    });
    const { console } = open({ stdout: slow as ConsoleStream });
    const text = "y".repeat(10_000);
    for (let i = 0; i < 700; i++) console.line(line(`${i} ${text}`));
    expect(slow.writableLength).toBeLessThan(30_000);
    console.event({ type: "run-started", at: at(0), run: RUN });
    const pump = setInterval(() => {
      for (const done of waiting.splice(0)) done();
    }, 0);
    await console.close();
    clearInterval(pump);
    expect(seen.length).toBeLessThan(6e6);
    expect(seen.includes("0 yyy")).toBe(true);
    expect(/… \d+ lines left out here/.test(seen)).toBe(true);
  });
});
