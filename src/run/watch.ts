import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AppliedObject,
  collectDiagnostics,
  createWatcher,
  type KubernetesConnection,
  type OpenPortForwards,
  openPortForwards,
  type Watcher,
} from "../kubernetes/index.ts";
import type { CustomResource, KubernetesResource, Plan } from "../model/plan.ts";
import type { RunCluster } from "./cluster.ts";
import { plansNoMakers } from "./nobody-else.ts";
import { mayStillAppear } from "./on-its-way.ts";
import type { Collector, Session } from "./session.ts";

const LAST_LOGS_MS = 1000;
/** The log of a container that has written nothing for this long is taken to be passed on. */
const QUIET_MS = 150;

/** What is deployed, watched: observations, pod output and events of the cluster go into the log. */
export interface ClusterWatch {
  watcher(): Promise<Watcher>;
  /** Before the run passes: see Watcher.confirm(). */
  confirm(): Promise<void> | undefined;
  /** What containers wrote last is what a failure is about; of a run that `passed` what has arrived is enough. */
  close(passed: boolean): Promise<void>;
}

/** The watch begins with the first deploy. A lost API server breaks the run. */
export function createClusterWatch(
  session: Session,
  plan: Plan,
  cluster: RunCluster,
): ClusterWatch {
  let opened: Promise<{ readonly watcher: Watcher; readonly forwards: Forwards }> | undefined;
  let current: Watcher | undefined;
  const open = async () => {
    const connection = await cluster.api(session.signal);
    const registry = cluster.lease && (await cluster.registry());
    const { log } = session;
    const forwards = new Forwards(session, plan, connection, () => watcher, cluster);
    const watcher: Watcher = createWatcher(connection, {
      semantics: session.options.policy.semantics,
      onObservation: (resource, observation) => {
        log.append({ type: "observed", at: session.now(), resource, observation });
        if (observation.state === "ready") forwards.open(resource);
      },
      onClusterEvent: (event) => log.append(event),
      onLog: (line) => session.line(line),
      onRestart: ({ resource, pod, container }) =>
        session.line({
          resource,
          phase: phaseOf(plan, resource),
          level: "warn",
          source: "runtime",
          text: `Detected container restart. Pod: ${pod}. Container: ${container}.`,
        }),
      startedAt: session.startedAt,
      staticNodes: cluster.staticNodes,
      nobodyElse: cluster.lease !== undefined && plansNoMakers(plan),
      ownRegistry: registry?.hostFromContainerRuntime,
      mayStillAppear: (kind, namespace, name) =>
        mayStillAppear({ kind, namespace, name }, plan, log.events),
      onLost: (error) => session.broken.abort(error),
    });
    current = watcher;
    session.collectors.push(diagnosticsOf(session, plan, connection, watcher));
    return { watcher, forwards };
  };
  return {
    watcher: async () => {
      opened ??= open();
      return (await opened).watcher;
    },
    confirm: () => current?.confirm(),
    close: async (passed) => {
      const parts = await opened?.catch(() => undefined); // its failure has been told by the deploy that asked
      if (!parts) return;
      const { forwards, watcher } = parts;
      await Promise.all([forwards.close(), watcher.flush(LAST_LOGS_MS, passed ? 0 : QUIET_MS)]);
      watcher.close();
    },
  };
}

/** For the diagnostics bundle: logs, events and descriptions of what was deployed. */
function diagnosticsOf(
  session: Session,
  plan: Plan,
  connection: KubernetesConnection,
  watcher: Watcher,
): Collector {
  return {
    name: "kubernetes",
    async collect(directory) {
      const resources = plan.resources
        .filter(({ type }) => type === "k8s" || type === "custom")
        .map(({ name }) => ({ name, applied: watcher.applied(name), pods: watcher.pods(name) }));
      const scrub = (text: string) => session.scrubber.text(text);
      const { problems } = await collectDiagnostics(connection, {
        resources,
        directory,
        deadlineMs: 8000,
        scrub,
      });
      if (problems.length > 0)
        await writeFile(join(directory, "problems.txt"), `${problems.join("\n")}\n`);
    },
  };
}

function phaseOf(plan: Plan, name: string): "job" | "ready" {
  const resource = plan.resources.find((candidate) => candidate.name === name);
  return resource && "readiness" in resource && resource.readiness === "succeeded"
    ? "job"
    : "ready";
}

/** Port-forwards of resources: opened when a resource is first ready, so that what depends on it finds them open. */
class Forwards {
  readonly #session: Session;
  readonly #plan: Plan;
  readonly #connection: KubernetesConnection;
  readonly #watcher: () => Watcher;
  readonly #open = new Map<string, OpenPortForwards>();
  readonly #seen = new Set<string>();
  readonly #cluster: RunCluster;

  constructor(
    session: Session,
    plan: Plan,
    connection: KubernetesConnection,
    watcher: () => Watcher,
    cluster: RunCluster,
  ) {
    this.#cluster = cluster;
    this.#session = session;
    this.#plan = plan;
    this.#connection = connection;
    this.#watcher = watcher;
  }

  /** On the first time that a resource is ready; tells when what depends on it finds it. */
  open(name: string): void {
    const resource = this.#plan.resources.find((candidate) => candidate.name === name);
    if (resource?.type !== "k8s" && resource?.type !== "custom") return;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    const ways = [this.#services(name), this.#forward(resource)];
    Promise.all(ways).then(
      () => this.#session.reached(name, "reachable"),
      (error: unknown) => this.#refused(name, error),
    );
  }

  #forward({ name, portForwards }: KubernetesResource | CustomResource): Promise<void> | undefined {
    if (portForwards.length === 0) return undefined;
    const forwards = openPortForwards(this.#connection, this.#watcher(), name, portForwards, {
      defaultHost: this.#session.options.host,
      onLine: (text) =>
        this.#session.line({
          resource: name,
          phase: phaseOf(this.#plan, name),
          level: "info",
          source: "runtime",
          text,
        }),
    });
    this.#open.set(name, forwards);
    return forwards.ready;
  }

  /** A Service leads to a new pod only when every node's proxy has heard of it, which the API does not tell. */
  async #services(name: string): Promise<void> {
    const services = this.#watcher()
      .applied(name)
      .filter(({ kind }) => kind === "Service");
    if (services.length === 0 || !this.#isNeeded(name)) return;
    await this.#cluster.serves(services.flatMap(clusterAddresses), this.#session.signal);
  }

  #isNeeded(name: string): boolean {
    return this.#plan.resources.some(
      ({ enabled, autoInit, resourceDeps }) => enabled && autoInit && resourceDeps.includes(name),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((forwards) => forwards.close()));
  }

  /** Only what depends on a resource needs its forwards: without dependants a taken port is a warning. */
  #refused(name: string, error: unknown): void {
    const { session, message } = {
      session: this.#session,
      message: error instanceof Error ? error.message : String(error),
    };
    if (!this.#isNeeded(name)) {
      session.warn(message, { resource: name });
      session.reached(name, "reachable");
      return;
    }
    const failure =
      error instanceof Error && "failure" in error
        ? (error.failure as import("../model/result.ts").Failure)
        : { code: "PortTaken" as const, message };
    session.log.append({
      type: "phase-finished",
      at: session.now(),
      resource: name,
      phase: phaseOf(this.#plan, name),
      attempt: 1,
      status: "failed",
      failure,
    });
  }
}

/** Cluster IPs that a proxy has to lead somewhere: none of a headless Service, none of an external name. */
function clusterAddresses({ object }: AppliedObject): readonly string[] {
  const { clusterIPs = [], selector } = (object.spec ?? {}) as {
    readonly clusterIPs?: readonly string[];
    readonly selector?: object;
  };
  return selector ? clusterIPs.filter((address) => address !== "None") : [];
}
