import { CancelledError } from "../errors.ts";
import { ApiError, isNotFound } from "./api/api-error.ts";
import { objectName } from "./api/api-object.ts";
import { type ApiResource, objectPath } from "./api/discovery.ts";
import { isPassing } from "./apply/apply-error.ts";
import { awaitObject } from "./apply/await-object.ts";
import { byRank } from "./apply/kind-order.ts";
import { retryPassing } from "./apply/retry.ts";
import { claimsOf } from "./claims-of-sets.ts";
import type { KubernetesConnection } from "./connection.ts";
import { endOwned, type Owned, ownedBy, withdraw } from "./end-pods.ts";
import { isCustomKind } from "./readiness/rules.ts";

/** An object by name, and by UID if only that very object is meant. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string;
}

export interface DeleteOptions {
  /** Wait until they, and what they own, are gone. */
  readonly wait: boolean;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  /**
   * How long Pods may take to end, bare ones and those of workloads; their own grace period by default. When it is
   * given, those of workloads leave the API before that, unless new ones could meet them on the node. Those of a
   * StatefulSet are waited for in any case: no new one can have their names before.
   */
  readonly podGraceSeconds?: number;
  /** The claims of StatefulSets go, too: data of one run are none of the next. */
  readonly withClaims?: boolean;
  /** For one object to go, 60 s by default. */
  readonly timeoutMs?: number;
}

/** What came of a deletion. */
export interface DeleteOutcome {
  readonly deleted: readonly ObjectRef[];
  /** `Kind/namespace/name: why`, for those that are still there. */
  readonly failures: readonly string[];
  /** Those that are still there. */
  readonly remaining: readonly ObjectRef[];
}

const RETRY_MS = 20_000;
/** Longer than a Pod of a short grace period needs: a new set may be applied then, too. */
const POD_END_MS = 10_000;
/** Namespaces that Kubernetes needs itself. */
const KEPT_NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Deletes objects in the reverse of the order in which they are applied, and then waits for all of them at once; only
 * custom resources go before the rest is touched, since controllers among the rest may have to let them go. What is
 * gone already, or was made anew by others, is none of its business. Failures are told, not thrown, so that one object
 * does not keep the others; throws CancelledError only.
 */
export async function deleteObjects(
  connection: KubernetesConnection,
  refs: readonly ObjectRef[],
  options: DeleteOptions,
): Promise<DeleteOutcome> {
  const deletion = new Deletion(connection, options);
  const custom = refs.filter(({ apiVersion }) => isCustomKind(apiVersion));
  const others = refs.filter(({ apiVersion }) => !isCustomKind(apiVersion));
  const claims = await deletion.claims(others);
  for (const group of [custom, others]) {
    await deletion.prepare(group);
    for (const rank of byRank(group, ({ kind }) => kind).toReversed())
      await Promise.all(rank.toReversed().map((ref) => deletion.request(ref)));
    await deletion.awaitAll();
  }
  await deletion.awaitPods();
  // A new set of that name would take a claim that is still going.
  await Promise.all(claims.map((ref) => deletion.request(ref, true)));
  await deletion.awaitAll();
  const { deleted, failures, remaining } = deletion;
  return { deleted, failures, remaining };
}

class Deletion {
  readonly deleted: ObjectRef[] = [];
  readonly failures: string[] = [];
  readonly remaining: ObjectRef[] = [];
  readonly #connection: KubernetesConnection;
  readonly #options: DeleteOptions;
  #owned: ReadonlyMap<ObjectRef, Owned> = new Map();
  #requested: { readonly ref: ObjectRef; readonly resource: ApiResource }[] = [];

  constructor(connection: KubernetesConnection, options: DeleteOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  request(ref: ObjectRef, wait = this.#options.wait): Promise<void> {
    return this.#attempt(ref, async () => {
      if (ref.kind === "Namespace" && KEPT_NAMESPACES.includes(ref.name)) return;
      const { signal, onLine } = this.#options;
      const { discovery } = this.#connection;
      const resource = await discovery.find(ref.apiVersion, ref.kind, { signal });
      if (resource === undefined) return;
      const found = await retryPassing(
        () => requestDeletion(this.#connection, resource, ref, this.#options),
        { object: nameOf(ref), withinMs: RETRY_MS, signal, isPassing, onRetry: () => {} },
      );
      if (!found) return;
      onLine?.(`Deleting ${nameOf(ref)}`);
      if (ref.kind !== "StatefulSet") await this.#endOwned(ref);
      if (wait) this.#requested.push({ ref, resource });
      else this.deleted.push(ref);
    });
  }

  /**
   * Looks up what the workloads own. A StatefulSet's Pods are told to end at once: the controller of a new set that meets
   * them in the API tries again after longer and longer pauses.
   */
  async prepare(owners: readonly ObjectRef[]): Promise<void> {
    const { podGraceSeconds, signal } = this.#options;
    if (podGraceSeconds === undefined) return;
    await this.#saving(async () => {
      this.#owned = await ownedBy(this.#connection, owners, signal);
    });
    const sets = [...this.#owned].filter(([{ kind }]) => kind === "StatefulSet");
    await Promise.all(sets.map(([set]) => this.#endOwned(set)));
  }

  /**
   * It has to come before the garbage collector comes to the Pods: a kubelet that has begun to wait for a Pod's own grace
   * period (30 s by default) goes on with that.
   */
  async #endOwned(owner: ObjectRef): Promise<void> {
    const { podGraceSeconds, signal } = this.#options;
    const owned = this.#owned.get(owner);
    if (owned === undefined || podGraceSeconds === undefined) return;
    await this.#saving(() => endOwned(this.#connection, owned, podGraceSeconds, signal));
  }

  /** Saves time at most: what goes wrong is left to the garbage collector and the Pods' own grace periods. */
  async #saving(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof CancelledError) throw error;
    }
  }

  /** Their workloads are deleted by now: nothing makes new ones in their place. */
  async awaitPods(): Promise<void> {
    const owners = [...this.#owned].filter(([owner]) => this.deleted.includes(owner));
    if (owners.length === 0) return;
    const { signal } = this.#options;
    await this.#saving(() =>
      withdraw(
        this.#connection,
        owners.flatMap(([, { pods }]) => pods),
        signal,
      ),
    );
    await this.#saving(async () => {
      const resource = await this.#connection.discovery.find("v1", "Pod", { signal });
      if (resource === undefined) return;
      const named = owners
        .filter(([{ kind }]) => kind === "StatefulSet")
        .flatMap(([, { pods }]) => pods);
      const awaitEnd = async (pod: ObjectRef) => {
        await this.#awaitGone(pod, resource, POD_END_MS);
      };
      await Promise.all(named.map((pod) => this.#saving(() => awaitEnd(pod))));
    });
  }

  async claims(owners: readonly ObjectRef[]): Promise<readonly ObjectRef[]> {
    if (!this.#options.withClaims) return [];
    return claimsOf(this.#connection, owners, this.#options.signal).catch((error: unknown) => {
      if (error instanceof CancelledError) throw error;
      this.failures.push(`claims of StatefulSets: ${(error as Error).message}`);
      return [];
    });
  }

  async awaitAll(): Promise<void> {
    const requested = this.#requested;
    this.#requested = [];
    const { timeoutMs = 60_000 } = this.#options;
    await Promise.all(
      requested.map(({ ref, resource }) =>
        this.#attempt(ref, async () => {
          if (!(await this.#awaitGone(ref, resource, timeoutMs)))
            throw new Error(`still there after ${timeoutMs / 1000} s (finalizers?)`);
          this.deleted.push(ref);
        }),
      ),
    );
  }

  #awaitGone(ref: ObjectRef, resource: ApiResource, timeoutMs: number): Promise<boolean> {
    const { namespace, name, uid } = ref;
    return awaitObject(
      this.#connection,
      { resource, namespace, name, timeoutMs, signal: this.#options.signal },
      (object) => object === undefined || (uid !== undefined && object.metadata.uid !== uid),
    );
  }

  async #attempt(ref: ObjectRef, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      this.failures.push(`${nameOf(ref)}: ${(error as Error).message}`);
      this.remaining.push(ref);
    }
  }
}

/** Returns whether there was something to delete. */
async function requestDeletion(
  { transport }: KubernetesConnection,
  resource: ApiResource,
  ref: ObjectRef,
  { wait, podGraceSeconds, signal }: DeleteOptions,
): Promise<boolean> {
  try {
    await transport.request({
      method: "DELETE",
      path: objectPath(resource, ref.namespace, ref.name),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        // In the foreground an owner stays until what it owns is gone, so that waiting for it is waiting for all.
        propagationPolicy: wait ? "Foreground" : "Background",
        ...(ref.kind === "Pod" && podGraceSeconds !== undefined
          ? { gracePeriodSeconds: podGraceSeconds }
          : {}),
        ...(ref.uid === undefined ? {} : { preconditions: { uid: ref.uid } }),
      },
      signal,
    });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    // Another object has that name now.
    if (
      ref.uid !== undefined &&
      error instanceof ApiError &&
      /the UID in the precondition/.test(error.message)
    )
      return false;
    throw error;
  }
}

const nameOf = ({ kind, namespace, name }: ObjectRef) =>
  objectName({ kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } });
