import { CancelledError } from "../src/errors.ts";
import { CommandNotFoundError } from "../src/host/command-not-found.ts";
import type { Clock, CommandOptions, CommandOutcome, Host } from "../src/host/host.ts";

/** How a command of a fake host ends. Absent fields: exit 0, no output. */
export interface ScriptedOutcome {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly timedOut?: boolean;
  /** The program does not exist. */
  readonly notFound?: boolean;
  /** Never ends by itself: only the signal or the time limit ends it. */
  readonly hangs?: boolean;
}

/** What a command does: an outcome, or a function of its arguments. `undefined`: the next rule. */
export type Rule = (
  argv: readonly string[],
  options: CommandOptions,
) => ScriptedOutcome | Promise<ScriptedOutcome | undefined> | undefined;

export interface FakeHost extends Host {
  /** The command lines that were run, in order. */
  readonly commands: readonly string[];
  /** The input of each command, as text. */
  readonly inputs: readonly string[];
}

/**
 * A host whose commands are scripted: the first rule that answers decides; a command without one is a test's
 * mistake and throws. Time passes only by `sleep`.
 */
export function fakeHost(
  rules: readonly Rule[] = [],
  overrides: Partial<Pick<Host, "env" | "cwd" | "platform">> = {},
): FakeHost {
  const commands: string[] = [];
  const inputs: string[] = [];
  return {
    env: {},
    cwd: "/work",
    platform: process.platform,
    ...overrides,
    clock: fakeClock(),
    commands,
    inputs,
    async run(argv, options = {}) {
      if (options.signal?.aborted) throw new CancelledError();
      commands.push(argv.join(" "));
      inputs.push(typeof options.input === "string" ? options.input : "");
      for (const rule of rules) {
        const scripted = await rule(argv, options);
        if (scripted) return finish(argv, scripted, options);
      }
      throw new Error(`No rule for the command: ${argv.join(" ")}`);
    },
    async spawn(argv) {
      throw new Error(`This fake host spawns nothing: ${argv.join(" ")}`);
    },
  };
}

/** A rule for command lines that match. */
export function on(pattern: RegExp, outcome: ScriptedOutcome | (() => ScriptedOutcome)): Rule {
  return (argv) => {
    if (!pattern.test(argv.join(" "))) return undefined;
    return typeof outcome === "function" ? outcome() : outcome;
  };
}

async function finish(
  argv: readonly string[],
  scripted: ScriptedOutcome,
  options: CommandOptions,
): Promise<CommandOutcome> {
  if (scripted.notFound) throw new CommandNotFoundError(argv[0] ?? "");
  const { stdout = "", stderr = "", exitCode = 0, timedOut = false } = scripted;
  emit(stdout, "stdout", options);
  emit(stderr, "stderr", options);
  if (!scripted.hangs) return { exitCode, stdout, stderr, timedOut, durationMs: 0 };
  return await new Promise<CommandOutcome>((resolve, reject) => {
    options.signal?.addEventListener("abort", () => reject(new CancelledError()));
    if (options.timeoutMs !== undefined)
      resolve({ exitCode: 143, stdout, stderr, timedOut: true, durationMs: options.timeoutMs });
  });
}

function emit(text: string, stream: "stdout" | "stderr", { onLine }: CommandOptions): void {
  // biome-ignore lint/nursery/noFloatingPromises: it returns nothing; biome 2.6 takes it for a promise
  if (onLine) for (const line of lines(text)) onLine(line, stream);
}

function lines(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** A clock that stands still but for `sleep`, which returns at once. */
export function fakeClock(start = 1_700_000_000_000): Clock {
  let elapsed = 0;
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    async sleep(ms, signal) {
      if (signal?.aborted) throw new CancelledError();
      elapsed += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
