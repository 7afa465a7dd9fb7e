import { describe, expect, test } from "vitest";
import type { Observation, RunEvent } from "../../../src/model/event.ts";
import type { KubernetesObject, Resource } from "../../../src/model/plan.ts";
import { mayStillAppear, mayStillBeDefined } from "../../../src/run/on-its-way.ts";

const base = { enabled: true, autoInit: true };
const k8s = (name: string, ...objects: KubernetesObject[]) =>
  ({
    ...base,
    type: "k8s",
    name,
    objects: objects.map((object) => ({ object })),
  }) as unknown as Resource;
const local = (name: string) =>
  ({ ...base, type: "local", name, updateCmd: { argv: ["true"] } }) as unknown as Resource;
const custom = (name: string) => ({ ...base, type: "custom", name }) as unknown as Resource;
const object = (apiVersion: string, kind: string, name: string, more: object = {}) =>
  ({ apiVersion, kind, metadata: { name }, ...more }) as KubernetesObject;
const finished = (resource: string, phase: "deploy" | "command", status = "passed") =>
  ({ type: "phase-finished", at: 1, resource, phase, attempt: 1, status }) as RunEvent;
const observed = (resource: string, observation: Partial<Observation>) =>
  ({ type: "observed", at: 1, resource, observation }) as RunEvent;

const secret = { kind: "Secret", namespace: "default", name: "db" };
const job = k8s("certificates", object("batch/v1", "Job", "make"));
const issuer = k8s("issuer", object("cert-manager.io/v1", "Certificate", "db"));

describe("mayStillAppear()", () => {
  const ask = (resources: Resource[], events: RunEvent[] = [], missed = secret) =>
    mayStillAppear(missed, { resources }, events);

  test("is true for an object of a deploy that has not ended", () => {
    const config = k8s("config", object("v1", "Secret", "db"));
    expect(ask([config])).toBe(true);
    expect(ask([config], [finished("config", "deploy")])).toBe(false);
    expect(ask([config], [], { ...secret, name: "other" })).toBe(false);
    expect(ask([config], [], { ...secret, namespace: "elsewhere" })).toBe(true);
  });

  test("is true while a command runs that may do anything", () => {
    expect(ask([local("seed")])).toBe(true);
    expect(ask([local("seed")], [finished("seed", "command")])).toBe(false);
    expect(ask([custom("helm")])).toBe(true);
    expect(ask([custom("helm")], [finished("helm", "deploy")])).toBe(false);
  });

  test.each([
    ["a Job", job],
    ["a custom resource", issuer],
  ])("is true for a Secret while %s is at work", (_, maker) => {
    const deployed = finished(maker.name, "deploy");
    expect(ask([maker], [deployed])).toBe(true);
    expect(ask([maker], [deployed, observed(maker.name, { state: "pending" })])).toBe(true);
    expect(ask([maker], [deployed, observed(maker.name, { state: "ready" })])).toBe(false);
    expect(ask([maker], [finished(maker.name, "deploy", "failed")])).toBe(false);
  });

  test("is false when the maker waits for an object himself", () => {
    const failure = { code: "ContainerConfig", message: "no Secret db" } as const;
    const events = [
      finished("certificates", "deploy"),
      observed("certificates", { state: "pending", failure }),
    ];
    expect(ask([job], events)).toBe(false);
  });

  test("is false for what a Job does not make, and for resources that do not run", () => {
    const claim = { ...secret, kind: "PersistentVolumeClaim" };
    expect(ask([job], [finished("certificates", "deploy")], claim)).toBe(false);
    expect(ask([{ ...job, enabled: false } as Resource])).toBe(false);
    expect(
      ask([k8s("web", object("apps/v1", "Deployment", "web"))], [finished("web", "deploy")]),
    ).toBe(false);
  });
});

describe("mayStillBeDefined()", () => {
  const widget = { apiVersion: "example.com/v1", kind: "Widget" };
  const definition = k8s(
    "crds",
    object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "widgets.example.com", {
      spec: { group: "example.com", names: { kind: "Widget" } },
    }),
  );
  const ask = (resources: Resource[], events: RunEvent[] = [], kind = widget) =>
    mayStillBeDefined(kind, "widgets", { resources }, events);

  test("is true while the deploy of its definition has not ended", () => {
    expect(ask([definition])).toBe(true);
    expect(ask([definition], [finished("crds", "deploy")])).toBe(false);
    expect(ask([definition], [], { ...widget, kind: "Gadget" })).toBe(false);
    expect(ask([definition], [], { ...widget, apiVersion: "example.org/v1" })).toBe(false);
  });

  test("is true while a command runs, and does not count the one who asks", () => {
    expect(ask([custom("operator")])).toBe(true);
    expect(ask([local("install")])).toBe(true);
    expect(ask([custom("widgets")])).toBe(false);
  });
});
