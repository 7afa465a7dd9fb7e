import type { IncomingMessage } from "node:http";
import { ApiError, isNotFound } from "../api/api-error.ts";
import { type ContainerStatus, timeOf } from "../api/api-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { linesOf } from "../watch/lines.ts";
import { LogCursor } from "./log-cursor.ts";

export interface ContainerLogOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** RFC 3339; lines from before are left out. Undefined: from the container's start. */
  readonly since: string | undefined;
  /** `at` is epoch ms of the container's clock. A returned promise holds back further reading. */
  readonly onLine: (text: string, at: number) => void | Promise<void>;
}

/** Longer lines come in pieces. */
const MAX_LINE_BYTES = 64 * 1024;
const MIN_RETRY_MS = 200;
const MAX_RETRY_MS = 2_000;
const OVERTIME_MS = 1_000;

interface NextLog {
  /** The container's id at its runtime. */
  readonly id: string;
  readonly previous: boolean;
  readonly ended: boolean;
}

/**
 * Follows one container of one pod through all its restarts. A connection that breaks is opened again where it broke:
 * no line twice, none lost, as far as the node still has them (it keeps the present container's log and the one before).
 */
export class ContainerLog {
  readonly #connection: KubernetesConnection;
  readonly #options: ContainerLogOptions;
  #cursor: LogCursor;
  /** Where the cursor stood when the present stream was opened. */
  #checkpoint: LogCursor;
  readonly #cancel = new AbortController();
  /** Containers (each restart is a new one) whose log has been read to its end. */
  readonly #read = new Set<string>();
  #status: ContainerStatus | undefined;
  #wake: () => void = () => {};
  #stream: IncomingMessage | undefined;
  /** The container whose log the stream is believed to bring. */
  #reading: string | undefined;
  #state: "idle" | "reading" | "streaming" = "idle";
  #lastActivity = 0;
  /** The pod is gone, or nobody wants to know any more. */
  #over = false;

  constructor(connection: KubernetesConnection, options: ContainerLogOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#cursor = new LogCursor(options.since);
    this.#checkpoint = this.#cursor;
    void this.#run();
  }

  /** Hears what the kubelet says of the container now. */
  update(status: ContainerStatus): void {
    this.#status = status;
    const stream = this.#stream;
    // A stream ends with its container. One that does not was opened too late and brings the next one's lines.
    if (stream !== undefined && this.#state === "streaming" && status.containerID !== this.#reading)
      setTimeout(() => stream.destroy(), OVERTIME_MS).unref();
    this.#wake();
  }

  /**
   * Nothing is known to be there that has not been passed on. Of a container that runs on, that is so when no byte has
   * come for `quietMs` after `since` (monotonic): a busy process may not have looked at what came before.
   */
  isCaughtUp(quietMs: number, since: number): boolean {
    if (this.#over) return true;
    if (this.#state === "idle") return this.#nextToRead() === undefined;
    const quietSince = Math.max(this.#lastActivity, since);
    return this.#state === "streaming" && performance.now() - quietSince >= quietMs;
  }

  close(): void {
    this.#cancel.abort();
    this.#stream?.destroy();
    this.#wake();
  }

  async #run(): Promise<void> {
    let retryMs = MIN_RETRY_MS;
    while (!this.#cancel.signal.aborted) {
      const next = this.#nextToRead();
      if (next === undefined) {
        this.#state = "idle";
        await this.#sleep(Number.POSITIVE_INFINITY);
        continue;
      }
      this.#state = "reading";
      try {
        await (next.previous ? this.#readPrevious(next.id) : this.#readOnce(next));
        retryMs = MIN_RETRY_MS;
        // An end that came before we knew of the container's may have been the connection's: one more look then.
        if (next.ended) this.#read.add(next.id);
        else await this.#sleep(retryMs);
      } catch (error) {
        if (this.#cancel.signal.aborted || isNotFound(error)) {
          this.#over = true;
          return;
        }
        // The node has removed it already, or never had it.
        if (next.ended && error instanceof ApiError && error.code === 400) this.#read.add(next.id);
        await this.#sleep(retryMs);
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      }
    }
    this.#state = "idle";
  }

  /** The oldest container whose log is still to be read, of the two that a node keeps. */
  #nextToRead(): NextLog | undefined {
    const { containerID, state, lastState } = this.#status ?? {};
    const before = lastState?.terminated?.containerID;
    const startedUp = state?.running !== undefined || state?.terminated !== undefined;
    if (before && before !== containerID && !this.#read.has(before))
      return { id: before, previous: true, ended: true };
    if (!containerID || this.#read.has(containerID)) return undefined;
    if (startedUp)
      return { id: containerID, previous: false, ended: state?.terminated !== undefined };
    // Between two restarts the ended container is the present one.
    return before === containerID ? { id: containerID, previous: false, ended: true } : undefined;
  }

  /**
   * Reads what is missing of the container before the present one. If the last stream was opened after the restart,
   * its lines were the present one's, and what is missing begins where the cursor stood before.
   */
  async #readPrevious(id: string): Promise<void> {
    const finishedAt = timeOf(this.#status?.lastState?.terminated?.finishedAt);
    const now = this.#cursor;
    const strayed = finishedAt !== undefined && now.at >= finishedAt + 1_000;
    if (strayed) this.#cursor = this.#checkpoint;
    try {
      await this.#readOnce({ id, previous: true, ended: true });
    } finally {
      if (strayed) this.#cursor = now;
    }
  }

  async #readOnce({ id, previous, ended }: NextLog): Promise<void> {
    const { namespace, pod, container } = this.#options;
    this.#reading = id;
    const stream = await this.#connection.transport.stream({
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`,
      query: {
        container,
        timestamps: true,
        follow: ended ? undefined : true,
        previous: previous ? true : undefined,
        sinceTime: this.#cursor.sinceTime,
      },
      accept: "*/*",
      signal: this.#cancel.signal,
    });
    this.#stream = stream;
    this.#checkpoint = this.#cursor.clone();
    this.#cursor.reopen();
    this.#lastActivity = performance.now();
    this.#state = ended ? "reading" : "streaming";
    try {
      for await (const lines of linesOf(stream, MAX_LINE_BYTES)) await this.#pass(lines);
    } finally {
      stream.destroy();
      this.#stream = undefined;
      this.#state = "reading";
    }
  }

  async #pass(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const fresh = this.#cursor.take(line);
      if (fresh === undefined) continue;
      const blocked = this.#options.onLine(fresh.text, fresh.at);
      if (blocked !== undefined) await blocked;
    }
    this.#lastActivity = performance.now();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#cancel.signal.aborted) return resolve();
      const timer = Number.isFinite(ms) ? setTimeout(resolve, ms) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
