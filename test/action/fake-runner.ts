import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import type { RunResult } from "../../src/model/run-result.ts";

const ROOT = resolve(import.meta.dirname, "../..");

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post: string };
}

export const action = load(readFileSync(join(ROOT, "action.yml"), "utf8")) as ActionFile;

/** What the runner gives every job to speak to GitHub with. */
export const GITHUB_TOKEN = "ghs_theJobsOwnToken";

/** What one phase of the Action left behind, read as GitHub's runner reads it. */
export interface Phase {
  /** -1 when it was killed. */
  readonly exit: number;
  /** As the runner shows it: masked. */
  readonly log: string;
  readonly rawLog: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly addedPaths: readonly string[];
  readonly summary: string;
  readonly annotations: readonly string[];
  readonly masks: readonly string[];
  /** Groups that were opened and, at the end, still open. */
  readonly groups: { readonly opened: number; readonly open: number };
  /** Words of stop-commands that were never said again. */
  readonly unresumed: readonly string[];
  /** From the cancel to the verdict in events.ndjson and report.json; undefined when there was none. */
  readonly verdictAfterMs: number | undefined;
  readonly durationMs: number;
}

export interface RunnerOptions {
  readonly workspace: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How main is ended: `cancel` as a cancelled job is (SIGINT, SIGTERM, SIGKILL), `kill` as by the OOM killer. */
  readonly end?: { readonly how: "cancel" | "kill"; readonly when: Moment };
}

/** A phase that has begun, as events.ndjson tells it (`build`), or a file that a command makes (`file:NAME`). */
export type Moment = string;

/**
 * Runs the bundle as GitHub does (cluster.md §7): main and post in processes of their own, a clean environment, the
 * runner's files, inputs with action.yml's defaults.
 */
export class FakeRunner implements Disposable {
  readonly #options: RunnerOptions;
  readonly home = mkdtempSync(join(tmpdir(), "tci-runner-"));

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Where the reports of main are. */
  get reports(): string {
    const { workspace, with: inputs = {} } = this.#options;
    return resolve(workspace, inputs["working-directory"] ?? ".", "tilt-ci-report");
  }

  report(): RunResult {
    return JSON.parse(readFileSync(join(this.reports, "report.json"), "utf8")) as RunResult;
  }

  main(): Promise<Phase> {
    return this.#phase("main", action.runs.main, { jobStatus: "success", state: {} });
  }

  /** `main` is what main left: its state comes back as STATE_ variables. */
  post(main: Phase, jobStatus: "success" | "failure" | "cancelled" = "success"): Promise<Phase> {
    const state = Object.fromEntries(
      Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]),
    );
    return this.#phase("post", action.runs.post, { jobStatus, state });
  }

  async #phase(
    name: "main" | "post",
    file: string,
    { jobStatus, state }: { jobStatus: string; state: Readonly<Record<string, string>> },
  ): Promise<Phase> {
    const directory = join(this.home, name);
    mkdirSync(directory);
    const files = Object.fromEntries(
      ["OUTPUT", "STATE", "ENV", "PATH", "STEP_SUMMARY"].map((kind) => [
        `GITHUB_${kind}`,
        join(directory, kind),
      ]),
    );
    for (const path of Object.values(files)) writeFileSync(path, "");
    const ran = await this.#spawn(
      join(ROOT, file),
      { ...this.#environment(jobStatus), ...files, ...state },
      name === "main" ? this.#options.end : undefined,
    );
    const text = (kind: string) => readFileSync(files[`GITHUB_${kind}`]!, "utf8");
    const read = (kind: string) => parseRunnerFile(text(kind));
    return {
      ...ran,
      ...hear(ran.rawLog),
      outputs: read("OUTPUT"),
      state: read("STATE"),
      env: read("ENV"),
      addedPaths: text("PATH").split("\n").filter(Boolean),
      summary: text("STEP_SUMMARY"),
    };
  }

  #environment(jobStatus: string): Record<string, string> {
    const { workspace, path, env } = this.#options;
    const inputs = Object.entries(action.inputs).map(([name, { default: value = "" }]) => [
      `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
      this.#options.with?.[name] ??
        value.replace("${{ job.status }}", jobStatus).replace("${{ github.token }}", GITHUB_TOKEN),
    ]);
    return {
      PATH: path,
      HOME: this.home,
      CI: "true",
      GITHUB_ACTIONS: "true",
      GITHUB_WORKSPACE: workspace,
      GITHUB_REPOSITORY: "owner/repo",
      GITHUB_SHA: "0".repeat(40),
      GITHUB_REF: "refs/heads/main",
      GITHUB_RUN_ID: "1",
      GITHUB_JOB: "stack",
      RUNNER_OS: "Linux",
      RUNNER_ARCH: "X64",
      RUNNER_TEMP: this.home,
      RUNNER_TOOL_CACHE: join(this.home, "tool-cache"),
      ...Object.fromEntries(inputs),
      ...env,
    };
  }

  async #spawn(
    file: string,
    env: Readonly<Record<string, string>>,
    end: RunnerOptions["end"],
  ): Promise<Pick<Phase, "exit" | "rawLog" | "verdictAfterMs" | "durationMs">> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [file], {
      cwd: this.#options.workspace,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let rawLog = "";
    const take = (chunk: string) => {
      rawLog += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    const ended = new Promise<number>((done) => child.on("close", (code) => done(code ?? -1)));
    const verdict = end && this.#endAt(child, end, () => rawLog);
    const exit = await ended;
    const verdictAfterMs = await verdict;
    return { exit, rawLog, verdictAfterMs, durationMs: performance.now() - startedAt };
  }

  /** Ends the process at its moment. Resolves to the time until the verdict was on disk. */
  async #endAt(
    child: ChildProcess,
    { how, when }: NonNullable<RunnerOptions["end"]>,
    log: () => string,
  ): Promise<number | undefined> {
    const running = () => child.exitCode === null && child.signalCode === null;
    const file = /^file:(.*)$/.exec(when)?.[1];
    const isReached = () =>
      file === undefined
        ? this.#events()
            .split("\n")
            .some((line) => line.includes(`"phase-started"`) && line.includes(`"phase":"${when}"`))
        : existsSync(join(this.reports, "..", file));
    while (running() && !isReached()) await sleep(20);
    if (!running()) throw new Error(`The Action ended before ${when}:\n${log()}`);
    if (how === "kill") {
      child.kill("SIGKILL");
      return undefined;
    }
    const cancelledAt = performance.now();
    child.kill("SIGINT");
    const timers = [
      setTimeout(() => child.kill("SIGTERM"), 7500),
      setTimeout(() => child.kill("SIGKILL"), 10_000),
    ];
    child.on("close", () => timers.forEach(clearTimeout));
    const isTold = () =>
      this.#events().includes('"type":"verdict"') &&
      this.report().message !== "it was still running";
    while (running() && !isTold()) await sleep(10);
    return isTold() ? performance.now() - cancelledAt : undefined;
  }

  #events(): string {
    const path = join(this.reports, "events.ndjson");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** What the runner hears in a step's output: commands, except between stop-commands and its word. */
function hear(
  rawLog: string,
): Pick<Phase, "log" | "annotations" | "masks" | "groups" | "unresumed"> {
  const annotations: string[] = [];
  const masks: string[] = [];
  const groups = { opened: 0, open: 0 };
  let stopped: string | undefined;
  for (const line of rawLog.split("\n").map((text) => text.trimStart())) {
    if (stopped !== undefined) {
      if (line.trimEnd() === `::${stopped}::`) stopped = undefined;
      continue;
    }
    const [, command = "", data = ""] = /^::([a-z-]+)(?: [^:]*)?::(.*)$/.exec(line) ?? [];
    if (command === "stop-commands") stopped = data.trim();
    if (["error", "warning", "notice"].includes(command)) annotations.push(line);
    if (command === "add-mask") masks.push(unescapeData(data.trim()));
    if (command === "group") {
      groups.opened++;
      groups.open = 1; // the runner closes one group at the next
    }
    if (command === "endgroup") groups.open = 0;
  }
  const shown = rawLog.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  const log = masks.reduce((text, mask) => text.replaceAll(mask, "***"), shown.join("\n"));
  return { log, annotations, masks, groups, unresumed: stopped === undefined ? [] : [stopped] };
}

function unescapeData(data: string): string {
  return data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

/** `name<<delimiter` blocks and `name=value` lines; the last value of a name counts. */
function parseRunnerFile(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const block = /^(.+?)<<(.+)$/.exec(lines[index]!);
    const pair = /^([^=]+)=(.*)$/.exec(lines[index]!);
    if (block) {
      const end = lines.indexOf(block[2]!, index + 1);
      values[block[1]!] = lines.slice(index + 1, end).join("\n");
      index = end;
    } else if (pair) values[pair[1]!] = pair[2]!;
  }
  return values;
}
