import { join } from "node:path";
import {
  type ClusterLease,
  keepInstructions,
  localRegistryHostingConfigMap,
  type RegistryAddress,
  type RegistryLease,
  type ReuseHandle,
  startKindCluster,
  startRegistry,
} from "../cluster/index.ts";
import { CancelledError, EnvironmentError } from "../errors.ts";
import { abandonable } from "../host/abandonable.ts";
import type { Host } from "../host/host.ts";
import type { DeliveryTarget } from "../images/index.ts";
import { applyObjects, type KubernetesConnection } from "../kubernetes/index.ts";
import { CLUSTER_SUBJECT, type Failure } from "../model/result.ts";
import type { ClusterChoice } from "../run-options.ts";
import { commandsCollector } from "./diagnostics.ts";
import { openConnection } from "./open-connection.ts";
import { clusterStep, phase, type Session, tellCluster } from "./session.ts";
import { warmOptions } from "./warm.ts";

/** In which a cluster fails, too, that lacks what its registry lacks. */
const FIRST_MS = 1000;

/** The cluster of a run, whoever made it. Nothing happens before `start()`. */
export interface RunCluster {
  /** The context's name, known before the cluster is there. */
  readonly context: string;
  /** Where its kubeconfig is or will be. */
  readonly kubeconfig: string;
  /** The API server has answered. */
  readonly isReady: boolean;
  /** No node joins it by itself: what does not fit now never will. */
  readonly staticNodes: boolean;
  /** Made by this run, whose nodes we may fill with images. */
  readonly lease: ClusterLease | undefined;
  /** Kept for later runs (`--reuse`). */
  readonly reuse: ReuseHandle | undefined;
  /** How images get there when neither the cluster nor the user names a registry. */
  withoutRegistry(): Promise<DeliveryTarget>;
  /** Begins to bring it up; a second call changes nothing. */
  start(): void;
  /** Starts it if need be and waits for its API server. Rejects with `EnvironmentError`, `CancelledError`. */
  api(signal: AbortSignal): Promise<KubernetesConnection>;
  /** `linux/<architecture>` of its nodes, where it may differ from that of the local Docker. */
  platform(): Promise<string | undefined>;
  /** Where images are pushed; undefined when there is no registry. */
  registry(): Promise<RegistryAddress | undefined>;
  /** Resolves when pods find these cluster IPs of Services that have pods, as far as that can be known. Never rejects. */
  serves(addresses: readonly string[], signal: AbortSignal): Promise<void>;
}

type KindChoice = Extract<ClusterChoice, { type: "kind" }>;

/** Which cluster to bring up, and where its files go. */
export interface KindPlan {
  readonly choice: KindChoice;
  readonly name: string;
  readonly directory: string;
  readonly reuse: ReuseHandle | undefined;
}

/** A cluster on its way up. */
interface BringUp {
  readonly lease: ClusterLease;
  readonly connection: Promise<KubernetesConnection>;
  readonly registry: Promise<RegistryAddress | undefined>;
}

/** A kind cluster of this run's own (or a reused one) with its registry, brought up in the background. */
export function createKindCluster(session: Session, plan: KindPlan): RunCluster {
  const { name, directory, reuse } = plan;
  const kubeconfig = join(directory, "kubeconfig");
  const context = `kind-${name}`;
  let started: BringUp | undefined;
  let isReady = false;
  const start = () => {
    if (started) return started;
    // a reused cluster stays whatever becomes of the run
    tellCluster(session, { name, context, kubeconfig, stays: reuse !== undefined });
    started = bringUp(session, plan, kubeconfig);
    started.connection.then(
      () => {
        isReady = true;
        session.reached(CLUSTER_SUBJECT, "api");
      },
      () => {}, // told by the phase
    );
    return started;
  };
  return {
    context,
    kubeconfig,
    staticNodes: true,
    get isReady() {
      return isReady;
    },
    get lease() {
      return started?.lease;
    },
    start: () => void start(),
    api: (signal) => abandonable(start().connection, signal),
    registry: () => start().registry,
    platform: async () => undefined,
    serves: async (addresses, signal) => {
      const { lease } = start();
      await Promise.all([lease.routes(addresses, signal), lease.dns(signal)]);
    },
    reuse,
    withoutRegistry: async () => ({
      type: "load",
      load: (ref, signal) =>
        start().lease.importArchive(() => saveImage(session.host, ref), signal),
    }),
  };
}

/** Starts cluster and registry, each with its phase in the log. */
function bringUp(session: Session, { choice, name, reuse }: KindPlan, kubeconfig: string): BringUp {
  const { record, signal, options, host } = session;
  if (reuse)
    session.notice(`cluster ${name} stays: export KUBECONFIG=${kubeconfig}`, CLUSTER_SUBJECT);
  const registry =
    options.registry === "local"
      ? startRegistry(
          {
            record,
            clusterName: name,
            image: options.images.registryImage,
            reuse: reuse !== undefined,
            signal,
          },
          host,
          hooksOf(session, "registry"),
        )
      : undefined;
  const { nodeImage, kubernetesVersion, kindVersion, kindConfig: kindConfigFile } = choice;
  const lease = startKindCluster(
    {
      record,
      name,
      kubeconfig,
      registry,
      reuse,
      signal,
      nodeImage,
      kubernetesVersion,
      kindVersion,
      kindConfigFile,
      warm: warmOptions(session, choice, hooksOf(session, "create")),
    },
    host,
    hooksOf(session, "create"),
  );
  observe(session, "create", createdOrOver(session, lease));
  const told = registry?.ready.then(
    ({ host: registryHost }) => {
      tellCluster(session, { registryHost });
      session.reached(CLUSTER_SUBJECT, "registry");
    },
    async (error: unknown) => {
      await clusterFailsFirst(session, lease);
      throw error;
    },
  );
  if (told !== undefined) observe(session, "registry", told);
  // Pushes go to a registry that is there, or into the nodes: there is none to wait for.
  else session.reached(CLUSTER_SUBJECT, "registry");
  const connection = openConnection(session, lease, reuse);
  if (registry) void announce(session, connection, registry.ready);
  leaveWithSession(session, lease, connection, { registry, isReused: reuse !== undefined });
  return { lease, connection, registry: registry?.ready ?? Promise.resolve(undefined) };
}

/** An engine that is away fails both within a moment: let the same run always tell it of the cluster. */
async function clusterFailsFirst(session: Session, lease: ClusterLease): Promise<void> {
  const failed = lease.created.catch(() => {});
  await Promise.race([failed, session.host.clock.sleep(FIRST_MS, session.signal).catch(() => {})]);
}

/**
 * A run may pass while kind still finishes what nobody waits for. Cutting that off does not make the cluster's creation
 * a cancelled one: it has given all that was asked of it.
 */
async function createdOrOver(session: Session, lease: ClusterLease): Promise<void> {
  let served = false;
  lease.apiReady.then(
    () => {
      served = true;
    },
    () => {}, // told by `created`
  );
  try {
    await lease.created;
  } catch (error) {
    const over = session.over.signal.aborted && !session.cancelled.aborted;
    if (!(error instanceof CancelledError && over && served)) throw error;
  }
}

/** What the end of the run has to do with the cluster: close, collect logs, tell of it if it stays. */
function leaveWithSession(
  session: Session,
  lease: ClusterLease,
  connection: Promise<KubernetesConnection>,
  { registry, isReused }: { registry: RegistryLease | undefined; isReused: boolean },
): void {
  session.connections.push({
    name: "the API server's connection",
    close: () => connection.then((opened) => opened.close()).catch(() => {}), // its failure has been told
  });
  session.collectors.push({
    name: "nodes",
    collect: (directory, signal) => lease.exportLogs(directory, signal),
  });
  if (registry) {
    const log = { "registry.log": registry.logCommand };
    session.collectors.push(commandsCollector("registry", log, session.host));
  }
  session.kept = {
    isReused,
    settle: () => lease.created,
    describe: async () => {
      const address = await registry?.ready.catch(() => undefined);
      return keepInstructions({
        run: session.info.id,
        clusterName: lease.name,
        kubeconfig: lease.kubeconfig,
        registryHost: address?.host,
      });
    },
  };
}

/** Turns a promise of the bring-up into its phase's two events; a failure ends the run. */
function observe(session: Session, name: "create" | "registry", promise: Promise<unknown>): void {
  void phase(session, CLUSTER_SUBJECT, name, () => promise).catch((error: unknown) =>
    breakDown(session, error),
  );
}

/** A cluster that cannot be used ends the run, unless the run is over anyway. */
export function breakDown(session: Session, error: unknown): void {
  if (!(error instanceof CancelledError)) session.broken.abort(error);
}

function hooksOf(session: Session, name: "create" | "registry") {
  return {
    onStep: clusterStep(session, name),
    onLine: (text: string) =>
      session.line({
        resource: CLUSTER_SUBJECT,
        phase: name,
        level: "info",
        source: "runtime",
        text,
      }),
    onRetry: (failure: Failure, attempt: number) =>
      session.log.append({
        type: "phase-retried",
        at: session.now(),
        resource: CLUSTER_SUBJECT,
        phase: name,
        attempt,
        failure,
      }),
    onWarning: (message: string) => session.warn(message, { resource: CLUSTER_SUBJECT }),
    onHint: (message: string) => void session.hints.push(message),
  };
}

/** Tells the cluster's users, Tilt among them, where the registry is (KEP-1755). Nothing of this run waits for it. */
async function announce(
  session: Session,
  connection: Promise<KubernetesConnection>,
  registry: Promise<RegistryAddress>,
): Promise<void> {
  const opened = await connection.catch(() => undefined); // its failure has been told
  if (!opened) return;
  try {
    await applyObjects(opened, [{ object: { ...localRegistryHostingConfigMap(await registry) } }], {
      fieldManager: "tilt-ci",
      signal: session.signal,
    });
  } catch (error) {
    if (error instanceof CancelledError || session.signal.aborted) return;
    session.warn(
      `Cannot write ConfigMap kube-public/local-registry-hosting: ${(error as Error).message}`,
      { resource: CLUSTER_SUBJECT },
    );
  }
}

/** `docker save` of one image as a stream. */
export async function* saveImage(host: Host, ref: string): AsyncGenerator<Uint8Array> {
  const child = await host.spawn(["docker", "save", ref], { raw: true });
  yield* child.stdout!;
  const { exitCode } = await child.exited;
  if (exitCode !== 0)
    throw new EnvironmentError(`Cannot save image ${ref} from Docker: exit status ${exitCode}`);
}
