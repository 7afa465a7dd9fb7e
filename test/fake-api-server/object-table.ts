import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";

/** An object as tests write it: what a server fills in may be left out. */
export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Record<
    string,
    unknown
  >;
  readonly [key: string]: unknown;
}

export interface StoredObject extends TestObject {
  readonly metadata: TestObject["metadata"] & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly generation: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
}

export interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: StoredObject;
}

const PLURALS: Readonly<Record<string, string>> = {
  Ingress: "ingresses",
  Endpoints: "endpoints",
  StorageClass: "storageclasses",
  PriorityClass: "priorityclasses",
  NetworkPolicy: "networkpolicies",
};

/** `Deployment` → `deployments`. */
export function pluralOf(kind: string): string {
  return PLURALS[kind] ?? `${kind.toLowerCase()}s`;
}

/** Where an object is: `apps/v1 deployments`, and its place in it. */
export function collectionOf({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  return `${apiVersion} ${pluralOf(kind)}`;
}

/** The objects of a fake cluster with their history, as etcd keeps it. */
export class ObjectTable {
  /** How far this cluster's clock is from ours. */
  clockOffsetMs = 0;
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(change: Change, collection: string) => void>();
  #history: { readonly change: Change; readonly collection: string }[] = [];
  #version = 1000;
  #compactedAt = 0;

  get version(): number {
    return this.#version;
  }

  onChange(listener: (change: Change, collection: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As the server writes it: whole seconds. */
  now(): string {
    return `${new Date(Date.now() + this.clockOffsetMs).toISOString().slice(0, 19)}Z`;
  }

  get(collection: string, namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#objects.get(keyOf(collection, namespace, name));
  }

  list(collection: string, namespace: string | undefined): StoredObject[] {
    const prefix = namespace === undefined ? `${collection}|` : `${collection}|${namespace}|`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  /** Writes an object; generation grows when its spec changes. */
  put(collection: string, object: TestObject): StoredObject {
    const { name, namespace } = object.metadata;
    const key = keyOf(collection, namespace, name);
    const before = this.#objects.get(key);
    this.#version += 1;
    const changedSpec = before !== undefined && !isDeepStrictEqual(before.spec, object.spec);
    const stored: StoredObject = {
      ...object,
      metadata: {
        uid: before?.metadata.uid ?? randomUUID(),
        creationTimestamp: before?.metadata.creationTimestamp ?? this.now(),
        ...object.metadata,
        generation:
          (before?.metadata.generation ?? 0) + (before === undefined || changedSpec ? 1 : 0),
        resourceVersion: String(this.#version),
      },
    };
    this.#objects.set(key, stored);
    this.#record(
      { version: this.#version, type: before ? "MODIFIED" : "ADDED", object: stored },
      collection,
    );
    return stored;
  }

  /** Removes an object and what it owns; one with finalizers is only marked. */
  remove(collection: string, namespace: string | undefined, name: string): void {
    const key = keyOf(collection, namespace, name);
    const object = this.#objects.get(key);
    if (object === undefined) return;
    if ((object.metadata.finalizers ?? []).length > 0) {
      const metadata = { ...object.metadata, deletionTimestamp: this.now() };
      this.put(collection, { ...object, metadata });
      return;
    }
    this.#objects.delete(key);
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const gone = { ...object, metadata };
    this.#record({ version: this.#version, type: "DELETED", object: gone }, collection);
    for (const child of [...this.#objects.values()]) {
      if (child.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid))
        this.remove(collectionOf(child), child.metadata.namespace, child.metadata.name);
    }
  }

  /** What happened after a version; undefined when that is forgotten. */
  since(
    version: number,
  ): readonly { readonly change: Change; readonly collection: string }[] | undefined {
    if (version < this.#compactedAt) return undefined;
    return this.#history.filter(({ change }) => change.version > version);
  }

  /** Forgets all history: whoever goes on from before gets 410. */
  compact(): void {
    this.#version += 1;
    this.#compactedAt = this.#version;
    this.#history = [];
  }

  #record(change: Change, collection: string): void {
    this.#history.push({ change, collection });
    for (const listener of this.#listeners) listener(change, collection);
  }
}

const keyOf = (collection: string, namespace: string | undefined, name: string) =>
  `${collection}|${namespace ?? ""}|${name}`;

/** Puts a partial object over another: maps are merged, all else replaced. */
export function merge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
  return merged;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
