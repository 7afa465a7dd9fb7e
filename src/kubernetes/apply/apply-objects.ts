import { CancelledError, PhaseFailure } from "../../errors.ts";
import { isAlreadyExists } from "../api/api-error.ts";
import { type ApiObject, objectName } from "../api/api-object.ts";
import type { ApiResource } from "../api/discovery.ts";
import { type AppliedObject, appliedObject } from "../applied-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { customResourceDefinitionReadiness } from "../readiness/custom-resource-definition.ts";
import { project } from "../watch/projection.ts";
import { applyError, isPassing, rejection } from "./apply-error.ts";
import { type ApplyItem, ObjectApplication } from "./apply-object.ts";
import { awaitObject } from "./await-object.ts";
import { byRank } from "./kind-order.ts";
import type { ApplyOptions } from "./options.ts";
import { retryPassing } from "./retry.ts";

const DEFAULTS = {
  createNamespaces: false,
  upsertTimeoutMs: 30_000,
  retryWithinMs: 60_000,
  maxParallel: 10,
  dryRun: false,
  onLine: () => {},
  onRetry: () => {},
  onApplied: () => {},
  mayStillBeDefined: () => false,
  mayStillPass: () => true,
} satisfies Partial<ApplyOptions>;

const CUSTOM_RESOURCE_DEFINITION = "CustomResourceDefinition";

/**
 * Applies objects: one kind rank after another, within a rank in parallel, forced server-side apply. The first error
 * stops what has not begun yet. Throws PhaseFailure (`ApplyRejected`, `NotEstablished`), EnvironmentError, CancelledError.
 */
export async function applyObjects(
  connection: KubernetesConnection,
  items: readonly ApplyItem[],
  options: Pick<ApplyOptions, "fieldManager" | "signal"> & Partial<ApplyOptions>,
): Promise<AppliedObject[]> {
  return new Application(connection, items, { ...DEFAULTS, ...options }).run();
}

/** The kinds that definitions among some objects bring, as `group/Kind`. */
function definedKinds(objects: readonly { readonly kind: string }[]): Set<string> {
  return new Set(
    objects
      .filter(({ kind }) => kind === CUSTOM_RESOURCE_DEFINITION)
      .map((object) => {
        const { spec } = object as {
          readonly spec?: { readonly group?: string; readonly names?: { readonly kind?: string } };
        };
        return `${spec?.group}/${spec?.names?.kind}`;
      }),
  );
}

class Application {
  readonly #connection: KubernetesConnection;
  readonly #items: readonly ApplyItem[];
  readonly #options: ApplyOptions;
  readonly #applied: AppliedObject[] = [];

  constructor(
    connection: KubernetesConnection,
    items: readonly ApplyItem[],
    options: ApplyOptions,
  ) {
    this.#connection = connection;
    this.#items = items;
    this.#options = options;
  }

  async run(): Promise<AppliedObject[]> {
    if (this.#options.createNamespaces) await this.#createNamespaces();
    for (const rank of byRank(this.#items, ({ object }) => object.kind)) {
      await this.#applyRank(rank);
      if (rank[0]?.object.kind === CUSTOM_RESOURCE_DEFINITION && !this.#options.dryRun)
        await Promise.all(rank.map((item) => this.#awaitEstablished(item)));
    }
    return this.#applied;
  }

  /** Objects of the same name wait for one another, so that the last one holds. */
  async #applyRank(rank: readonly ApplyItem[]): Promise<void> {
    const queues = sameObjects(rank);
    const errors: unknown[] = [];
    const next = async (): Promise<void> => {
      for (let queue = queues.shift(); queue && errors.length === 0; queue = queues.shift()) {
        for (const item of queue) {
          try {
            await this.#applyItem(item);
          } catch (error) {
            errors.push(error);
            return;
          }
        }
      }
    };
    await Promise.all(Array.from({ length: this.#options.maxParallel }, next));
    if (this.#options.signal.aborted) throw new CancelledError();
    if (errors.length > 0) throw errors[0];
  }

  async #applyItem(item: ApplyItem): Promise<void> {
    const resource = await this.#resourceOf(item);
    if (resource === undefined) return;
    const applied = await new ObjectApplication(
      this.#connection,
      resource,
      item,
      this.#options,
    ).run();
    this.#applied.push(applied);
    this.#options.onApplied(applied);
  }

  /** Undefined for a kind that a trial run cannot know. */
  async #resourceOf({ object, position }: ApplyItem): Promise<ApiResource | undefined> {
    const { apiVersion, kind } = object;
    const { signal, retryWithinMs, onRetry, mayStillBeDefined, dryRun } = this.#options;
    const name = objectName(object);
    const group = apiVersion.split("/")[0] ?? "";
    const defined = definedKinds(this.#items.map((item) => item.object)).has(`${group}/${kind}`);
    const find = async () => {
      const found = await this.#connection.discovery.find(apiVersion, kind, {
        refresh: true,
        signal,
      });
      if (found === undefined && !dryRun) throw new UnknownKindError(apiVersion, kind);
      return found;
    };
    try {
      const found = await retryPassing(find, {
        object: name,
        withinMs: retryWithinMs,
        signal,
        isPassing: (error) =>
          isPassing(error) ||
          (error instanceof UnknownKindError && (defined || mayStillBeDefined(apiVersion, kind))),
        onRetry,
      });
      if (found === undefined && !defined) throw new UnknownKindError(apiVersion, kind);
      return found;
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      if (!(error instanceof UnknownKindError)) throw applyError(error, name, position);
      throw rejection(name, error.message, {
        position,
        hint: "Is the CustomResourceDefinition installed, and is the version one that it serves?",
      });
    }
  }

  async #createNamespaces(): Promise<void> {
    const given = new Set(
      this.#items
        .filter(({ object }) => object.kind === "Namespace")
        .map(({ object }) => object.metadata.name),
    );
    const named = new Set(this.#items.flatMap(({ object }) => object.metadata.namespace ?? []));
    const { signal, fieldManager, dryRun, onRetry, retryWithinMs, onLine } = this.#options;
    const create = async (name: string) => {
      const object = `Namespace/${name}`;
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      try {
        const made = await retryPassing(
          () =>
            this.#connection.transport.request<ApiObject>({
              method: "POST",
              path: "/api/v1/namespaces",
              query: { fieldManager, ...(dryRun ? { dryRun: "All" } : {}) },
              body,
              signal,
            }),
          { object, withinMs: retryWithinMs, signal, isPassing, onRetry },
        );
        onLine(`Created namespace ${name}`);
        const applied = appliedObject(project({ ...made, apiVersion: "v1", kind: "Namespace" }));
        this.#applied.push(applied);
        this.#options.onApplied(applied);
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        if (!isAlreadyExists(error)) throw applyError(error, object, undefined);
      }
    };
    await Promise.all([...named].filter((name) => !given.has(name)).map(create));
  }

  async #awaitEstablished({ object, position }: ApplyItem): Promise<void> {
    const { signal, retryWithinMs } = this.#options;
    const resource = await this.#resourceOf({ object, position });
    const { name } = object.metadata;
    let last: ApiObject | undefined;
    const until = (timeoutMs: number, accept: (live: ApiObject | undefined) => boolean) =>
      awaitObject(
        this.#connection,
        { resource: resource!, namespace: undefined, name, timeoutMs, signal },
        (live) => {
          last = live;
          return accept(live);
        },
      );
    const judged = (live: ApiObject | undefined) => live && customResourceDefinitionReadiness(live);
    const established = (live: ApiObject | undefined) => judged(live)?.state === "ready";
    await until(retryWithinMs, (live) => established(live) || judged(live)?.failure !== undefined);
    const standing = judged(last)?.standing;
    if (standing) await until(standing.ms, established);
    const failure = judged(last)?.failure;
    if (established(last)) return;
    if (failure) throw new PhaseFailure({ ...failure, ...(position ? { position } : {}) });
    throw rejection(objectName(object), `not established within ${retryWithinMs / 1000} s`, {
      position,
    });
  }
}

class UnknownKindError extends Error {
  constructor(apiVersion: string, kind: string) {
    super(`the server has no kind "${kind}" in version "${apiVersion}"`);
  }
}

/** Items in groups of one object each. */
function sameObjects(items: readonly ApplyItem[]): ApplyItem[][] {
  const groups = new Map<string, ApplyItem[]>();
  for (const item of items) {
    const key = `${item.object.apiVersion} ${objectName(item.object)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
