import { dirname, resolve } from "node:path";
import { Command, Option } from "commander";
import { useCurrentCluster } from "../cluster/index.ts";
import { RunError } from "../errors.ts";
import { createHost } from "../host/node-host.ts";
import { formatPosition } from "../model/position.ts";
import { EXIT } from "../model/result.ts";
import { cancelledBy, type RunVerdict } from "../run/verdict.ts";
import { type EvaluationHooks, TiltfileError } from "../tiltfile/index.ts";
import type { Attach } from "./command.ts";
import { evaluateAlone, futureContext } from "./evaluate-alone.ts";
import type { ProcessIo } from "./io.ts";
import { formatPlan, type PlanFormat } from "./plan-output/index.ts";
import { relativePosition } from "./plan-output/relative-position.ts";

interface PlanFlags {
  readonly file: string;
  readonly output: PlanFormat;
  readonly cluster: "none" | "current";
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly extensionsLock?: string;
  readonly extensionsDir?: string;
  readonly localExec: boolean;
}

export function planCommand(attach: Attach): Command {
  return new Command("plan")
    .description("print what the Tiltfile asks for; starts nothing")
    .summary("what the Tiltfile asks for; starts nothing")
    .argument("[resources...]", "resources, or arguments of config.parse")
    .option("-f, --file <path>", "the Tiltfile", "Tiltfile")
    .addOption(
      new Option("-o, --output <format>", "table, json, yaml or graph")
        .choices(["table", "json", "yaml", "graph"])
        .default("table"),
    )
    .addOption(
      new Option("--cluster <which>", "none, or current: commands may use the current context")
        .choices(["none", "current"])
        .default("none"),
    )
    .option("--context <name>", "kubeconfig context; implies --cluster current")
    .option("--kubeconfig <file>", "kubeconfig for --cluster current")
    .option("--namespace <name>", "what k8s_namespace() says")
    .option("--extensions-lock <file>", "commits of extension repositories")
    .option("--extensions-dir <dir>", "where extension repositories are kept")
    .option("--no-local-exec", "refuse local(), local_resource, custom builds and deploys")
    .action(attach((command, args, io) => printPlan(command.opts<PlanFlags>(), args, io)));
}

/** Standard output holds the document alone; what the Tiltfile prints, warnings and errors go to standard error. */
async function printPlan(
  flags: PlanFlags,
  args: readonly string[],
  io: ProcessIo,
): Promise<number> {
  const host = createHost(io);
  const abort = new AbortController();
  let cancelled: RunVerdict | undefined;
  const unlisten = io.onSignal((signal) => {
    cancelled ??= cancelledBy(signal);
    abort.abort();
  });
  try {
    const { extensionsDir, extensionsLock, localExec, file } = flags;
    const path = (name: string) => resolve(io.cwd, name);
    const plan = await evaluateAlone(
      {
        tiltfile: path(file),
        args,
        allowLocalExec: localExec,
        kubeContext: await contextOf(flags, host),
        ...(extensionsDir && { extensionsDir: path(extensionsDir) }),
        ...(extensionsLock && { extensionsLock: path(extensionsLock) }),
      },
      host,
      {
        signal: abort.signal,
        log: logTo(io, dirname(path(file))),
      },
    );
    io.stdout.write(formatPlan(plan, flags.output));
    return EXIT.passed;
  } catch (error) {
    if (error instanceof TiltfileError) return told(error, io);
    if (error instanceof RunError || cancelled === undefined) throw error;
    return cancelled.exitCode;
  } finally {
    unlisten();
  }
}

/** Writes the log, each warning where it comes and with its place. */
function logTo(io: ProcessIo, directory: string): EvaluationHooks["log"] {
  let withinWarning = false;
  return (line, level, warning) => {
    const begins = level === "warn" && !withinWarning;
    withinWarning = level === "warn" && warning === undefined;
    io.stderr.write(`${begins ? "WARNING: " : ""}${line}\n`);
    const { position, hint } = warning ?? {};
    if (position) io.stderr.write(`  at ${relativePosition(position, directory)}\n`);
    if (hint) io.stderr.write(`  ${hint}\n`);
  };
}

async function contextOf(
  { cluster, context, kubeconfig, namespace }: PlanFlags,
  host: ReturnType<typeof createHost>,
) {
  if (cluster !== "current" && context === undefined) return futureContext(namespace);
  const current = await useCurrentCluster({ context, kubeconfig }, host);
  return {
    name: current.context,
    namespace: namespace ?? current.namespace,
    allowed: current.allowed,
    real: true,
  };
}

function told(error: TiltfileError, io: ProcessIo): number {
  io.stderr.write(`Error: ${error.message}\n`);
  const place = error.position && formatPosition(error.position);
  const isTold = error.message.startsWith("Traceback") || error.message.includes(place ?? "");
  if (!isTold) io.stderr.write(`  at ${place}\n`);
  if (error.excerpt) io.stderr.write(`${error.excerpt}\n`);
  if (error.hint) io.stderr.write(`${error.hint}\n`);
  return error.exitCode;
}
