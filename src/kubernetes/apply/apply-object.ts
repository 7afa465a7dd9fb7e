import { CancelledError, messageOf } from "../../errors.ts";
import type { KubernetesObject } from "../../model/plan.ts";
import type { Position } from "../../model/position.ts";
import { ApiError, isForbidden, isNotFound } from "../api/api-error.ts";
import { type ApiObject, objectName } from "../api/api-object.ts";
import { type ApiResource, collectionPath, objectPath } from "../api/discovery.ts";
import { type AppliedObject, appliedObject } from "../applied-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { project } from "../watch/projection.ts";
import { applyError, isPassing, isUnmergeable, needsRecreation, rejection } from "./apply-error.ts";
import { awaitObject } from "./await-object.ts";
import type { ApplyOptions } from "./options.ts";
import { retryPassing } from "./retry.ts";

/** An object on its way to the server. */
export interface ApplyItem {
  readonly object: KubernetesObject;
  readonly position?: Position | undefined;
}

/** What is ending (an old object of the same name) may take its grace period. */
const END_MS = 60_000;
/** A kind whose definition is established is served a moment later. */
const SERVED_MS = 10_000;

/** One object, its resource known: everything that applying it may take. */
export class ObjectApplication {
  readonly #connection: KubernetesConnection;
  readonly #resource: ApiResource;
  readonly #item: ApplyItem;
  readonly #options: ApplyOptions;
  readonly #namespace: string | undefined;
  readonly #body: KubernetesObject;
  readonly #name: string;
  readonly #startedAt = performance.now();

  constructor(
    connection: KubernetesConnection,
    resource: ApiResource,
    item: ApplyItem,
    options: ApplyOptions,
  ) {
    this.#connection = connection;
    this.#resource = resource;
    this.#item = item;
    this.#options = options;
    this.#namespace = resource.namespaced
      ? (item.object.metadata.namespace ?? connection.namespace)
      : undefined;
    this.#body = toBody(item.object, this.#namespace);
    this.#name = objectName(this.#body);
  }

  /** Throws PhaseFailure (`ApplyRejected`), EnvironmentError, CancelledError. */
  async run(): Promise<AppliedObject> {
    const { signal, retryWithinMs, onRetry, mayStillPass } = this.#options;
    try {
      const object = await retryPassing(() => this.#applyOnce(), {
        object: this.#name,
        withinMs: retryWithinMs,
        signal,
        isPassing: (error) =>
          (isPassing(error) && mayStillPass(messageOf(error))) ||
          this.#isNotServedYet(error) ||
          (isForbidden(error) && this.#connection.health.isSettling),
        onRetry,
      });
      // Errors and lists of the server leave out what the request was about.
      const { apiVersion, kind } = this.#resource;
      return appliedObject(project({ ...object, apiVersion, kind }));
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      throw applyError(error, this.#name, this.#item.position);
    }
  }

  async #applyOnce(): Promise<ApiObject> {
    const applied = await this.#send();
    if (this.#options.dryRun || applied.metadata.deletionTimestamp === undefined) return applied;
    await this.#awaitEnd();
    return this.#send();
  }

  async #send(): Promise<ApiObject> {
    try {
      return this.#body.metadata.name ? await this.#serverSideApply() : await this.#create();
    } catch (error) {
      if (isUnmergeable(error)) return this.#createOrReplace(error);
      if (needsRecreation(error) && (await this.#exists())) return this.#recreate(error);
      throw error;
    }
  }

  async #serverSideApply(): Promise<ApiObject> {
    const { fieldManager, upsertTimeoutMs, signal, dryRun, onLine } = this.#options;
    const { body, warnings } = await this.#connection.transport.exchange<ApiObject>({
      method: "PATCH",
      path: this.#path(),
      // PatchStrategy.ServerSideApply of client-node, whose import would cost more than this line.
      contentType: "application/apply-patch+yaml",
      query: { fieldManager, force: true, ...(dryRun ? { dryRun: "All" } : {}) },
      body: this.#body,
      timeoutMs: upsertTimeoutMs,
      signal,
    });
    for (const warning of warnings) onLine(`WARNING: ${this.#name}: ${warning}`);
    return body;
  }

  #create(): Promise<ApiObject> {
    return this.#write("POST", collectionPath(this.#resource, this.#namespace));
  }

  /** For what no merge can express. Throws what creating or replacing does. */
  async #createOrReplace(error: unknown): Promise<ApiObject> {
    this.#options.onLine(
      `WARNING: ${this.#name} cannot be merged by the server, so it is created or replaced: ${(error as Error).message}`,
    );
    return (await this.#exists()) ? this.#write("PUT", this.#path()) : this.#create();
  }

  #write(method: "POST" | "PUT", path: string): Promise<ApiObject> {
    const { fieldManager, upsertTimeoutMs, signal, dryRun } = this.#options;
    return this.#connection.transport.request<ApiObject>({
      method,
      path,
      query: { fieldManager, ...(dryRun ? { dryRun: "All" } : {}) },
      body: this.#body,
      timeoutMs: upsertTimeoutMs,
      signal,
    });
  }

  async #recreate(error: unknown): Promise<ApiObject> {
    const { onLine, signal, dryRun } = this.#options;
    onLine(
      `Cannot change ${this.#name} in place, so it is deleted and made anew: ${(error as Error).message}`,
    );
    // A trial run cannot know what the new object would be answered.
    if (dryRun) return this.#read();
    await this.#connection.transport
      .request({
        method: "DELETE",
        path: this.#path(),
        body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" },
        signal,
      })
      .catch((failure: unknown) => {
        if (!isNotFound(failure)) throw failure;
      });
    await this.#awaitEnd();
    return this.#serverSideApply();
  }

  async #awaitEnd(): Promise<void> {
    const ended = await awaitObject(
      this.#connection,
      {
        resource: this.#resource,
        namespace: this.#namespace,
        name: this.#body.metadata.name,
        timeoutMs: END_MS,
        signal: this.#options.signal,
      },
      (object) => object === undefined,
    );
    if (ended) return;
    throw rejection(this.#name, `its old object was still being deleted after ${END_MS / 1000} s`, {
      position: this.#item.position,
      hint: "Finalizers or a long grace period keep it",
    });
  }

  async #exists(): Promise<boolean> {
    try {
      await this.#read();
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #read(): Promise<ApiObject> {
    return this.#connection.transport.request({ path: this.#path(), signal: this.#options.signal });
  }

  #path(): string {
    return objectPath(this.#resource, this.#namespace, this.#body.metadata.name);
  }

  /** The path itself is unknown, as opposed to the namespace. */
  #isNotServedYet(error: unknown): boolean {
    return (
      error instanceof ApiError &&
      error.code === 404 &&
      error.status.details?.name === undefined &&
      /page not found|could not find the requested resource/.test(error.message) &&
      performance.now() - this.#startedAt < SERVED_MS
    );
  }
}

/** What is sent: in its namespace if the kind has any, without what only servers write. */
function toBody(object: KubernetesObject, namespace: string | undefined): KubernetesObject {
  const { namespace: _, managedFields: __, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) },
  } as KubernetesObject;
}
