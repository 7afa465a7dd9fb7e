import * as http from "node:http";
import * as https from "node:https";
import type { ClusterAccess } from "./kubeconfig.ts";

/** Idle connections are probed by TCP after this, so that a dead peer is noticed at all. */
const TCP_KEEP_ALIVE_MS = 5_000;
const MAX_CONNECTIONS = 24;

/** Who we are for the server, and the connections that were opened so. */
export interface Credentials {
  readonly headers: http.OutgoingHttpHeaders;
  readonly auth: string | undefined;
  readonly requests: http.Agent;
  readonly streams: http.Agent;
  readonly madeAt: number;
}

/** Has client-node work out certificates and tokens, running an exec plugin if the kubeconfig names one. */
export async function makeCredentials({ kubeConfig, server }: ClusterAccess): Promise<Credentials> {
  const options: https.RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const cluster = kubeConfig.getCurrentCluster();
  const keep = { keepAlive: true, keepAliveMsecs: TCP_KEEP_ALIVE_MS, noDelay: true };
  const tls = {
    ca: options.ca,
    cert: options.cert,
    key: options.key,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    ...(options.servername === undefined ? {} : { servername: options.servername }),
  };
  const agent = (maxSockets: number) => {
    if (cluster?.proxyUrl) return options.agent as http.Agent;
    return server.protocol === "http:"
      ? new http.Agent({ ...keep, maxSockets })
      : new https.Agent({ ...keep, ...tls, maxSockets });
  };
  return {
    headers: (options.headers ?? {}) as http.OutgoingHttpHeaders,
    auth: options.auth ?? undefined,
    requests: agent(MAX_CONNECTIONS),
    streams: agent(Number.POSITIVE_INFINITY),
    madeAt: performance.now(),
  };
}
