import { EnvironmentError } from "../errors.ts";
import { abandonable } from "../host/abandonable.ts";
import type { Host } from "../host/host.ts";
import { CommandFailedError } from "./container-engine.ts";
import type { BringUpHooks } from "./hooks.ts";
import { KindBoot, type KindClusterOptions } from "./kind-boot.ts";
import { nodeRegistry } from "./kind-follow.ts";
import { contextOf } from "./kubeconfig.ts";
import { importIntoNodes, mirrorInNodes, pullIntoNodes } from "./node-images.ts";
import { hostsFiles } from "./node-script.ts";
import { createPullQueue, type PulledImage } from "./pull-queue.ts";
import { routesReady } from "./service-routes.ts";

const LOGS_TIMEOUT_MS = 60_000;

/** A kind cluster that comes up in the background. No promise of it has to be awaited; `teardown()` removes it. */
export interface ClusterLease {
  readonly name: string;
  /** `kind-NAME`. */
  readonly context: string;
  readonly kubeconfig: string;
  /** Whether it is a cluster of an earlier run whose nodes have been running: its kubeconfig holds already. */
  readonly attached: Promise<boolean>;
  /** Names of the node containers, once every containerd answers and knows the registry (about 1 s). */
  readonly nodes: Promise<readonly string[]>;
  /** The kubeconfig is on disk and the API server is ready: objects can be applied. */
  readonly apiReady: Promise<void>;
  /** `kind create cluster` has ended well, network and storage class included. */
  readonly created: Promise<void>;
  /** All nodes are Ready. */
  readonly settled: Promise<void>;
  /**
   * Pulls an image into every node, also before the control plane is up; after others that share layers with it.
   * Throws `EnvironmentError`; rejects with the signal's reason.
   */
  pull(image: PulledImage, signal?: AbortSignal): Promise<void>;
  /** Resolves when pods find each other by name: DNS answers, and every node leads to it. Never rejects. */
  dns(signal: AbortSignal): Promise<void>;
  /** Resolves when every node leads these cluster IPs of Services to a pod, or gives up on it. Never rejects. */
  routes(addresses: readonly string[], signal: AbortSignal): Promise<void>;
  /** Puts a `docker save` archive into every node; `open` is called once a node. Throws `EnvironmentError`. */
  importArchive(open: () => AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** Lets the run's registry stand in for more registries than `MIRRORED_REGISTRIES`. */
  mirror(registries: readonly string[], signal?: AbortSignal): Promise<void>;
  /** `kind export logs`, at most a minute. Throws `EnvironmentError`. */
  exportLogs(directory: string, signal?: AbortSignal): Promise<void>;
}

/** Starts a kind cluster. All its promises reject with a `RunError` or `CancelledError` when it fails. */
export function startKindCluster(
  options: KindClusterOptions,
  host: Host,
  hooks: BringUpHooks = {},
): ClusterLease {
  const boot = new KindBoot(options, host, hooks);
  void boot.run();
  const { name, kubeconfig, registry } = options;
  const { engine } = boot;
  const routes: ClusterLease["routes"] = async (addresses, signal) => {
    // a node that cannot be asked, or a run that ends: those who wait find out by themselves
    const asked = boot.nodes.promise.then((nodes) =>
      routesReady(nodes, addresses, engine, host.clock, { signal }),
    );
    await asked.catch(() => {});
  };
  return {
    name,
    context: contextOf(name),
    kubeconfig,
    attached: boot.attached.promise,
    nodes: boot.nodes.promise,
    apiReady: boot.apiReady.promise,
    created: boot.created.promise,
    settled: boot.settled.promise,
    pull: createPullQueue(async (ref, signal) =>
      pullIntoNodes(await boot.nodes.promise, ref, engine, signal),
    ),
    routes,
    dns: async (signal) => {
      const dns = await abandonable(boot.dns(), signal).catch(() => undefined);
      await routes(dns?.addresses ?? [], signal);
    },
    importArchive: async (open, signal) =>
      importIntoNodes(await boot.nodes.promise, open, engine, signal),
    mirror: async (registries, signal) => {
      if (!registry) throw new EnvironmentError("The cluster has no registry of its own");
      const files = hostsFiles(nodeRegistry(await registry.ready), registries);
      await mirrorInNodes(await boot.nodes.promise, files, engine, signal);
    },
    exportLogs: (directory, signal) => exportLogs(name, directory, host, signal),
  };
}

async function exportLogs(
  name: string,
  directory: string,
  host: Host,
  signal: AbortSignal | undefined,
): Promise<void> {
  const outcome = await host.run(["kind", "export", "logs", directory, "--name", name], {
    timeoutMs: LOGS_TIMEOUT_MS,
    signal,
  });
  if (outcome.exitCode !== 0 || outcome.timedOut)
    throw new CommandFailedError(`Cannot export the logs of ${name}`, outcome);
}
