import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../../src/model/plan.ts";
import { limitProblems } from "../../../src/tiltfile/assemble/object-limits.ts";
import { at, deployment, failure, k8sResource, plain, plan } from "./recorded.ts";

const configMap = (metadata: Record<string, unknown>) =>
  ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", ...metadata },
  }) as KubernetesObject;

const named = (apiVersion: string, kind: string, length: number) =>
  ({ apiVersion, kind, metadata: { name: "n".repeat(length) } }) as KubernetesObject;

/** One annotation that takes so many bytes with its key. */
const annotations = (bytes: number, character = "x") => ({
  note: character.repeat((bytes - "note".length) / Buffer.byteLength(character)),
});

describe("limitProblems()", () => {
  test("takes annotations of 256 KiB with their keys, and not a byte more", () => {
    expect(limitProblems(configMap({ annotations: annotations(262_144) }))).toEqual([]);
    expect(limitProblems(configMap({ annotations: annotations(262_145) }))).toEqual([
      "metadata.annotations have 262145 bytes, 262144 are allowed; the largest is note with 262145",
    ]);
  });

  test("counts bytes, not characters", () => {
    expect(limitProblems(configMap({ annotations: annotations(262_146, "é") }))).toHaveLength(1);
    expect(limitProblems(configMap({ annotations: annotations(262_144, "é") }))).toEqual([]);
  });

  test("names the largest of many annotations", () => {
    const many = { small: "x".repeat(100_000), "example.com/big": "x".repeat(200_000) };
    expect(limitProblems(configMap({ annotations: many }))[0]).toContain(
      "the largest is example.com/big with 200015",
    );
  });

  test("takes labels of 63 characters behind a prefix of 253", () => {
    const key = `${"p".repeat(253)}/${"k".repeat(63)}`;
    const labels = { [key]: "v".repeat(63), none: "" };
    expect(limitProblems(configMap({ labels, annotations: { [key]: "v".repeat(64) } }))).toEqual(
      [],
    );
  });

  test.each([
    [{ app: "v".repeat(64) }, "the value of app has 64 characters, 63 are allowed"],
    [{ ["k".repeat(64)]: "v" }, `the name of ${"k".repeat(64)} has 64 characters, 63 are allowed`],
    [
      { [`example.com/${"k".repeat(64)}`]: "v" },
      `the name of example.com/${"k".repeat(64)} has 64 characters, 63 are allowed`,
    ],
    [
      { [`${"p".repeat(254)}/k`]: "v" },
      `the prefix of ${"p".repeat(80)}… has 254 characters, 253 are allowed`,
    ],
  ])("finds a label that is too long: %#", (labels, problem) => {
    expect(limitProblems(configMap({ labels }))).toEqual([`metadata.labels: ${problem}`]);
  });

  test("finds an annotation's key that is too long", () => {
    expect(limitProblems(configMap({ annotations: { ["k".repeat(64)]: "v" } }))).toEqual([
      `metadata.annotations: the name of ${"k".repeat(64)} has 64 characters, 63 are allowed`,
    ]);
  });

  test.each([
    ["v1", "ConfigMap", 253],
    ["apps/v1", "Deployment", 253],
    ["v1", "Service", 63],
    ["v1", "Namespace", 63],
    ["batch/v1", "CronJob", 52],
  ])("takes names of %s %s up to %i characters", (apiVersion, kind, max) => {
    expect(limitProblems(named(apiVersion, kind, max))).toEqual([]);
    expect(limitProblems(named(apiVersion, kind, max + 1))).toEqual([
      `metadata.name has ${max + 1} characters, ${max} are allowed`,
    ]);
  });

  test("leaves names to the API server where the kind decides, and objects without a name", () => {
    expect(limitProblems(named("rbac.authorization.k8s.io/v1", "Role", 300))).toEqual([]);
    expect(limitProblems(named("example.com/v1", "Widget", 300))).toEqual([]);
    expect(limitProblems(configMap({ name: undefined, generateName: "c-" }))).toEqual([]);
    expect(limitProblems(configMap({ labels: null, annotations: null }))).toEqual([]);
  });

  test.each([
    ["apps/v1", "Deployment", "spec.template", (template: unknown) => ({ template })],
    [
      "batch/v1",
      "CronJob",
      "spec.jobTemplate.spec.template",
      (template: unknown) => ({ jobTemplate: { spec: { template } } }),
    ],
  ])("looks into the pod template of %s %s", (apiVersion, kind, path, specOf) => {
    const template = { metadata: { labels: { app: "v".repeat(64) } } };
    const object = { apiVersion, kind, metadata: { name: "a" }, spec: specOf(template) };
    expect(limitProblems(object as KubernetesObject)).toEqual([
      `${path}.metadata.labels: the value of app has 64 characters, 63 are allowed`,
    ]);
  });
});

describe("assemble()", () => {
  const yaml = `${deployment("web")}${plain("ConfigMap", "s".repeat(254))}`;

  test("refuses an object that is too long, with exit 2 at the k8s_yaml call", () => {
    const error = failure({ yaml });
    expect(error.message).toBe(
      `Kubernetes cannot take ConfigMap/${"s".repeat(80)}…: metadata.name has 254 characters, 253 are allowed`,
    );
    expect(error).toMatchObject({ exitCode: 2, position: at(1), resource: "uncategorized" });
  });

  test("takes it where it is not applied", () => {
    const objects = ["s".repeat(254)];
    const k8sResources = [k8sResource({ newName: "long", objects, autoInit: false })];
    expect(plan({ yaml, k8sResources }).resources.map(({ name }) => name)).toContain("long");
  });
});
