import { type Server, startServer } from "../local/index.ts";
import type { LocalResource } from "../model/plan.ts";
import type { Surroundings } from "./commands.ts";
import type { Session } from "./session.ts";

/** The `serve_cmd`s of a run: started on their turn, ended together. */
export interface Servers {
  start(resource: LocalResource): Promise<void>;
  /** Ends all at once; a server that ignores SIGTERM costs its grace once, not once each. */
  stop(): Promise<void>;
}

export function createServers(session: Session, surroundings: Surroundings): Servers {
  const servers: Promise<Server>[] = [];
  return {
    async start(resource) {
      const server = startServer(
        { command: resource.serveCmd!, probe: resource.readinessProbe },
        surroundings(),
        session.host,
        {
          onLine: (text) =>
            session.line({
              resource: resource.name,
              phase: "serve",
              level: "info",
              source: "runtime",
              text,
            }),
          onObservation: (observation) =>
            session.log.append({
              type: "observed",
              at: session.now(),
              resource: resource.name,
              observation,
            }),
          onPid: (pid) => session.ownProcess(pid),
        },
      );
      servers.push(server);
      await server;
    },
    async stop() {
      const started = await Promise.allSettled(servers);
      await Promise.all(
        started.map((server) => (server.status === "fulfilled" ? server.value.stop() : undefined)),
      );
    },
  };
}
