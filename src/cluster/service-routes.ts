import type { Clock } from "../host/host.ts";
import type { ContainerEngine } from "./container-engine.ts";

const POLL_MS = 50;
/** What has no rule by then gets none: a Service without pods, a kube-proxy in a mode that is not read here, none at all. */
const PATIENCE_MS = 5000;

export interface RoutesOptions {
  readonly signal: AbortSignal;
  /** How long to ask nodes that show no rule at all: nothing that can be read here may ever write one. */
  readonly blindMs?: number;
}

/** All rules that kube-proxy has written, in its modes iptables and nftables. */
const RULES_SCRIPT = `
iptables-save -t nat 2>/dev/null | grep -e '-A KUBE-SERVICES '
ip6tables-save -t nat 2>/dev/null | grep -e '-A KUBE-SERVICES '
nft list map ip kube-proxy service-ips 2>/dev/null
nft list map ip6 kube-proxy service-ips 2>/dev/null
true
`.trim();

/**
 * The cluster IPs that a node's rules lead to a pod. kube-proxy writes no such rule for a Service without endpoints
 * (kubernetes/pkg/proxy/iptables/proxier.go, nftables/proxier.go).
 */
export function routedAddresses(rules: string): ReadonlySet<string> {
  const iptables = rules.matchAll(
    /^-A KUBE-SERVICES -d ([0-9a-f.:]+)\/\d+ .*-j KUBE-(?:SVC|EXT)-/gm,
  );
  const nftables = rules.matchAll(/([0-9a-f.:]+) \. (?:tcp|udp|sctp) \. \d+ : goto service-/g);
  return new Set([...iptables, ...nftables].map(([, address]) => address!));
}

/**
 * Waits until every node leads these cluster IPs to a pod: a client that comes earlier is refused, or sent out of the
 * cluster. The API does not tell. Resolves in any case: after five seconds it is for the client to find out.
 */
export async function routesReady(
  nodes: readonly string[],
  addresses: readonly string[],
  engine: ContainerEngine,
  clock: Clock,
  { signal, blindMs = PATIENCE_MS }: RoutesOptions,
): Promise<void> {
  const startedAt = clock.monotonic();
  let patienceMs = blindMs;
  const has = async (node: string) => {
    const { stdout } = await engine.run(["exec", node, "sh", "-c", RULES_SCRIPT], { signal });
    const routed = routedAddresses(stdout);
    if (routed.size > 0) patienceMs = PATIENCE_MS;
    return addresses.every((address) => routed.has(address));
  };
  while (addresses.length > 0 && !signal.aborted && clock.monotonic() - startedAt < patienceMs) {
    if ((await Promise.all(nodes.map(has))).every(Boolean)) return;
    await clock.sleep(POLL_MS, signal);
  }
}
