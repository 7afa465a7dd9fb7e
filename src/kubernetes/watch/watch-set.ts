import type { ApiError } from "../api/api-error.ts";
import type { ApiObject } from "../api/api-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { Reflector } from "./reflector.ts";

/** Whom a set of watches tells what it sees. */
export interface WatchListener {
  changed(object: ApiObject, gone: boolean): void;
  /** A list has come: what the judgement could not know before may be known now. */
  listed(key: WatchKey): void;
  forbidden(key: WatchKey, error: ApiError): void;
  /** For long the server has not let this be read, and since when. */
  blind(key: WatchKey, error: Error, since: Date): void;
  /** The server has no such kind, or could not be asked. */
  unavailable(key: WatchKey, error: Error): void;
}

export interface WatchKey {
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for kinds without namespaces. */
  readonly namespace: string | undefined;
  /** Names, labels and owners only. */
  readonly metadataOnly?: boolean;
}

interface Watch {
  readonly key: WatchKey;
  reflector: Reflector | undefined;
  readonly uids: Set<string>;
  names: Set<string>;
  state: "starting" | "listed" | "forbidden";
}

const NO_KIND_RETRY_MS = 1_000;

/** At most one watch a kind and namespace, each started when it is first needed. */
export class WatchSet {
  readonly #connection: KubernetesConnection;
  readonly #listener: WatchListener;
  readonly #blindAfterMs: number | undefined;
  readonly #watches = new Map<string, Watch>();
  #closed = false;

  constructor(connection: KubernetesConnection, listener: WatchListener, blindAfterMs?: number) {
    this.#connection = connection;
    this.#listener = listener;
    this.#blindAfterMs = blindAfterMs;
  }

  /** Sees to it that a kind is watched in a namespace, at least as fully as asked. */
  ensure(key: WatchKey): void {
    const id = idOf(key);
    const existing = this.#watches.get(id);
    const enough = existing && (key.metadataOnly || !existing.key.metadataOnly);
    if (enough || this.#closed) return;
    existing?.reflector?.close();
    const watch: Watch = {
      key,
      reflector: undefined,
      uids: existing?.uids ?? new Set(),
      names: existing?.names ?? new Set(),
      state: "starting",
    };
    this.#watches.set(id, watch);
    void this.#start(id, watch);
  }

  /** How far a watch has come; undefined when there is none. */
  stateOf(key: WatchKey): Watch["state"] | undefined {
    return this.#watches.get(idOf(key))?.state;
  }

  /** Whether a watched kind has an object of that name; undefined while that is not known. */
  has(key: WatchKey, name: string): boolean | undefined {
    const watch = this.#watches.get(idOf(key));
    return watch?.state === "listed" ? watch.names.has(name) : undefined;
  }

  /** As Reflector.confirm(), for the watches among these keys; undefined when there is nothing to wait for. */
  confirm(matters: (key: WatchKey) => boolean, maxAgeMs: number): Promise<void> | undefined {
    const open = [...this.#watches.values()].filter(({ key }) => matters(key));
    const answers = open.flatMap(({ reflector }) => reflector?.confirm(maxAgeMs) ?? []);
    return answers.length === 0 ? undefined : Promise.all(answers).then(() => {});
  }

  close(): void {
    this.#closed = true;
    for (const { reflector } of this.#watches.values()) reflector?.close();
    this.#watches.clear();
  }

  async #start(id: string, watch: Watch): Promise<void> {
    const { apiVersion, kind, namespace, metadataOnly = false } = watch.key;
    const current = () => !this.#closed && this.#watches.get(id) === watch;
    while (current()) {
      try {
        const { discovery } = this.#connection;
        const resource = await discovery.find(apiVersion, kind, { refresh: true });
        if (!current()) return;
        if (resource !== undefined) {
          watch.reflector = new Reflector(this.#connection, {
            resource,
            namespace: resource.namespaced ? namespace : undefined,
            metadataOnly,
            onList: (objects) => this.#replace(watch, objects),
            onChange: (object, gone) => this.#change(watch, object, gone),
            onForbidden: (error) => {
              watch.state = "forbidden";
              this.#listener.forbidden(watch.key, error);
            },
            onBlind: (error, since) => this.#listener.blind(watch.key, error, since),
            blindAfterMs: this.#blindAfterMs,
          });
          return;
        }
        this.#listener.unavailable(watch.key, new Error(`no kind ${kind} in ${apiVersion}`));
      } catch (error) {
        this.#listener.unavailable(watch.key, error as Error);
      }
      await new Promise((resolve) => setTimeout(resolve, NO_KIND_RETRY_MS).unref());
    }
  }

  #replace(watch: Watch, objects: readonly ApiObject[]): void {
    const present = new Set(objects.map(({ metadata }) => metadata.uid));
    const vanished = [...watch.uids].filter((uid) => !present.has(uid));
    watch.names = new Set();
    for (const uid of vanished) {
      watch.uids.delete(uid);
      this.#listener.changed(tombstone(watch.key, uid), true);
    }
    for (const object of objects) this.#change(watch, object, false);
    watch.state = "listed";
    this.#listener.listed(watch.key);
  }

  #change(watch: Watch, object: ApiObject, gone: boolean): void {
    const { uid, name } = object.metadata;
    if (gone) {
      watch.uids.delete(uid);
      watch.names.delete(name);
    } else {
      // Events are kept elsewhere, and there are too many of them to remember each.
      if (object.kind !== "Event") watch.uids.add(uid);
      watch.names.add(name);
    }
    this.#listener.changed(object, gone);
  }
}

/** Stands for an object that vanished while nobody watched: its last state is in the store, if anywhere. */
function tombstone({ apiVersion, kind, namespace }: WatchKey, uid: string): ApiObject {
  return {
    apiVersion,
    kind,
    metadata: {
      uid,
      name: "",
      resourceVersion: "",
      creationTimestamp: "",
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
}

const idOf = ({ apiVersion, kind, namespace }: WatchKey) =>
  `${apiVersion} ${kind} ${namespace ?? ""}`;
