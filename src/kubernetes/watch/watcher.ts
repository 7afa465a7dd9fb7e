import { steadyNow } from "../../host/steady-clock.ts";
import type { Observation } from "../../model/event.ts";
import type { ApiObject, ClusterEvent, Pod } from "../api/api-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { PodLogs } from "../pods/pod-logs.ts";
import { isCustomKind, ruleFor } from "../readiness/rules.ts";
import { EventLog } from "./event-log.ts";
import { EventReporter } from "./event-reporter.ts";
import type { EvidenceSources } from "./evidence.ts";
import { blindWatch, forbiddenWatch, isDecisive } from "./lost-watch.ts";
import { ObjectStore } from "./object-store.ts";
import { Observer } from "./observer.ts";
import { TrackedResource, type TrackRequest } from "./tracked-resource.ts";
import { type WatchListener, WatchSet } from "./watch-set.ts";
import type { WatcherOptions } from "./watcher-options.ts";

/** An applied object that its watch should have brought by now does not exist any more. */
const ARRIVAL_MS = 2_000;
/** What a watch brought within this is believed: a kubelet does not tell any sooner either. */
const FRESH_MS = 1_000;

/** Watches what a run has deployed and says, whenever it changes, how each resource is. */
export class Watcher {
  readonly #connection: KubernetesConnection;
  readonly #options: WatcherOptions;
  readonly #store = new ObjectStore();
  readonly #events = new EventLog();
  readonly #watches: WatchSet;
  readonly #sources: EvidenceSources;
  readonly #resources = new Map<string, { tracked: TrackedResource; observer: Observer }>();
  /** Names of resources by the UIDs of their objects. */
  readonly #byUid = new Map<string, Set<string>>();
  readonly #observations = new Map<string, Observation>();
  readonly #dirty = new Set<string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #logs: PodLogs;
  readonly #reporter: EventReporter;
  readonly #podListeners = new Set<(resource: string) => void>();
  readonly #releases: (() => void)[];
  /** Something was applied whose pods hang below objects of kinds that are not known beforehand. */
  #openEnded = false;
  #scheduled = false;
  #closed = false;

  constructor(connection: KubernetesConnection, options: WatcherOptions) {
    this.#connection = connection;
    this.#options = options;
    const listener: WatchListener = {
      changed: (object, gone) => this.#changed(object, gone),
      listed: () => this.#markAll(),
      forbidden: (key, error) => isDecisive(key) && options.onLost(forbiddenWatch(key, error)),
      blind: (key, error, since) =>
        isDecisive(key) && options.onLost(blindWatch(key, error, since)),
      unavailable: () => {},
    };
    this.#watches = new WatchSet(connection, listener, options.blindAfterMs);
    this.#sources = {
      store: this.#store,
      events: this.#events,
      watches: this.#watches,
      staticNodes: options.staticNodes ?? true,
      nobodyElse: options.nobodyElse ?? false,
      ownRegistry: options.ownRegistry,
      mayStillAppear: options.mayStillAppear ?? (() => false),
    };
    const { startedAt = steadyNow() } = options;
    this.#logs = new PodLogs(connection, {
      startedAt: () => startedAt + connection.transport.serverAheadMs,
      onLine: options.onLog,
      onRestart: options.onRestart,
    });
    this.#reporter = new EventReporter(options.onClusterEvent);
    this.#releases = [
      connection.health.expectNews(),
      connection.health.onLost((error) => options.onLost(error)),
    ];
  }

  /** Starts, or after another deploy starts anew, to judge a resource. */
  track(asked: TrackRequest): void {
    // from here on it is compared with what the server writes
    const deployedAt = asked.deployedAt + this.#connection.transport.serverAheadMs;
    const request = { ...asked, deployedAt };
    const { name, applied } = request;
    this.#forget(name);
    const tracked = new TrackedResource(request, this.#store);
    const observer = new Observer(tracked, this.#options.semantics, this.#sources);
    this.#resources.set(name, { tracked, observer });
    for (const { uid } of applied) this.#own(uid, name);
    this.#openEnded ||= applied.some(mayOwnOwners);
    this.#watchFor(request);
    this.#expectArrival(name, tracked);
    this.#mark(name);
  }

  /** The last observation of a resource; undefined before it is tracked. */
  observation(name: string): Observation | undefined {
    return this.#observations.get(name);
  }

  /** The objects of a resource as they were applied. */
  applied(name: string): TrackRequest["applied"] {
    return this.#resources.get(name)?.tracked.request.applied ?? [];
  }

  /** The pods of a resource, oldest first. */
  pods(name: string): readonly Pod[] {
    return this.#resources.get(name)?.tracked.pods() ?? [];
  }

  /** Calls back when the pods of a resource may have changed. Returns how to stop that. */
  onPods(listener: (resource: string) => void): () => void {
    this.#podListeners.add(listener);
    return () => this.#podListeners.delete(listener);
  }

  /**
   * Sees to it that no observation is older than a second: undefined when none can be, else resolves once the kinds
   * whose watches have been silent for longer were listed, and what that changes was observed.
   */
  confirm(): Promise<void> | undefined {
    const listed = this.#watches.confirm(isDecisive, FRESH_MS);
    return listed?.then(() => {
      if (!this.#closed) this.#evaluate();
    });
  }

  /**
   * Waits until the logs have brought what containers wrote so far, at most `deadlineMs`: those of ended containers to
   * their end, those of others until nothing came for `quietMs`.
   */
  flush(deadlineMs: number, quietMs: number): Promise<void> {
    return this.#logs.flush(deadlineMs, quietMs);
  }

  /** Ends all watches and logs. */
  close(): void {
    this.#closed = true;
    for (const release of this.#releases) release();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#watches.close();
    this.#logs.close();
  }

  #forget(name: string): void {
    for (const names of this.#byUid.values()) names.delete(name);
    clearTimeout(this.#timers.get(name));
    this.#observations.delete(name);
  }

  #own(uid: string, name: string): void {
    const names = this.#byUid.get(uid);
    if (names === undefined) this.#byUid.set(uid, new Set([name]));
    else names.add(name);
  }

  #watchFor({ applied, extraPodSelectors }: TrackRequest): void {
    const namespaces = new Set<string>();
    for (const { apiVersion, kind, namespace } of applied) {
      if (namespace !== undefined) namespaces.add(namespace);
      if (ruleFor({ apiVersion, kind }) !== undefined)
        this.#watches.ensure({ apiVersion, kind, namespace });
    }
    if (namespaces.size === 0 && extraPodSelectors.length > 0)
      namespaces.add(this.#connection.namespace);
    for (const namespace of namespaces) {
      this.#watches.ensure({ apiVersion: "v1", kind: "Pod", namespace });
      this.#watches.ensure({ apiVersion: "v1", kind: "Event", namespace });
    }
    for (const { kind, namespace } of applied)
      if (kind === "Deployment")
        this.#watches.ensure({ apiVersion: "apps/v1", kind: "ReplicaSet", namespace });
  }

  /** What an applied object came to is not told by a watch that began after it was gone. */
  #expectArrival(name: string, tracked: TrackedResource): void {
    const { applied } = tracked.request;
    const check = () => {
      const { tracked: current } = this.#resources.get(name) ?? {};
      if (this.#closed || current !== tracked) return;
      for (const { apiVersion, kind, namespace, uid, object } of applied) {
        const state = this.#watches.stateOf({ apiVersion, kind, namespace });
        if (state === "starting") return void setTimeout(check, ARRIVAL_MS).unref();
        if (state === "listed" && this.#store.get(uid) === undefined && !tracked.knows(uid))
          tracked.notice(object, true);
      }
      this.#mark(name);
    };
    setTimeout(check, ARRIVAL_MS).unref();
  }

  #changed(object: ApiObject, gone: boolean): void {
    if (object.kind === "Event") {
      this.#heardEvent(object as ClusterEvent, gone);
      return;
    }
    const { uid } = object.metadata;
    const last = object.metadata.name === "" ? this.#store.get(uid) : object;
    if (last === undefined) return;
    const ancestry = this.#store.ancestry(last);
    if (gone) this.#store.delete(uid);
    else this.#store.put(last);
    if (object.kind === "Node") {
      this.#markUnready();
      return;
    }
    this.#followOwners(last);
    for (const ancestor of ancestry) {
      for (const name of this.#byUid.get(ancestor) ?? []) {
        this.#resources.get(name)?.tracked.notice(last, gone);
        this.#mark(name);
      }
    }
    this.#adopt(last, gone);
    if (last.kind === "Pod") this.#markSelecting(last);
  }

  #heardEvent(event: ClusterEvent, gone: boolean): void {
    if (gone) return;
    this.#events.put(event);
    const uid = event.involvedObject.uid ?? "";
    const object = this.#store.get(uid);
    const ancestry = object === undefined ? [uid] : this.#store.ancestry(object);
    for (const ancestor of ancestry)
      for (const name of this.#byUid.get(ancestor) ?? []) this.#mark(name);
    if (object?.kind === "Pod") this.#markSelecting(object);
  }

  /** An object of the same name in place of one of ours that was deleted is ours. */
  #adopt(object: ApiObject, gone: boolean): void {
    if (gone || this.#byUid.has(object.metadata.uid)) return;
    for (const [name, { tracked }] of this.#resources) {
      if (!tracked.adopt(object)) continue;
      this.#own(object.metadata.uid, name);
      tracked.notice(object, false);
      this.#mark(name);
    }
  }

  /** Pods of operators hang below kinds that nobody applied: the way up is watched step by step. */
  #followOwners({ metadata }: ApiObject): void {
    if (!this.#openEnded) return;
    const { namespace, ownerReferences = [] } = metadata;
    for (const { apiVersion, kind, uid } of ownerReferences) {
      if (this.#store.get(uid) === undefined && !this.#byUid.has(uid) && kind !== "Node")
        this.#watches.ensure({ apiVersion, kind, namespace, metadataOnly: true });
    }
  }

  #markSelecting(pod: ApiObject): void {
    for (const [name, { tracked }] of this.#resources) if (tracked.selects(pod)) this.#mark(name);
  }

  #markUnready(): void {
    for (const name of this.#resources.keys())
      if (this.#observations.get(name)?.state !== "ready") this.#mark(name);
  }

  #markAll(): void {
    for (const name of this.#resources.keys()) this.#mark(name);
  }

  #mark(name: string): void {
    this.#dirty.add(name);
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    // One evaluation for all that a chunk of a watch brings.
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#evaluate();
    });
  }

  #evaluate(): void {
    const names = [...this.#dirty];
    this.#dirty.clear();
    for (const name of names) {
      const entry = this.#resources.get(name);
      if (entry === undefined) continue;
      const { observer, tracked } = entry;
      const { observation, pods, changed, recheckInMs } = observer.observe(performance.now());
      clearTimeout(this.#timers.get(name));
      if (recheckInMs !== undefined)
        this.#timers.set(name, setTimeout(() => this.#mark(name), recheckInMs).unref());
      this.#reporter.report(tracked, pods, this.#events, this.#store);
      this.#logs.follow(tracked.request, pods);
      if (!changed) continue;
      this.#observations.set(name, observation);
      this.#options.onObservation(name, observation);
      for (const listener of this.#podListeners) listener(name);
    }
  }
}

const mayOwnOwners = ({ apiVersion, kind }: { apiVersion: string; kind: string }) =>
  kind === "CronJob" || isCustomKind(apiVersion);

/** Starts to watch. Nothing is asked of the API server before the first track(). */
export function createWatcher(connection: KubernetesConnection, options: WatcherOptions): Watcher {
  return new Watcher(connection, options);
}
