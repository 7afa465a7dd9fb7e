import type { ServerResponse } from "node:http";

interface Line {
  readonly stamp: string;
  readonly text: string;
}

interface Log {
  readonly lines: Line[];
  readonly followers: Set<ServerResponse>;
  ended: boolean;
}

/** The logs that a fake node keeps: of each container the present one and the one before. */
export class ContainerLogs {
  readonly #current = new Map<string, Log>();
  readonly #previous = new Map<string, Log>();

  /** Adds a line, stamped with nanoseconds as kubelets do. */
  append(
    key: string,
    text: string,
    stamp = `${new Date().toISOString().slice(0, -1)}000000Z`,
  ): void {
    const log = this.#log(key);
    log.lines.push({ stamp, text });
    for (const follower of log.followers) follower.write(`${stamp} ${text}\n`);
  }

  /** The container has ended: followers get their end. */
  end(key: string): void {
    const log = this.#log(key);
    log.ended = true;
    for (const follower of log.followers) follower.end();
    log.followers.clear();
  }

  /** The container starts again with an empty log. */
  restart(key: string): void {
    this.end(key);
    this.#previous.set(key, this.#log(key));
    this.#current.delete(key);
  }

  /** Breaks the connections of all that follow. */
  breakFollowers(): void {
    for (const log of this.#current.values()) {
      for (const follower of log.followers) follower.destroy();
      log.followers.clear();
    }
  }

  /** Answers a request for a log. */
  serve(key: string, query: URLSearchParams, response: ServerResponse): void {
    const log =
      query.get("previous") === "true" ? (this.#previous.get(key) ?? newLog(true)) : this.#log(key);
    const since = query.get("sinceTime");
    const tail = Number(query.get("tailLines") ?? Number.POSITIVE_INFINITY);
    const lines = log.lines.filter(
      ({ stamp }) => since === null || stamp >= since.replace("Z", ""),
    );
    response.writeHead(200, { "content-type": "text/plain" });
    response.write(
      lines
        .slice(-tail)
        .map(({ stamp, text }) =>
          query.get("timestamps") === "true" ? `${stamp} ${text}\n` : `${text}\n`,
        )
        .join(""),
    );
    if (query.get("follow") !== "true" || log.ended) {
      response.end();
      return;
    }
    log.followers.add(response);
    response.on("close", () => log.followers.delete(response));
  }

  #log(key: string): Log {
    let log = this.#current.get(key);
    if (log === undefined) {
      log = newLog(false);
      this.#current.set(key, log);
    }
    return log;
  }
}

const newLog = (ended: boolean): Log => ({ lines: [], followers: new Set(), ended });
