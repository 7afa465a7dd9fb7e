import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { load } from "js-yaml";

const ROOT = resolve(import.meta.dirname, "../..");

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post: string };
}

export const action = load(readFileSync(join(ROOT, "action.yml"), "utf8")) as ActionFile;

/** What one phase of the Action left behind, read as GitHub's runner reads it. */
export interface Phase {
  readonly exit: number;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly annotations: readonly string[];
}

export interface RunnerOptions {
  readonly workspace: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends SIGINT after this time, as a cancelled job does; SIGTERM and SIGKILL follow as on GitHub. */
  readonly cancelAfterMs?: number;
}

/**
 * Runs the committed bundle as GitHub does (cluster.md §7): main and post in processes of their own, a clean
 * environment, the runner's files, inputs with action.yml's defaults.
 */
export class FakeRunner {
  readonly #options: RunnerOptions;
  readonly #home = mkdtempSync(join(tmpdir(), "tci-runner-"));

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  main(): Promise<Phase> {
    return this.#phase("main", action.runs.main, {});
  }

  /** `main` is what main left: its state comes back as STATE_ variables. */
  post(main: Phase): Promise<Phase> {
    const state = Object.fromEntries(
      Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]),
    );
    return this.#phase("post", action.runs.post, state);
  }

  async #phase(
    name: string,
    file: string,
    state: Readonly<Record<string, string>>,
  ): Promise<Phase> {
    const directory = join(this.#home, name);
    mkdirSync(directory);
    const files = Object.fromEntries(
      ["OUTPUT", "STATE", "ENV", "PATH", "STEP_SUMMARY"].map((kind) => [
        `GITHUB_${kind}`,
        join(directory, kind),
      ]),
    );
    for (const path of Object.values(files)) writeFileSync(path, "");
    const { exit, log } = await this.#spawn(join(ROOT, file), {
      ...this.#environment(),
      ...files,
      ...state,
    });
    const read = (kind: string) => parseRunnerFile(readFileSync(files[`GITHUB_${kind}`]!, "utf8"));
    return {
      exit,
      log,
      outputs: read("OUTPUT"),
      state: read("STATE"),
      env: read("ENV"),
      summary: readFileSync(files.GITHUB_STEP_SUMMARY!, "utf8"),
      annotations: log.split("\n").filter((line) => /^::(error|warning|notice) /.test(line)),
    };
  }

  #environment(): Record<string, string> {
    const { workspace, path, env } = this.#options;
    const inputs = Object.entries(action.inputs).map(([name, { default: value = "" }]) => [
      `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`,
      this.#options.with?.[name] ?? value,
    ]);
    return {
      PATH: path,
      HOME: this.#home,
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
      RUNNER_TEMP: this.#home,
      ...Object.fromEntries(inputs),
      ...env,
    };
  }

  #spawn(
    file: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ exit: number; log: string }> {
    const { workspace, cancelAfterMs } = this.#options;
    return new Promise((done) => {
      const child = spawn(process.execPath, [file], {
        cwd: workspace,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const timers: NodeJS.Timeout[] = [];
      let log = "";
      const hear = (chunk: string) => {
        log += chunk;
      };
      const signalAfter = (signal: NodeJS.Signals, ms: number) =>
        timers.push(setTimeout(() => child.kill(signal), ms));
      if (cancelAfterMs !== undefined) {
        signalAfter("SIGINT", cancelAfterMs);
        signalAfter("SIGTERM", cancelAfterMs + 7500);
        signalAfter("SIGKILL", cancelAfterMs + 10_000);
      }
      child.stdout.setEncoding("utf8").on("data", hear);
      child.stderr.setEncoding("utf8").on("data", hear);
      child.on("close", (code) => {
        for (const timer of timers) clearTimeout(timer);
        done({ exit: code ?? -1, log });
      });
    });
  }
}

/** `name<<delimiter` blocks and `name=value` lines. */
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
