import { describe, expect, test } from "vitest";
import type { ApiClient } from "../../../src/cluster/api.ts";
import { dnsReady, publishDnsEarly } from "../../../src/cluster/cluster-dns.ts";
import type { Clock } from "../../../src/host/host.ts";

/** An API server whose answers are functions of the time; the clock goes on while somebody sleeps. */
function api(answer: (method: string, path: string, now: number) => [number, unknown?]) {
  let now = 0;
  const asked: string[] = [];
  const client = {
    request: async (method: string, path: string) => {
      asked.push(`${method} ${path}`);
      const [status, body] = answer(method, path, now);
      return { status, body: typeof body === "string" ? body : JSON.stringify(body ?? {}) };
    },
    close: () => {},
  } as ApiClient;
  const clock = {
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  } as unknown as Clock;
  return { client, clock, asked, elapsed: () => now };
}

const { signal } = new AbortController();
const pod = { metadata: { name: "coredns-1" }, status: { podIP: "10.244.0.2" } };

describe("publishDnsEarly()", () => {
  test("patches the Service as soon as it exists", async () => {
    const { client, clock, elapsed } = api((_, __, now) => [now < 1000 ? 404 : 200]);
    expect(await publishDnsEarly(client, clock, signal)).toBe(true);
    expect(elapsed()).toBe(1000);
  });
});

describe("dnsReady()", () => {
  test("tells the cluster's DNS when CoreDNS says that it knows the Services", async () => {
    const { client, clock, elapsed } = api((_, path, now) => {
      if (path.includes("labelSelector")) return [200, { items: now < 400 ? [] : [pod] }];
      if (path.endsWith("/coredns-1:8181/proxy/ready")) return [now < 1000 ? 503 : 200];
      return [200, { spec: { clusterIPs: ["10.96.0.10"] } }];
    });
    expect(await dnsReady(client, clock, signal)).toEqual({ addresses: ["10.96.0.10"] });
    expect(elapsed()).toBe(1000);
  });

  test("does not ask a pod that has no address yet", async () => {
    const { client, clock, asked } = api(() => [200, { items: [{ metadata: pod.metadata }] }]);
    await dnsReady(client, clock, signal);
    expect(asked.some((path) => path.includes("proxy"))).toBe(false);
  });

  test("gives up after half a minute: a cluster may have another DNS", async () => {
    const { client, clock, elapsed } = api(() => [0, "no JSON"]);
    expect(await dnsReady(client, clock, signal)).toBeUndefined();
    expect(elapsed()).toBe(30_000);
  });
});
