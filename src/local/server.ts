import { PhaseFailure } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host, RunningProcess } from "../host/host.ts";
import { commandText, commandTitle } from "../model/command-text.ts";
import type { Observation } from "../model/event.ts";
import type { Command, Probe } from "../model/plan.ts";
import type { Failure } from "../model/result.ts";
import { type CommandSurroundings, commandEnvironment } from "./environment.ts";
import { countProbe, PROBE_START, probeOnce } from "./probe.ts";

const TAIL_LINES = 20;
const PORT_TAKEN =
  /EADDRINUSE|address already in use|port is already (allocated|in use)|bind: Only one usage/i;

export interface ServerHooks {
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void | Promise<void>;
  readonly onObservation: (observation: Observation) => void;
  readonly onPid?: (pid: number) => void;
}

/** A `serve_cmd` that runs beside the run. */
export interface Server {
  readonly pid: number;
  /** Ends it: SIGTERM to the group, after the grace SIGKILL. Its end is then no failure. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Starts a server and watches it: ready when its process runs, or with a probe once that passed (ci-engine.md §4);
 * any end, status 0 included, is a failure. Throws `PhaseFailure` when it cannot be started.
 */
export async function startServer(
  { command, probe }: { readonly command: Command; readonly probe: Probe | undefined },
  surroundings: CommandSurroundings,
  host: Host,
  hooks: ServerHooks,
): Promise<Server> {
  const env = commandEnvironment(surroundings, command.env);
  const tail: string[] = [];
  const child = await host
    .spawn(command.argv, {
      cwd: command.dir,
      env,
      onLine: (line, stream) => {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        return hooks.onLine(line, stream);
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof CommandNotFoundError)) throw error;
      const message = `Server "${commandTitle(command.argv)}" cannot start: ${error.message}`;
      throw new PhaseFailure({ code: "CommandFailed", message });
    });
  hooks.onPid?.(child.pid);
  const stopped = new AbortController();
  watchEnd(child, command, tail, stopped.signal, host, hooks);
  if (probe) void watchProbe(probe, host, env, command.dir, stopped, child, hooks);
  else hooks.onObservation(running(true, "running"));
  return {
    pid: child.pid,
    async stop(graceMs) {
      stopped.abort();
      await child.stop(graceMs);
    },
  };
}

function running(ready: boolean, summary: string, failure?: Failure): Observation {
  return {
    state: ready ? "ready" : "pending",
    summary,
    crashes: 0,
    active: true,
    pods: [],
    ...(failure ? { failure } : {}),
  };
}

function watchEnd(
  child: RunningProcess,
  command: Command,
  tail: readonly string[],
  stopped: AbortSignal,
  host: Host,
  hooks: ServerHooks,
): void {
  void child.exited.then(({ exitCode, signal }) => {
    if (stopped.aborted) return;
    const failure = exitFailure(command, exitCode, signal, tail, host.clock.now());
    hooks.onObservation({
      state: "failed",
      summary: failure.message,
      failure,
      crashes: 1,
      active: false,
      pods: [],
    });
  });
}

/** A server that ended by itself: whatever its status, it does not serve any more. */
export function exitFailure(
  command: Command,
  exitCode: number,
  signal: string | undefined,
  tail: readonly string[],
  at: number,
): Failure {
  const text = commandTitle(command.argv);
  const portLine = tail.find((line) => PORT_TAKEN.test(line));
  const end = signal ? `was ended by ${signal}` : `exited with status ${exitCode}`;
  return {
    code: "ServeExited",
    message: portLine ? `Server "${text}" ${end}: ${portLine.trim()}` : `Server "${text}" ${end}`,
    object: commandText(command.argv),
    evidenceAt: at,
    ...(tail.length > 0 ? { detail: tail.join("\n") } : {}),
    ...(portLine
      ? {
          hint: "Another process listens on that port: find it with `ss -ltnp`, or use a different port",
        }
      : {}),
  };
}

async function watchProbe(
  probe: Probe,
  host: Host,
  env: Readonly<Record<string, string>>,
  cwd: string,
  stopped: AbortController,
  child: RunningProcess,
  hooks: ServerHooks,
): Promise<void> {
  void child.exited.then(() => stopped.abort());
  let count = PROBE_START;
  hooks.onObservation(running(false, "waiting for its readiness probe"));
  const pause = (seconds: number) =>
    host.clock.sleep(seconds * 1000, stopped.signal).catch(() => {});
  await pause(probe.initialDelaySecs);
  while (!stopped.signal.aborted) {
    const result = await probeOnce(probe, host, env, cwd, stopped.signal);
    if (stopped.signal.aborted) return;
    const before = count;
    count = countProbe(count, result.success, probe);
    if (count.ready !== before.ready || before === PROBE_START) {
      await hooks.onLine(
        `[readiness probe: ${result.success ? "success" : "failure"}] ${result.message}`,
        "stderr",
      );
    }
    const failure: Failure = {
      code: "ProbeFailed",
      message: `readiness probe fails: ${result.message}`,
    };
    hooks.onObservation(
      count.ready
        ? running(true, "running")
        : running(false, "readiness probe fails", result.success ? undefined : failure),
    );
    // Until the first success a probe may be asked sooner than its period: a verdict is waiting for it.
    await pause(count.ready ? probe.periodSecs : Math.min(probe.periodSecs, 1));
  }
}
