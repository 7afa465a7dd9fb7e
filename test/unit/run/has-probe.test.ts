import { expect, test } from "vitest";
import type { PlannedObject } from "../../../src/model/plan.ts";
import { hasProbe } from "../../../src/run/has-probe.ts";
import { compose, k8s } from "../engine/scenario.ts";

const probed = { name: "main", readinessProbe: { tcpSocket: { port: 80 } } };
const bare = { name: "other" };
const once = { name: "migrate" };
const sidecar = { name: "proxy", restartPolicy: "Always" };

const deployment = (spec: object) =>
  ({
    object: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "x" },
      spec: { template: { spec } },
    },
  }) as unknown as PlannedObject;

test.each([
  ["its only container has one", { containers: [probed] }, true],
  ["none has one", { containers: [bare] }, false],
  ["one of two containers has none", { containers: [probed, bare] }, false],
  ["an init container that ends has none", { initContainers: [once], containers: [probed] }, true],
  ["a sidecar has none", { initContainers: [sidecar], containers: [probed] }, false],
])("hasProbe() of a workload when %s", (_when, spec, result) => {
  expect(hasProbe(k8s("app", { objects: [deployment(spec)] }))).toBe(result);
});

test.each([true, false])(
  "hasProbe() of a Compose service is its healthcheck: %s",
  (hasHealthcheck) => {
    expect(hasProbe(compose("db", { hasHealthcheck }))).toBe(hasHealthcheck);
  },
);

test("hasProbe() does not hold for objects that run nothing", () => {
  const service = { object: { apiVersion: "v1", kind: "Service", metadata: { name: "x" } } };
  expect(hasProbe(k8s("app", { objects: [service as PlannedObject] }))).toBe(false);
});
