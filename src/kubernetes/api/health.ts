import { EnvironmentError } from "../../errors.ts";
import { ApiError } from "./api-error.ts";
import type { Transport, TransportObserver } from "./transport.ts";

export interface HealthOptions {
  /** An API server that has given no answer for this long is lost; 30 s by default (a restart in kind takes 10 to 20). */
  readonly lostAfterMs?: number;
  /** While something is watched, silence of this length is checked by one request; 10 s by default. */
  readonly silenceMs?: number;
}

const PROBE_TIMEOUT_MS = 3_000;
const PROBE_PERIOD_MS = 500;
const SETTLING_MS = 15_000;

/**
 * Whether the API server still answers. Costs nothing while it does: what other requests find is listened to, and
 * only a failure, or a silence while watches are open, makes it ask `/readyz` until an answer comes.
 */
export class ApiServerHealth implements TransportObserver {
  readonly #server: string;
  readonly #lostAfterMs: number;
  readonly #silenceMs: number;
  readonly #lostListeners = new Set<(error: EnvironmentError) => void>();
  readonly #recoveredListeners = new Set<() => void>();
  #transport: Transport | undefined;
  #lastHeard = performance.now();
  #failing:
    | { readonly since: number; readonly at: Date; lastError: string; unanswered: boolean }
    | undefined;
  #lost: EnvironmentError | undefined;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  /** Also of a server that had not answered us before. */
  #failedAt = Number.NEGATIVE_INFINITY;
  #watchers = 0;
  #silenceTimer: NodeJS.Timeout | undefined;
  #closed = false;
  /** A server that never answered is not lost: it has yet to come up. */
  #answered = false;

  constructor(server: URL, { lostAfterMs = 30_000, silenceMs = 10_000 }: HealthOptions = {}) {
    this.#server = server.origin;
    this.#lostAfterMs = lostAfterMs;
    this.#silenceMs = silenceMs;
  }

  /** Set from the moment that the server counts as lost until it answers again. */
  get lost(): EnvironmentError | undefined {
    return this.#lost;
  }

  /** Milliseconds for which the server has not answered; 0 while it does, as far as anybody has asked. */
  get failingFor(): number {
    return this.#failing === undefined ? 0 : performance.now() - this.#failing.since;
  }

  /** The server fails to answer or has failed a short while ago: it may not have read everybody's rights yet. */
  get isSettling(): boolean {
    const since = Math.max(this.#recoveredAt, this.#failedAt);
    return this.#failing !== undefined || performance.now() - since < SETTLING_MS;
  }

  /** Calls back each time the server gets lost. Returns how to stop that. */
  onLost(listener: (error: EnvironmentError) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  /** Calls back each time the server answers again after it had failed to: open connections may be dead. */
  onRecovered(listener: () => void): () => void {
    this.#recoveredListeners.add(listener);
    return () => this.#recoveredListeners.delete(listener);
  }

  /** To be called once, before the first request. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** From now on, until the returned function is called, silence is suspicious. */
  expectNews(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) {
      this.#lastHeard = performance.now();
      this.#silenceTimer = setInterval(() => this.#checkSilence(), this.#silenceMs / 2).unref();
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#watchers -= 1;
      if (this.#watchers === 0) clearInterval(this.#silenceTimer);
    };
  }

  heard(): void {
    this.#answered = true;
    this.#lastHeard = performance.now();
  }

  failed(error: Error): void {
    const { message: lastError } = error;
    this.#failedAt = performance.now();
    const unanswered = !(error instanceof ApiError);
    if (this.#failing !== undefined) {
      this.#failing.lastError = lastError;
      this.#failing.unanswered ||= unanswered;
    } else if (!this.#closed && this.#answered) {
      this.#failing = { since: performance.now(), at: new Date(), lastError, unanswered };
      void this.#probeUntilAnswered();
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#silenceTimer);
  }

  #checkSilence(): void {
    if (this.#failing !== undefined) return;
    if (performance.now() - this.#lastHeard < this.#silenceMs) return;
    // A failed probe reports itself through the transport and so starts the loop.
    void this.#probe();
  }

  async #probeUntilAnswered(): Promise<void> {
    while (!this.#closed && this.#failing !== undefined) {
      if (await this.#probe()) return this.#recover();
      if (this.#lost === undefined && performance.now() - this.#failing.since >= this.#lostAfterMs)
        this.#lose(this.#failing);
      await new Promise((resolve) => setTimeout(resolve, PROBE_PERIOD_MS).unref());
    }
  }

  async #probe(): Promise<boolean> {
    try {
      await this.#transport!.request({ path: "/readyz", timeoutMs: PROBE_TIMEOUT_MS });
      return true;
    } catch (error) {
      // 401, 403, 404: it answers, only not that question to us.
      return error instanceof ApiError && error.code < 500 && error.code !== 429;
    }
  }

  #lose(failing: { readonly at: Date; readonly lastError: string }): void {
    const since = failing.at.toISOString().slice(11, 19);
    this.#lost = new EnvironmentError(
      `API server ${this.#server} stopped answering since ${since} UTC: ${failing.lastError}`,
      { hint: "Look at the node's container and at its kube-apiserver log" },
    );
    for (const listener of this.#lostListeners) listener(this.#lost);
  }

  #recover(): void {
    const broken = this.#failing?.unanswered ?? false;
    this.#failing = undefined;
    this.#lost = undefined;
    this.#lastHeard = performance.now();
    this.#recoveredAt = this.#lastHeard;
    // A server that answers, if only 503, has not lost its connections.
    if (broken) for (const listener of this.#recoveredListeners) listener();
  }
}
