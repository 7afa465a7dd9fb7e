import type { Node, Pod } from "../api/api-object.ts";
import type { Evidence } from "../readiness/judgement.ts";
import type { EventLog } from "./event-log.ts";
import type { ObjectStore } from "./object-store.ts";
import type { WatchSet } from "./watch-set.ts";

/** Kinds that judgements ask after by name, and where they live. */
const LOOKED_UP: Readonly<Record<string, { apiVersion: string; namespaced: boolean }>> = {
  Secret: { apiVersion: "v1", namespaced: true },
  ConfigMap: { apiVersion: "v1", namespaced: true },
  PersistentVolumeClaim: { apiVersion: "v1", namespaced: true },
  Service: { apiVersion: "v1", namespaced: true },
  ServiceAccount: { apiVersion: "v1", namespaced: true },
  StorageClass: { apiVersion: "storage.k8s.io/v1", namespaced: false },
};

const NODES = { apiVersion: "v1", kind: "Node", namespace: undefined };

export interface EvidenceSources {
  readonly store: ObjectStore;
  readonly events: EventLog;
  readonly watches: WatchSet;
  readonly staticNodes: boolean;
  readonly nobodyElse: boolean;
  readonly mayStillAppear: Evidence["mayStillAppear"];
  readonly ownRegistry?: string | undefined;
}

/**
 * Answers from the caches. What only failures ask for (nodes, the existence of a Secret) is watched from the first
 * question on: "not known yet" until then, and asked again when the list is there. `onHope` hears each time that a
 * judgement rests on something that may still come or go: no watch of the resource's own objects tells when that is over.
 */
export function evidenceFrom(
  sources: EvidenceSources,
  endsBefore: Evidence["endsBefore"],
  onHope: () => void,
): Evidence {
  const { store, events, watches, staticNodes, nobodyElse } = sources;
  return {
    staticNodes,
    nobodyElse,
    ownRegistry: sources.ownRegistry,
    mayStillAppear(kind, namespace, name) {
      const hope = sources.mayStillAppear(kind, namespace, name);
      if (hope) onHope();
      return hope;
    },
    endsBefore,
    eventsOf: (uid) => events.of(uid),
    eventsAbout: (kind, namespace, name) => events.about(kind, namespace, name),
    nodes() {
      watches.ensure(NODES);
      if (watches.stateOf(NODES) !== "listed") return undefined;
      return [...store.values()].filter((object): object is Node => object.kind === "Node");
    },
    capacityMayFree() {
      const hope = [...store.values()].some(isEnding);
      if (hope) onHope();
      return hope;
    },
    exists(kind, namespace, name) {
      const where = LOOKED_UP[kind];
      if (where === undefined) return undefined;
      const key = {
        apiVersion: where.apiVersion,
        kind,
        namespace: where.namespaced ? namespace : undefined,
        metadataOnly: true,
      };
      watches.ensure(key);
      return watches.has(key, name);
    },
  };
}

/** A pod on a node that will leave it: being deleted, or of a Job and not yet done. */
function isEnding(object: { readonly kind: string }): boolean {
  if (object.kind !== "Pod") return false;
  const { metadata, spec, status } = object as Pod;
  if (!spec?.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return false;
  return (
    metadata.deletionTimestamp !== undefined ||
    (metadata.ownerReferences ?? []).some(({ kind }) => kind === "Job")
  );
}
