import type { Clock } from "../host/host.ts";
import type { ApiClient } from "./api.ts";

const SERVICE = "/api/v1/namespaces/kube-system/services/kube-dns";
const PODS = "/api/v1/namespaces/kube-system/pods";
const POLL_MS = 200;
const PATIENCE_MS = 30_000;

/** The DNS of a cluster that answers. */
export interface ClusterDns {
  /** Cluster IPs of its Service. */
  readonly addresses: readonly string[];
}

/**
 * Lets the cluster's DNS answer as soon as CoreDNS listens. Its readiness probe runs every 10 s, the first time
 * at a random moment of these: pods that look up a Service would meet no name server for that long.
 */
export async function publishDnsEarly(
  client: ApiClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const body = { spec: { publishNotReadyAddresses: true } };
  const patched = await firstOf(clock, signal, async () => {
    const { status } = await client.request("PATCH", SERVICE, body);
    return status === 200 || undefined;
  });
  return patched ?? false;
}

/**
 * Waits until CoreDNS knows the cluster's Services (its `ready` plugin says so, before any probe does). Undefined
 * after half a minute, or when the signal fires: a cluster may well have another DNS.
 */
export function dnsReady(
  client: ApiClient,
  clock: Clock,
  signal: AbortSignal,
): Promise<ClusterDns | undefined> {
  return firstOf(clock, signal, async () => {
    const pods = await client.request("GET", `${PODS}?labelSelector=k8s-app%3Dkube-dns`);
    for (const { metadata, status } of itemsOf(pods.body)) {
      if (!status?.podIP) continue;
      const answer = await client.request("GET", `${PODS}/${metadata?.name}:8181/proxy/ready`);
      if (answer.status === 200) return { addresses: await addressesOf(client) };
    }
    return undefined;
  });
}

async function firstOf<T>(
  clock: Clock,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (clock.monotonic() < deadline && !signal.aborted) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await clock.sleep(POLL_MS, signal).catch(() => {});
  }
  return undefined;
}

interface PodItem {
  readonly metadata?: { readonly name?: string };
  readonly status?: { readonly podIP?: string };
}

function itemsOf(body: string): readonly PodItem[] {
  return parsed<{ readonly items?: readonly PodItem[] }>(body)?.items ?? [];
}

async function addressesOf(client: ApiClient): Promise<readonly string[]> {
  const { body } = await client.request("GET", SERVICE);
  return (
    parsed<{ readonly spec?: { readonly clusterIPs?: readonly string[] } }>(body)?.spec
      ?.clusterIPs ?? []
  );
}

/** Undefined for what is no JSON: the API server, or what stands before it, did not really answer. */
function parsed<T>(body: string): T | undefined {
  try {
    return JSON.parse(body) as T;
  } catch {
    return undefined;
  }
}
