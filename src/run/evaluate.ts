import { dirname, join } from "node:path";
import { PhaseFailure } from "../errors.ts";
import { mentionsCluster } from "../local/index.ts";
import { commandTitle } from "../model/command-text.ts";
import { formatDuration } from "../model/duration.ts";
import type { Plan } from "../model/plan.ts";
import { TILTFILE_SUBJECT } from "../model/result.ts";
import { evaluateInWorker, TiltfileError } from "../tiltfile/index.ts";
import { checkPlan } from "./check-plan.ts";
import type { ChosenCluster } from "./choose-cluster.ts";
import { phase, type Session } from "./session.ts";
import { describeTiltfileError, tellOfResource } from "./tiltfile-failure.ts";

/**
 * Evaluates the Tiltfile once, in a Worker, while the cluster boots. The cluster is started as soon as it is clear
 * that the Tiltfile needs one. A command of the Tiltfile that names a cluster tool waits for the API server; another
 * one that fails before the cluster is there is run once more when it is.
 */
export async function evaluateTiltfile(
  session: Session,
  { kubeContext, cluster }: ChosenCluster,
): Promise<Plan> {
  const { options, host, signal, stateDir } = session;
  // Warnings of a plan are events of the run; those of a Tiltfile that fails have only these lines.
  const warnings: string[] = [];
  const say = (text: string, level: "info" | "warn" | "error") =>
    session.line({ resource: TILTFILE_SUBJECT, phase: "evaluate", level, source: "runtime", text });
  const limitMs = options.policy.timeoutMs;
  const leftMs = () => Math.max(1, session.startedAt + limitMs - session.now());
  const env = { ...host.env, ...(cluster ? { KUBECONFIG: cluster.kubeconfig } : {}) };
  const outcome = await phase(
    session,
    TILTFILE_SUBJECT,
    "evaluate",
    () =>
      evaluateInWorker(
        {
          tiltfile: options.tiltfile,
          args: options.args,
          subcommand: "ci",
          env,
          kubeContext,
          extensions: {
            cacheDir: options.extensions.cacheDir ?? join(stateDir, "extensions"),
            offline: false,
            ...(options.extensions.lockFile ? { lockFile: options.extensions.lockFile } : {}),
          },
          shimDirectory: join(session.temporaryDirectory, "shim"),
          allowLocalExec: options.allowLocalExec,
          ...(limitMs > 0 ? { deadlineMs: leftMs() } : {}),
        },
        host,
        {
          signal,
          log: (text, level) => (level === "warn" ? void warnings.push(text) : say(text, level)),
          onNeedsCluster: () => cluster?.start(),
          beforeCommand: async (argv) => {
            if (cluster && !cluster.isReady && mentionsCluster(argv, dirname(options.tiltfile))) {
              session.notice(`waits for the cluster: ${commandTitle(argv)}`, TILTFILE_SUBJECT);
              await cluster.api(signal);
            }
          },
          onCommandFailure: async (argv) => {
            if (!cluster || cluster.isReady || !cluster.lease) return "fail";
            session.notice(
              `failed before the cluster was there, runs once more when it is: ${commandTitle(argv)}`,
              TILTFILE_SUBJECT,
            );
            await cluster.api(signal);
            return "retry";
          },
        },
      )
        .then((plan) => {
          checkPlan(plan, cluster !== undefined);
          return plan;
        })
        .catch((error: unknown) => {
          if (limitMs > 0 && leftMs() === 1) throw tooLate(error, limitMs);
          if (error instanceof TiltfileError && error.resource !== undefined) return error;
          throw error;
        }),
    describeTiltfileError,
  ).catch((error: unknown) => {
    for (const warning of warnings) say(warning, "warn");
    throw error;
  });
  if (!(outcome instanceof TiltfileError)) return outcome;
  for (const warning of warnings) say(warning, "warn");
  tellOfResource(session, outcome.resource!, outcome);
  throw outcome;
}

/** The run's time was over while the Tiltfile was at work: that is what failed, whatever it was doing. */
function tooLate(error: unknown, limitMs: number): unknown {
  if (!(error instanceof TiltfileError)) return error;
  return new PhaseFailure({
    code: "Timeout",
    message: `Timeout after ${formatDuration(limitMs)}: the Tiltfile was still being evaluated`,
    detail: error.message,
    ...(error.position ? { position: error.position } : {}),
    hint: "Look for the command or loop named here, or allow more time with --timeout",
  });
}
