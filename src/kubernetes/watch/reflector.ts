import { CancelledError } from "../../errors.ts";
import { ApiError, type ApiStatus, isExpired, isForbidden } from "../api/api-error.ts";
import type { ApiObject } from "../api/api-object.ts";
import { type ApiResource, collectionPath } from "../api/discovery.ts";
import { pause } from "../api/pause.ts";
import type { KubernetesConnection } from "../connection.ts";
import { linesOf } from "./lines.ts";
import { project } from "./projection.ts";

/** What is followed, and who hears of it. */
export interface ReflectorOptions {
  readonly resource: ApiResource;
  /** Undefined: all namespaces, or a kind that has none. */
  readonly namespace: string | undefined;
  readonly fieldSelector?: string;
  /** Only names, labels and owners are wanted: the server sends nothing else. */
  readonly metadataOnly?: boolean;
  /** All that there is, now: what was known and is not in it has gone. */
  onList(objects: readonly ApiObject[]): void;
  onChange(object: ApiObject, gone: boolean): void;
  /** The server does not let us read this. Nothing more will come. */
  onForbidden(error: ApiError): void;
  /** The server has refused or failed for long: what it has to tell is not known, and since when. */
  onBlind?(error: Error, since: Date): void;
  /** How long is long; a minute by default. */
  readonly blindAfterMs?: number | undefined;
}

const PAGE = 500;
/** The server ends a watch after this, and one that goes on is dead: so a half-open connection is found without asking. */
const WATCH_SECS = 30;
const WATCH_SLACK_MS = 5_000;
/** Now and then everything is listed again, in case an event was lost on a way that we cannot see. */
const RELIST_MS = 180_000;
/** A server that starts refuses everybody until it has read the roles. */
const FORBIDDEN_MS = 10_000;
/** As long as applying is tried again (apply-objects.ts). */
const BLIND_MS = 60_000;
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2_000;
const METADATA_LIST =
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
const METADATA_WATCH =
  "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

/**
 * Follows one kind in one namespace: a list, then a watch that goes on from its resource version for as long as the
 * server remembers it. Survives restarts, 410 Gone, bursts of errors and dead connections; ends with close().
 */
export class Reflector {
  readonly #connection: KubernetesConnection;
  readonly #options: ReflectorOptions;
  readonly #cancel = new AbortController();
  readonly #removeListener: () => void;
  /** Ends the watch that is open or being opened: the next thing is another one, or a list. */
  #endWatch: () => void = () => {};
  /** Whatever happened until then is known: the last list was asked for, or the watch last brought something. */
  #knownUntil = Number.NEGATIVE_INFINITY;
  /** Who waits for a list that has yet to be asked for. */
  #waiting: (() => void)[] = [];
  #failing: { readonly since: number; readonly at: Date } | undefined;
  #resourceVersion: string | undefined;
  #listedAt = 0;
  #backoffMs = MIN_BACKOFF_MS;
  #forbiddenSince: number | undefined;
  #resolveSynced: () => void = () => {};
  /** Resolves after the first list. */
  readonly synced = new Promise<void>((resolve) => {
    this.#resolveSynced = resolve;
  });

  constructor(connection: KubernetesConnection, options: ReflectorOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#removeListener = connection.health.onRecovered(() => this.#endWatch());
    void this.#run();
  }

  /**
   * Sees to it that what is known is no older than `maxAgeMs` before the call: undefined when it is not, else resolves
   * after a list. A half-open watch brings nothing and does not end, as one with nothing to tell: only asking tells which.
   */
  confirm(maxAgeMs: number): Promise<void> | undefined {
    const isFresh = performance.now() - this.#knownUntil <= maxAgeMs;
    if (isFresh || this.#cancel.signal.aborted) return undefined;
    const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#endWatch();
    return answered;
  }

  close(): void {
    this.#cancel.abort();
    this.#removeListener();
    this.#endWatch();
    this.#resolveSynced();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    while (!this.#cancel.signal.aborted) {
      try {
        while (this.#needsList()) await this.#list();
        await this.#watch(this.#resourceVersion ?? "");
      } catch (error) {
        if (this.#cancel.signal.aborted) return;
        // The watch was ended while it was being opened.
        if (error instanceof CancelledError) continue;
        if (isForbidden(error) && this.#staysForbidden()) return this.#giveUp(error);
        if (isExpired(error)) this.#resourceVersion = undefined;
        else if (!isForbidden(error)) this.#noteFailure(error as Error);
        await this.#pause(error);
      }
    }
  }

  #needsList(): boolean {
    return (
      this.#waiting.length > 0 ||
      this.#resourceVersion === undefined ||
      performance.now() - this.#listedAt > RELIST_MS
    );
  }

  /** A server that does not answer at all is the business of ApiServerHealth, which is quicker. */
  #noteFailure(error: Error): void {
    this.#failing ??= { since: performance.now(), at: new Date() };
    const { since, at } = this.#failing;
    const { blindAfterMs = BLIND_MS } = this.#options;
    if (performance.now() - since > blindAfterMs) this.#options.onBlind?.(error, at);
  }

  #staysForbidden(): boolean {
    this.#forbiddenSince ??= performance.now();
    return performance.now() - this.#forbiddenSince > FORBIDDEN_MS;
  }

  #giveUp(error: ApiError): void {
    this.#options.onForbidden(error);
    this.close();
  }

  async #pause(error: unknown): Promise<void> {
    const asked = error instanceof ApiError ? (error.retryAfterSecs ?? 0) * 1000 : 0;
    const ms = Math.max(asked, this.#backoffMs * (0.75 + Math.random() / 2));
    this.#backoffMs = Math.min(this.#backoffMs * 2, MAX_BACKOFF_MS);
    await pause(ms, this.#cancel.signal);
  }

  async #list(): Promise<void> {
    const { resource, namespace, fieldSelector, metadataOnly } = this.#options;
    const waiting = this.#waiting.length;
    const askedAt = performance.now();
    const objects: ApiObject[] = [];
    let next: string | undefined;
    let version: string | undefined;
    do {
      const page: ListAnswer = await this.#connection.transport.request<ListAnswer>({
        path: collectionPath(resource, namespace),
        query: { limit: PAGE, continue: next, fieldSelector },
        signal: this.#cancel.signal,
        ...(metadataOnly ? { accept: METADATA_LIST } : {}),
      });
      for (const item of page.items ?? []) objects.push(this.#take(item));
      version = page.metadata?.resourceVersion;
      next = page.metadata?.continue || undefined;
    } while (next !== undefined);
    this.#forbiddenSince = undefined;
    this.#options.onList(objects);
    this.#resourceVersion = version;
    this.#listedAt = performance.now();
    this.#knownUntil = askedAt;
    this.#failing = undefined;
    this.#resolveSynced();
    for (const resolve of this.#waiting.splice(0, waiting)) resolve();
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { resource, namespace, fieldSelector, metadataOnly } = this.#options;
    const openedAt = performance.now();
    const opening = new AbortController();
    this.#endWatch = () => opening.abort();
    const stream = await this.#connection.transport.stream({
      path: collectionPath(resource, namespace),
      query: {
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion,
        timeoutSeconds: WATCH_SECS,
        fieldSelector,
      },
      signal: opening.signal,
      ...(metadataOnly ? { accept: METADATA_WATCH } : {}),
    });
    this.#endWatch = () => stream.destroy();
    this.#forbiddenSince = undefined;
    this.#failing = undefined;
    const timer = setTimeout(() => stream.destroy(), WATCH_SECS * 1000 + WATCH_SLACK_MS);
    try {
      for await (const lines of linesOf(stream)) {
        for (const line of lines) if (line !== "") this.#handle(JSON.parse(line) as WatchEvent);
        this.#knownUntil = performance.now();
      }
    } catch (error) {
      // A connection that breaks is news only when no new one can be made.
      if (error instanceof ApiError || error instanceof SyntaxError) throw error;
    } finally {
      clearTimeout(timer);
      stream.destroy();
    }
    if (performance.now() - openedAt < MIN_BACKOFF_MS) await this.#pause(undefined);
  }

  #handle({ type, object }: WatchEvent): void {
    if (type === "ERROR") {
      const status = object as unknown as ApiStatus;
      throw new ApiError(status.code ?? 500, status);
    }
    this.#resourceVersion = object.metadata.resourceVersion;
    this.#backoffMs = MIN_BACKOFF_MS;
    if (type !== "BOOKMARK") this.#options.onChange(this.#take(object), type === "DELETED");
  }

  /** List items and metadata come without their kind. */
  #take(object: ApiObject): ApiObject {
    const { apiVersion, kind } = this.#options.resource;
    return project({ ...object, apiVersion, kind });
  }
}

interface ListAnswer {
  readonly items?: readonly ApiObject[];
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}
