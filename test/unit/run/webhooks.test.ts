import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import type { KubernetesObject, Resource } from "../../../src/model/plan.ts";
import { mayStillAnswer, webhookServer } from "../../../src/run/webhooks.ts";

const object = (kind: string, name: string, namespace?: string) =>
  ({
    apiVersion: "v1",
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  }) as KubernetesObject;
const k8s = (name: string, ...objects: KubernetesObject[]) =>
  ({
    enabled: true,
    autoInit: true,
    type: "k8s",
    name,
    objects: objects.map((each) => ({ object: each })),
  }) as unknown as Resource;
const local = (name: string) =>
  ({
    enabled: true,
    autoInit: true,
    type: "local",
    name,
    updateCmd: { argv: ["true"] },
  }) as unknown as Resource;
const planOf = (...resources: Resource[]) => ({ resources, directory: "/app" });
const finished = (resource: string, status: "passed" | "failed" | "error") =>
  ({ type: "phase-finished", at: 1, resource, phase: "ready", attempt: 1, status }) as RunEvent;

// As Kubernetes 1.34 says them.
const call = (host: string, why: string) =>
  `Internal error occurred: failed calling webhook "g.example.com": failed to call webhook: Post "https://${host}:443/?timeout=1s": ${why}`;
const REFUSED = call("guard.default.svc", "dial tcp 10.96.1.2:443: connect: connection refused");
const CONVERSION =
  'conversion webhook for example.com/v1, Kind=Widget failed: Post "https://guard.default.svc:443/convert?timeout=30s": EOF';
const NO_SERVICE = call("guard.default.svc", 'service "guard" not found');

const guard = k8s("gatekeeper", object("Deployment", "guard"), object("Service", "guard"));

describe("webhookServer()", () => {
  test.each([
    ["an admission webhook", REFUSED],
    ["a conversion webhook", CONVERSION],
  ])("finds the resource that has the Service of %s", (_, message) => {
    expect(webhookServer(message, planOf(k8s("app", object("Service", "app")), guard))).toBe(
      "gatekeeper",
    );
  });

  test("finds none in another namespace, in resources that do not run, and for other messages", () => {
    expect(
      webhookServer(REFUSED, planOf(k8s("guard", object("Service", "guard", "other")))),
    ).toBeUndefined();
    expect(
      webhookServer(REFUSED, planOf({ ...guard, enabled: false } as Resource)),
    ).toBeUndefined();
    expect(webhookServer("slow down", planOf(guard))).toBeUndefined();
  });
});

describe("mayStillAnswer()", () => {
  test("is true until the resource that serves the webhook has failed", () => {
    const plan = planOf(guard, k8s("app"));
    expect(mayStillAnswer(REFUSED, plan, [], true)).toBe(true);
    expect(mayStillAnswer(REFUSED, plan, [finished("gatekeeper", "passed")], true)).toBe(true);
    expect(mayStillAnswer(REFUSED, plan, [finished("app", "failed")], true)).toBe(true);
    expect(mayStillAnswer(REFUSED, plan, [finished("gatekeeper", "failed")], true)).toBe(false);
    expect(mayStillAnswer(REFUSED, plan, [finished("gatekeeper", "error")], false)).toBe(false);
    expect(mayStillAnswer("slow down", plan, [finished("gatekeeper", "failed")], true)).toBe(true);
  });

  test("is false for a webhook without a Service that nothing may make", () => {
    expect(mayStillAnswer(NO_SERVICE, planOf(k8s("app")), [], true)).toBe(false);
  });

  test("is true for a webhook without a Service that something else may make", () => {
    const operator = k8s("operator", object("ClusterRoleBinding", "operator"));
    expect(mayStillAnswer(NO_SERVICE, planOf(k8s("app")), [], false)).toBe(true);
    expect(mayStillAnswer(NO_SERVICE, planOf(operator), [], true)).toBe(true);
    expect(mayStillAnswer(NO_SERVICE, planOf(local("install")), [], true)).toBe(true);
    expect(mayStillAnswer(NO_SERVICE, planOf(guard), [], true)).toBe(true);
    expect(mayStillAnswer(REFUSED, planOf(k8s("app")), [], true)).toBe(true);
  });
});
