import type { ReadinessMode } from "../../model/plan.ts";
import {
  type ApiObject,
  objectName,
  type Pod,
  type PodTemplate,
  type Workload,
} from "../api/api-object.ts";
import type { AppliedObject } from "../applied-object.ts";
import { TEMPLATE_HASH_LABEL } from "../inject/labels.ts";
import type { ObservedObject, ObservedResource } from "../readiness/resource.ts";
import type { ObjectStore } from "./object-store.ts";

/** What the engine says about a resource that it has deployed. */
export interface TrackRequest {
  readonly name: string;
  readonly mode: ReadinessMode;
  readonly applied: readonly AppliedObject[];
  readonly extraPodSelectors: readonly Readonly<Record<string, string>>[];
  readonly discoveryStrategy: "default" | "selectors-only";
  /** Epoch ms at which applying began: crashes and events from before are not of this deploy. */
  readonly deployedAt: number;
}

/** One deployed resource: which objects and pods are its own. */
export class TrackedResource {
  readonly request: TrackRequest;
  readonly #store: ObjectStore;
  /** By the UID that was applied; an object that somebody made anew under the same name takes the place. */
  readonly #current = new Map<
    string,
    { uid: string; live: ApiObject | undefined; gone: boolean }
  >();
  readonly #templateHashes: ReadonlySet<string>;
  readonly #finished = new Map<string, Pod>();

  constructor(request: TrackRequest, store: ObjectStore) {
    this.request = request;
    this.#store = store;
    for (const { uid } of request.applied)
      this.#current.set(uid, { uid, live: undefined, gone: false });
    this.#templateHashes = new Set(
      request.applied.flatMap(({ object }) => templateLabels(object)[TEMPLATE_HASH_LABEL] ?? []),
    );
  }

  /** UIDs of its objects as they are now. */
  uids(): string[] {
    return [...this.#current.values()].map(({ uid }) => uid);
  }

  /** Whether the state of one of its objects is known. */
  knows(uid: string): boolean {
    return this.#current.get(uid)?.live !== undefined;
  }

  /** Hears of an object that has changed; remembers what its own come to when they are deleted. */
  notice(object: ApiObject, gone: boolean): void {
    for (const entry of this.#current.values()) {
      if (entry.uid !== object.metadata.uid) continue;
      entry.live = object;
      entry.gone = gone;
    }
    const phase = object.kind === "Pod" ? (object as Pod).status?.phase : undefined;
    if (gone && (phase === "Succeeded" || phase === "Failed"))
      this.#finished.set(object.metadata.uid, object as Pod);
  }

  /** Takes an object with the name of one of its own for that one. Returns whether it is. */
  adopt(object: ApiObject): boolean {
    const { applied } = this.request;
    const own = applied.find(
      ({ kind, apiVersion, name, namespace }) =>
        kind === object.kind &&
        apiVersion === object.apiVersion &&
        name === object.metadata.name &&
        namespace === object.metadata.namespace,
    );
    const entry = own && this.#current.get(own.uid);
    if (entry === undefined || !entry.gone || entry.uid === object.metadata.uid) return false;
    entry.uid = object.metadata.uid;
    return true;
  }

  /** Whether a pod has the labels of one of the extra selectors. */
  selects({ metadata }: ApiObject): boolean {
    return this.request.extraPodSelectors.some((selector) =>
      Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value),
    );
  }

  /** Everything that a judgement needs, out of the cache. */
  observe(): ObservedResource {
    const { mode, discoveryStrategy, extraPodSelectors, applied } = this.request;
    const selectorsOnly = discoveryStrategy === "selectors-only";
    const objects = applied.map((one) => this.#observeObject(one, selectorsOnly));
    const owned = new Set(objects.flatMap(({ pods }) => pods.map(({ metadata }) => metadata.uid)));
    const selected =
      extraPodSelectors.length === 0
        ? []
        : this.#podsOfStore().filter(
            (pod) =>
              this.selects(pod) &&
              !owned.has(pod.metadata.uid) &&
              pod.metadata.deletionTimestamp === undefined &&
              this.#isOfThisDeploy(pod),
          );
    return {
      mode,
      discoveryStrategy,
      hasSelectors: extraPodSelectors.length > 0,
      objects,
      selected: selected.toSorted(byAge),
    };
  }

  /** Pods that are its own now, oldest first. */
  pods(): Pod[] {
    const { objects, selected } = this.observe();
    return [...objects.flatMap(({ pods }) => pods), ...selected].toSorted(byAge);
  }

  /**
   * The pods that `tilt ci` would keep: also those of older revisions that StatefulSets and DaemonSets still have, and
   * a finished one that is deleted as long as it has no sibling (ci-engine.md §5).
   */
  podsLikeTilt(): Pod[] {
    const { applied, discoveryStrategy } = this.request;
    const uids = discoveryStrategy === "selectors-only" ? [] : applied.map(({ uid }) => uid);
    const owned = uids.flatMap((uid) => {
      const sets = this.#store.childrenOf(uid).filter(({ kind }) => kind === "ReplicaSet");
      const newest = sets.toSorted(byAge).at(-1);
      return this.#store.podsBelow(uid, (child) => child.kind !== "ReplicaSet" || child === newest);
    });
    const selected = this.#podsOfStore().filter((pod) => this.selects(pod));
    const pods = [...new Set([...owned, ...selected])].filter((pod) => this.#isOfThisDeploy(pod));
    return (pods.length > 0 ? pods : [...this.#finished.values()]).toSorted(byAge);
  }

  #observeObject(applied: AppliedObject, selectorsOnly: boolean): ObservedObject {
    const { uid, live, gone } = this.#current.get(applied.uid)!;
    const state = live ?? this.#store.get(uid);
    const pods =
      selectorsOnly || state === undefined
        ? []
        : this.#store
            .podsBelow(uid, (child) => isOfCurrentRevision(child, state, this.#store))
            .filter((pod) => this.#isOfThisDeploy(pod));
    return {
      apiVersion: applied.apiVersion,
      kind: applied.kind,
      uid,
      label: objectName(applied.object),
      live: state,
      gone,
      pods: pods.toSorted(byAge),
    };
  }

  #isOfThisDeploy({ metadata }: Pod): boolean {
    const hash = metadata.labels?.[TEMPLATE_HASH_LABEL];
    return hash === undefined || this.#templateHashes.size === 0 || this.#templateHashes.has(hash);
  }

  #podsOfStore(): Pod[] {
    return [...this.#store.values()].filter((object): object is Pod => object.kind === "Pod");
  }
}

/** Whether a child of a controller was made from the controller's present template. */
function isOfCurrentRevision(child: ApiObject, owner: ApiObject, store: ObjectStore): boolean {
  if (!child.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid)) return true;
  const { labels = {} } = child.metadata;
  switch (owner.kind) {
    case "Deployment":
      return child.kind !== "ReplicaSet" || child === newestReplicaSet(owner, store);
    case "StatefulSet": {
      const { updateRevision } = (owner as Workload).status ?? {};
      const revision = labels["controller-revision-hash"];
      return updateRevision === undefined || revision === undefined || revision === updateRevision;
    }
    case "DaemonSet": {
      const generation = owner.metadata.annotations?.["deprecated.daemonset.template.generation"];
      const own = labels["pod-template-generation"];
      return generation === undefined || own === undefined || own === generation;
    }
    default:
      return true;
  }
}

/** A rollback makes an old ReplicaSet the newest again: its revision grows, its age does not change. */
function newestReplicaSet(owner: ApiObject, store: ObjectStore): ApiObject | undefined {
  const revision = ({ metadata }: ApiObject) =>
    Number(metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
  return store
    .childrenOf(owner.metadata.uid)
    .filter(({ kind }) => kind === "ReplicaSet")
    .toSorted((a, b) => revision(a) - revision(b) || byAge(a, b))
    .at(-1);
}

function templateLabels(object: ApiObject): Readonly<Record<string, string>> {
  const { template } = (object.spec ?? {}) as { readonly template?: PodTemplate };
  return template?.metadata?.labels ?? {};
}

/** Orders by creation, then by name. */
export function byAge(a: ApiObject, b: ApiObject): number {
  return (
    a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}
