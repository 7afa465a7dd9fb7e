import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stateDirectory } from "../cluster/index.ts";
import type { Host } from "../host/host.ts";
import { mentionsCluster } from "../local/index.ts";
import type { Plan } from "../model/plan.ts";
import { type EvaluationHooks, evaluateInWorker } from "../tiltfile/index.ts";

/** What a Tiltfile sees of a cluster. */
export interface SeenContext {
  readonly name: string;
  readonly namespace: string;
  readonly allowed: boolean;
  /** It exists: the Tiltfile's commands may use it. */
  readonly real: boolean;
}

/** The context as a run would make it, as far as it can be known before there is a run. */
export function futureContext(namespace = "default"): SeenContext {
  return { name: "kind-tilt-ci", namespace, allowed: true, real: false };
}

export interface EvaluationRequest {
  /** Absolute. */
  readonly tiltfile: string;
  readonly args: readonly string[];
  readonly kubeContext: SeenContext;
  readonly allowLocalExec: boolean;
  readonly extensionsDir?: string;
  readonly extensionsLock?: string;
}

/** Evaluates a Tiltfile without a run: starts nothing but the Tiltfile's own commands. Throws `TiltfileError`. */
export async function evaluateAlone(
  { extensionsDir, extensionsLock, kubeContext, ...request }: EvaluationRequest,
  host: Host,
  { signal, log }: Pick<EvaluationHooks, "signal" | "log">,
): Promise<Plan> {
  const shimDirectory = await mkdtemp(join(tmpdir(), "tilt-ci-shim-"));
  try {
    return await evaluateInWorker(
      {
        ...request,
        subcommand: "ci",
        env: host.env,
        kubeContext,
        shimDirectory,
        extensions: {
          cacheDir: extensionsDir ?? join(stateDirectory(host), "extensions"),
          offline: false,
          ...(extensionsLock ? { lockFile: extensionsLock } : {}),
        },
      },
      host,
      {
        signal,
        log,
        beforeCommand: async (argv) => {
          if (!kubeContext.real && mentionsCluster(argv, dirname(request.tiltfile)))
            throw new Error(
              "plan starts no cluster, and this command needs one: give it one with --cluster current",
            );
        },
      },
    );
  } finally {
    await rm(shimDirectory, { recursive: true, force: true });
  }
}
