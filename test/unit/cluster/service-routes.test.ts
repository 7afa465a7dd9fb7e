import { describe, expect, test } from "vitest";
import type { ContainerEngine } from "../../../src/cluster/container-engine.ts";
import { routedAddresses, routesReady } from "../../../src/cluster/service-routes.ts";
import type { Clock } from "../../../src/host/host.ts";

const IPTABLES = `
-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
-A KUBE-SERVICES -d 10.96.7.3/32 -p udp -m comment --comment "shop/dns cluster IP" -m udp --dport 53 -j KUBE-EXT-TCOU7JCQXEZGVUNU
-A KUBE-SERVICES -d fd00:10:96::a/128 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SERVICES -d 10.96.9.9/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
`;
const NFTABLES = `
table ip kube-proxy {
  map service-ips {
    elements = { 10.96.0.10 . tcp . 53 : goto service-NWBZK7IH-kube-system/kube-dns/tcp/dns-tcp,
                 10.96.0.11 . udp . 53 : goto service-AAAAAAAA-kube-system/other/udp/dns }
  }
}
`;

describe("routedAddresses()", () => {
  test("reads the addresses that lead to a pod from the rules of iptables", () => {
    expect([...routedAddresses(IPTABLES)]).toEqual(["10.96.0.1", "10.96.7.3", "fd00:10:96::a"]);
  });

  test("reads them from the map of nftables", () => {
    expect([...routedAddresses(NFTABLES)]).toEqual(["10.96.0.10", "10.96.0.11"]);
  });

  test("finds none before kube-proxy has written any", () => {
    expect(routedAddresses("").size).toBe(0);
  });
});

/** Nodes whose rules hold more with each time they are asked; a clock that goes on only while somebody sleeps. */
function machine(rules: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  let now = 0;
  const engine = {
    run: async ([, node = ""]: readonly string[]) => {
      const turn = asked.filter((name) => name === node).length;
      asked.push(node);
      const stages = rules[node]!;
      return { stdout: stages[Math.min(turn, stages.length - 1)]! };
    },
  } as unknown as ContainerEngine;
  const clock = {
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  } as unknown as Clock;
  return { asked, engine, clock, elapsed: () => now };
}

describe("routesReady()", () => {
  const { signal } = new AbortController();

  test("waits until the last node leads to all addresses", async () => {
    const { engine, clock, asked } = machine({ one: [IPTABLES], two: ["", "", IPTABLES] });
    await routesReady(["one", "two"], ["10.96.0.1", "10.96.7.3"], engine, clock, { signal });
    expect(asked.filter((name) => name === "two")).toHaveLength(3);
  });

  test("asks nobody when there is no address", async () => {
    const { engine, clock, asked } = machine({ one: [""] });
    await routesReady(["one"], [], engine, clock, { signal });
    expect(asked).toEqual([]);
  });

  test("gives up sooner, where asked to, on nodes that show no rule of kube-proxy", async () => {
    const { engine, clock, elapsed } = machine({ one: [""], two: ["", "", "", IPTABLES] });
    await routesReady(["one"], ["10.96.0.1"], engine, clock, { signal, blindMs: 1500 });
    expect(elapsed()).toBe(1500);
    await routesReady(["two"], ["10.96.9.9"], engine, clock, { signal, blindMs: 1500 });
    expect(elapsed()).toBe(1500 + 5000);
  });

  test("gives up after five seconds: a Service without pods has no rule", async () => {
    const { engine, clock, elapsed } = machine({ one: [IPTABLES] });
    await routesReady(["one"], ["10.96.9.9"], engine, clock, { signal });
    expect(elapsed()).toBe(5000);
  });
});
