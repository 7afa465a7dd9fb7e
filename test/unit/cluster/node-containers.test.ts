import { expect, test } from "vitest";
import { parseNodeContainers } from "../../../src/cluster/node-containers.ts";

test("parseNodeContainers() tells roles, states and the API server's address", () => {
  const text = [
    "tci-a-worker2\tUp 3 seconds\t",
    "tci-a-control-plane\tUp Less than a second\t127.0.0.1:34851->6443/tcp",
    "tci-a-control-plane2\tCreated\t",
    "tci-a-external-load-balancer\tUp 1 second\t0.0.0.0:41000->6443/tcp, :::41000->6443/tcp",
    "tci-a-worker\tExited (137) 2 seconds ago\t",
    "tci-a-worker3\tUp 4 days (Paused)\t",
    "",
  ].join("\n");
  expect(parseNodeContainers(text)).toEqual([
    { name: "tci-a-worker2", role: "worker", running: true, status: "Up 3 seconds" },
    {
      name: "tci-a-control-plane",
      role: "control-plane",
      running: true,
      status: "Up Less than a second",
      apiAddress: "127.0.0.1:34851",
    },
    { name: "tci-a-control-plane2", role: "control-plane", running: false, status: "Created" },
    {
      name: "tci-a-external-load-balancer",
      role: "load-balancer",
      running: true,
      status: "Up 1 second",
      apiAddress: "127.0.0.1:41000",
    },
    { name: "tci-a-worker", role: "worker", running: false, status: "Exited (137) 2 seconds ago" },
    { name: "tci-a-worker3", role: "worker", running: false, status: "Up 4 days (Paused)" },
  ]);
});

test("parseNodeContainers() of nothing is nothing", () => {
  expect(parseNodeContainers("\n")).toEqual([]);
});
