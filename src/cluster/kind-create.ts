import { EnvironmentError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { CommandFailedError } from "./container-engine.ts";
import { cannotCreate } from "./fallen-nodes.ts";
import type { BringUpHooks } from "./hooks.ts";
import { identifyProcess } from "./identity.ts";
import { isFarewell, StageReader } from "./kind-log.ts";
import { RUN_VARIABLE } from "./processes.ts";
import type { RunRecord } from "./record.ts";

const CREATE_TIMEOUT_MS = 10 * 60_000;
const IMAGE_TIMEOUT_MS = 5 * 60_000;

export interface KindCreate {
  readonly name: string;
  /** Our kubeconfig; kind's own goes beside it. */
  readonly kubeconfig: string;
  readonly configYaml: string;
  readonly image: string | undefined;
  /** The registry's container, which nodes reach without a proxy. */
  readonly registryName: string | undefined;
  readonly record: RunRecord;
  /** 1 for the first. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** kind has begun to start node containers. */
  onPreparing(): void;
}

/**
 * Runs `kind create cluster` to its end. Throws `CommandFailedError`; `EnvironmentError` when the node image is
 * not pulled within five minutes; `CancelledError`, with nodes perhaps half-made, when the signal fires.
 */
export async function createWithKind(
  create: KindCreate,
  host: Host,
  hooks: BringUpHooks,
): Promise<void> {
  const { name, record, attempt, signal } = create;
  await record.add({ type: "making", name, attempt });
  const stages = new StageReader();
  const overdue = new AbortController();
  const timer = setTimeout(() => {
    if (stages.current?.startsWith("Ensuring node image")) overdue.abort();
  }, IMAGE_TIMEOUT_MS);
  try {
    const outcome = await host.run(kindCreateArgs(create), {
      input: create.configYaml,
      env: { ...withoutProxyFor(create.registryName, host.env), [RUN_VARIABLE]: record.run },
      signal: AbortSignal.any([signal, overdue.signal]),
      timeoutMs: CREATE_TIMEOUT_MS,
      onPid: (pid) => void recordProcess(pid, record, host),
      onLine: (line) => {
        if (!isFarewell(line)) hooks.onLine?.(line);
        const stage = stages.read(line, host.clock.now());
        if (stages.current === "Preparing nodes") create.onPreparing();
        if (stage?.ok) hooks.onStep?.(stage.name, stage.startedAt, stage.at);
      },
    });
    // without this line teardown only looks more often
    if (!outcome.timedOut) await record.add({ type: "made", name, attempt }).catch(() => {});
    if (outcome.exitCode !== 0 || outcome.timedOut)
      throw new CommandFailedError(cannotCreate(name), outcome);
  } catch (error) {
    if (!overdue.signal.aborted || signal.aborted) throw error;
    throw new EnvironmentError(
      `The node image is not on this machine and was not pulled within ${IMAGE_TIMEOUT_MS / 60_000} minutes`,
      { hint: "Pull it beforehand, or give --node-image one that is there" },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** For `down` after a kill, which also finds it by its command line: so a failed write is no reason to fail. */
async function recordProcess(pid: number, record: RunRecord, host: Host): Promise<void> {
  const identity = await identifyProcess(pid, host);
  if (identity) await record.add({ type: "process", process: identity }).catch(() => {});
}

/** kind hands the proxy variables to its nodes; what it adds to NO_PROXY does not know our registry. */
export function withoutProxyFor(
  registryName: string | undefined,
  env: Host["env"],
): Readonly<Record<string, string>> {
  const isProxied = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].some((v) => env[v]);
  if (!registryName || !isProxied) return env;
  const direct = [env.NO_PROXY || env.no_proxy, registryName].filter(Boolean).join(",");
  return { ...env, NO_PROXY: direct, no_proxy: direct };
}

/** `--retain`: the logs of a failed start are still to be had; `teardown()` removes the nodes. */
export function kindCreateArgs({
  name,
  kubeconfig,
  image,
}: Pick<KindCreate, "name" | "kubeconfig" | "image">): readonly string[] {
  return [
    ...["kind", "create", "cluster", "--name", name],
    ...["--kubeconfig", kindKubeconfig(kubeconfig)],
    ...["--config", "-", "--retain", "--wait", "0s"],
    ...(image ? ["--image", image] : []),
  ];
}

/** kind rewrites its kubeconfig at the end, while others may already read ours: it gets one of its own. */
export function kindKubeconfig(kubeconfig: string): string {
  return `${kubeconfig}.kind`;
}
