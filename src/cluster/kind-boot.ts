import { CancelledError, UsageError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { type ApiClient, createApiClient } from "./api.ts";
import { nodesReady } from "./api-readiness.ts";
import { chooseWarm, type WarmOptions } from "./baked/choose-warm.ts";
import { warmStart } from "./baked/warm-start.ts";
import { type ClusterDns, dnsReady, publishDnsEarly } from "./cluster-dns.ts";
import { type ContainerEngine, containerEngine } from "./container-engine.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { blameNodes } from "./fallen-nodes.ts";
import { type BringUpHooks, step } from "./hooks.ts";
import { ensureImage, nodeImageOf } from "./images.ts";
import { type KindConfig, readKindConfig } from "./kind-config.ts";
import { createWithKind, kindKubeconfig } from "./kind-create.ts";
import { followCluster, type RunningCluster } from "./kind-follow.ts";
import { checkKind } from "./kind-version.ts";
import { clusterNameProblem, nodeNetwork } from "./names.ts";
import { ensureNetwork } from "./network.ts";
import { nodeContainersOf, startNodes } from "./node-containers.ts";
import type { RunRecord } from "./record.ts";
import type { RegistryLease } from "./registry.ts";
import { removeNodes } from "./remove.ts";
import { retryPassing } from "./retry.ts";
import { fingerprintOf, type ReuseHandle } from "./reuse.ts";

export interface KindClusterOptions {
  readonly record: RunRecord;
  /** As `chooseClusterName()` gave it, or `ReuseHandle.clusterName`. */
  readonly name: string;
  /** Where the private kubeconfig is written (0600). kind's own goes beside it. */
  readonly kubeconfig: string;
  readonly nodeImage?: string | undefined;
  readonly kubernetesVersion?: string | undefined;
  readonly kindVersion?: string | undefined;
  /** Absolute path of `--kind-config`. */
  readonly kindConfigFile?: string | undefined;
  readonly registry?: RegistryLease | undefined;
  /** From `acquireReuse()`: the cluster is attached to if it is there, and stays. */
  readonly reuse?: ReuseHandle | undefined;
  /** How to use baked nodes; absent: not at all. */
  readonly warm?: WarmOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a cluster is made from. */
interface Recipe {
  readonly config: KindConfig;
  /** `undefined`: kind's own. */
  readonly image: string | undefined;
  readonly kindVersion: string;
}

interface FollowOptions {
  /** What is missing of a cluster whose API server is ready: until then it may still come to nothing. */
  readonly complete?: (running: RunningCluster) => Promise<void>;
  /** Its nodes have run before. */
  readonly booted?: boolean;
}

/** The bringing up of one cluster, told by promises. */
export class KindBoot {
  /** Whether it is a cluster of an earlier run whose nodes have been running. */
  readonly attached: Deferred<boolean> = deferred();
  readonly nodes: Deferred<readonly string[]> = deferred();
  readonly apiReady: Deferred<void> = deferred();
  readonly created: Deferred<void> = deferred();
  readonly settled: Deferred<void> = deferred();
  readonly engine: ContainerEngine;
  readonly #options: KindClusterOptions;
  readonly #host: Host;
  readonly #hooks: BringUpHooks;
  readonly #signal: AbortSignal;
  #dns: Promise<ClusterDns | undefined> | undefined;
  #running: RunningCluster | undefined;

  constructor(options: KindClusterOptions, host: Host, hooks: BringUpHooks) {
    this.#options = options;
    this.#host = host;
    this.#hooks = hooks;
    this.#signal = options.signal ?? new AbortController().signal;
    this.engine = containerEngine(host);
  }

  /** Never rejects: the promises tell. */
  async run(): Promise<void> {
    try {
      const recipe = await this.#prepare();
      const { server, administrators } = await this.#bringUp(recipe);
      this.created.resolve();
      await step("nodes ready", this.#hooks, this.#host.clock, async () => {
        const client = createApiClient(server, administrators.admin);
        try {
          await nodesReady(client, recipe.config.nodes, this.#host.clock, this.#signal);
        } finally {
          client.close();
        }
      });
      this.settled.resolve();
    } catch (error) {
      const reason = this.#signal.aborted ? new CancelledError() : error;
      const { attached, nodes, apiReady, created, settled } = this;
      for (const promise of [attached, nodes, apiReady, created, settled]) promise.reject(reason);
    }
  }

  /** The cluster's DNS, once it answers; asked for once, when somebody wants to know. Undefined: nobody can say. */
  dns(): Promise<ClusterDns | undefined> {
    this.#dns ??= this.apiReady.promise.then(
      () =>
        step("cluster DNS", this.#hooks, this.#host.clock, () =>
          this.#asAdmin((client) => dnsReady(client, this.#host.clock, this.#signal)),
        ),
      () => undefined,
    );
    return this.#dns;
  }

  /** Checks what it takes, and records what will be created. Nothing is left behind when it throws. */
  async #prepare(): Promise<Recipe> {
    const { name, record, kubeconfig, reuse } = this.#options;
    const { cli } = this.engine;
    const problem = clusterNameProblem(name);
    if (problem) throw new UsageError(`"${name}" cannot be the name of a cluster: ${problem}`);
    const config = await readKindConfig(this.#options.kindConfigFile);
    for (const warning of config.warnings) this.#hooks.onWarning?.(warning);
    const [image, kindVersion] = await Promise.all([
      this.#nodeImage(),
      checkKind(this.#host, this.#signal, this.#options.kindVersion),
    ]);
    await record.add(
      { type: "cluster", name, cli, ...(reuse ? { reuse: true } : {}) },
      { type: "network", name: this.#network, cli },
      // Who keeps a cluster wants to look into it.
      ...(reuse ? [] : [{ type: "path", path: kubeconfig } as const]),
      { type: "path", path: kindKubeconfig(kubeconfig) },
      { type: "path", path: `${kindKubeconfig(kubeconfig)}.lock` },
    );
    return { config, image, kindVersion };
  }

  async #nodeImage(): Promise<string | undefined> {
    const { nodeImage, kubernetesVersion } = this.#options;
    if (nodeImage !== undefined || kubernetesVersion === undefined) return nodeImage;
    return nodeImageOf(kubernetesVersion, this.engine, this.#signal);
  }

  async #ensureNodeImage(image: string | undefined): Promise<void> {
    const onPull = () => this.#hooks.onLine?.(`pulling ${image}`);
    const signal = this.#signal;
    if (image) await ensureImage(image, "--node-image", this.engine, { signal, onPull });
  }

  get #network(): string {
    return nodeNetwork(this.#host.env);
  }

  async #bringUp(recipe: Recipe): Promise<RunningCluster> {
    const { reuse } = this.#options;
    const fingerprint = fingerprintOf(recipe.config.yaml, recipe.image, this.engine.cli);
    const attached = reuse && (await this.#attach(recipe, reuse, fingerprint));
    if (attached) return attached;
    this.attached.resolve(false);
    const warm = await this.#startWarm(recipe);
    if (warm) {
      await reuse?.save(fingerprint);
      return warm;
    }
    await this.#ensureNodeImage(recipe.image);
    const created = await retryPassing((attempt) => this.#create(recipe, attempt), this.#hooks, {
      // what was applied to a first cluster is not in a second one
      again: () => !this.apiReady.isSettled,
      signal: this.#signal,
    });
    await reuse?.save(fingerprint);
    return created;
  }

  /** Two that make it at once may make two: the registry is there first. Its failure is told elsewhere. */
  async #networkIsThere(registry: RegistryLease | undefined): Promise<void> {
    await registry?.onNetwork.catch(() => {});
    await ensureNetwork(this.#network, this.engine, this.#signal);
  }

  /** The cluster of an earlier run, if it is there and as wanted; its stopped nodes are started. */
  async #attach(
    recipe: Recipe,
    reuse: ReuseHandle,
    fingerprint: string,
  ): Promise<RunningCluster | undefined> {
    const { name } = this.#options;
    const containers = await nodeContainersOf(name, this.engine, this.#signal);
    if (containers.length > 0) {
      const stopped = containers.filter((container) => !container.running);
      const problem = reuse.matches(fingerprint)
        ? await startNodes(stopped, this.engine, this.#signal)
        : "its node image or kind configuration is another one";
      if (problem === undefined) {
        const booted = stopped.length === 0;
        this.attached.resolve(booted);
        return this.#follow(recipe.config, this.#signal, { booted });
      }
      this.#hooks.onWarning?.(`The cluster ${name} is made anew: ${problem}`);
      await removeNodes(name, this.engine, this.#host.clock);
    }
    await reuse.save(undefined); // on record before it exists
    return undefined;
  }

  /** The cluster from a baked node, if there is one for it and it comes up. */
  async #startWarm({ config, image, kindVersion }: Recipe): Promise<RunningCluster | undefined> {
    const { name, record, registry, warm: options } = this.#options;
    const [engine, host, hooks, signal] = [this.engine, this.#host, this.#hooks, this.#signal];
    if (!options) return undefined;
    const wish = { configYaml: config.yaml, nodeImage: image, kindVersion };
    const warm = await chooseWarm(wish, options, engine, host, hooks, signal);
    if (!warm) return undefined;
    await this.#networkIsThere(registry);
    return warmStart(
      {
        ...{ clusterName: name, warm, record, signal, network: this.#network },
        direct: registry ? [registry.name] : [],
        follow: (until, complete) => this.#follow(config, until, { complete }),
      },
      engine,
      host,
      hooks,
    );
  }

  /** One `kind create cluster`, followed from inside its nodes. Throws what went wrong first. */
  async #create({ config, image }: Recipe, attempt: number): Promise<RunningCluster> {
    const { name, kubeconfig, record, registry } = this.#options;
    if (attempt > 1) await removeNodes(name, this.engine, this.#host.clock);
    // kind would make it without our label, and it would stay
    if (this.engine.cli === "docker") await this.#networkIsThere(registry);
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#signal, ending.signal]);
    const preparing = deferred<void>();
    const kind = createWithKind(
      {
        ...{ name, kubeconfig, configYaml: config.yaml, image, record, attempt, signal },
        registryName: registry?.name,
        onPreparing: () => preparing.resolve(),
      },
      this.#host,
      this.#hooks,
    );
    kind.then(preparing.resolve, preparing.reject); // whatever kind prints, it ends
    const creating = kind.catch(async (error: unknown) => {
      throw await blameNodes(error, name, this.engine, this.#host.clock, signal);
    });
    const following = preparing.promise.then(() => this.#follow(config, signal));
    let first: { readonly error: unknown } | undefined;
    const note = (error: unknown) => {
      first ??= { error };
      ending.abort();
    };
    creating.catch(note);
    following.catch(note);
    const [, followed] = await Promise.allSettled([creating, following]);
    if (first || followed.status === "rejected") throw first?.error;
    return followed.value;
  }

  async #follow(
    { nodes, controlPlanes }: KindConfig,
    signal: AbortSignal,
    { complete, booted }: FollowOptions = {},
  ): Promise<RunningCluster> {
    const { name, kubeconfig, registry } = this.#options;
    // what is put into nodes that are then made anew is lost: a registry still has it, without one nobody has
    const isEarly = registry !== undefined || complete === undefined;
    let nodeNames: readonly string[] = [];
    const running = await followCluster({
      ...{ name, kubeconfig, nodes, controlPlanes, booted, registry, signal },
      network: this.#network,
      engine: this.engine,
      clock: this.#host.clock,
      hooks: this.#hooks,
      onNodes: (names) => {
        nodeNames = names;
        if (isEarly) this.nodes.resolve(names);
      },
    });
    await complete?.(running);
    this.nodes.resolve(nodeNames);
    this.#running = running;
    this.apiReady.resolve();
    // A convenience: without it DNS answers some seconds later, so a failure is none of the run's.
    void this.#asAdmin((client) => publishDnsEarly(client, this.#host.clock, this.#signal));
    return running;
  }

  async #asAdmin<T>(ask: (client: ApiClient) => Promise<T>): Promise<T> {
    const { server, administrators } = this.#running!;
    const client = createApiClient(server, administrators.admin);
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  }
}
