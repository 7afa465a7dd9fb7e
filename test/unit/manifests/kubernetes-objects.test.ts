import { describe, expect, test } from "vitest";
import {
  applyRank,
  hasMetadataLabels,
  inApplyOrder,
  matchesFragment,
  objectFullName,
  objectId,
  parseFragment,
  podTemplateLabels,
  potentialNames,
  secretValues,
  serviceSelector,
  uniqueNames,
} from "../../../src/manifests/kubernetes-objects.ts";
import type { KubernetesObject } from "../../../src/model/plan.ts";
import { outcome } from "./go-answers.ts";

function object(
  kind: string,
  name: string,
  { namespace, apiVersion = "v1", ...rest }: Record<string, unknown> & { apiVersion?: string } = {},
): KubernetesObject {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion, kind, metadata, ...rest } as KubernetesObject;
}

describe("objectId()", () => {
  test("is lower case, with the default namespace", () => {
    expect(objectId(object("ConfigMap", "CC"))).toBe("cc:configmap:default");
    expect(objectId(object("Role", "system:x", { namespace: "ns" }))).toBe("system:x:role:ns");
  });
});

describe("potentialNames()", () => {
  test("goes from the name to the group, colons escaped", () => {
    expect(potentialNames(object("Deployment", "a:b", { apiVersion: "apps/v1" }))).toEqual([
      "a\\:b",
      "a\\:b:deployment",
      "a\\:b:deployment:default",
      "a\\:b:deployment:default:apps",
    ]);
    expect(potentialNames(object("Pod", "p"))[3]).toBe("p:pod:default:core");
  });
});

describe("uniqueNames()", () => {
  test.each([
    ["names that differ", [object("Pod", "a"), object("Pod", "b")], ["a", "b"]],
    ["kinds that differ", [object("Pod", "a"), object("Job", "a")], ["a:pod", "a:job"]],
    [
      "namespaces that differ",
      [object("Pod", "a", { namespace: "x" }), object("Pod", "a", { namespace: "y" })],
      ["a:pod:x", "a:pod:y"],
    ],
    [
      "groups that differ",
      [
        object("Foo", "a", { apiVersion: "x.io/v1" }),
        object("Foo", "a", { apiVersion: "y.io/v1" }),
      ],
      ["a:foo:default:x.io", "a:foo:default:y.io"],
    ],
    [
      "nothing that differs",
      [object("Pod", "a"), object("Pod", "a")],
      ["a:pod:default:core:0", "a:pod:default:core:1"],
    ],
    ["no name", [object("Pod", "")], [":pod:default:core:0"]],
  ])("tells apart %s", (_, objects, expected) => {
    expect(uniqueNames(objects)).toEqual(expected);
  });
});

describe("parseFragment()", () => {
  test.each([
    ["foo", ["foo"]],
    ["foo:secret:ns", ["foo", "secret", "ns"]],
    ["a\\:b:role", ["a:b", "role"]],
    ["a\\\\b", ["a\\b"]],
    [":secret", ["", "secret"]],
  ])("splits %s", (text, expected) => {
    expect(parseFragment(text)).toEqual(expected);
  });

  test.each([
    ["", "selector can't be empty"],
    [
      "a:b:c:d",
      "Too many parts in selector. Selectors must contain between 1 and 3 parts (colon separated), found 4 parts in a:b:c:d",
    ],
    ["qu\\u:bar", "invalid escape sequence '\\u' in 'qu\\u:b'"],
    ["a\\", "string ends with escape character: 'a\\'"],
  ])("refuses %j in Tilt's words", (text, error) => {
    expect(outcome(() => parseFragment(text))).toEqual({ error });
  });
});

describe("matchesFragment()", () => {
  const secret = object("Secret", "Foo", { namespace: "NS" });
  test.each([
    [["foo"], true],
    [["FOO", "secret"], true],
    [["", "secret"], true],
    [["foo", "", "ns"], true],
    [["fo"], false],
    [["foo", "configmap"], false],
    [["foo", "secret", "default"], false],
  ])("of %j is %s", (parts, expected) => {
    expect(matchesFragment(secret, parts)).toBe(expected);
  });

  test("names the object that objectFullName() wrote", () => {
    const odd = object("Secret", "a:b\\c");
    expect(matchesFragment(odd, parseFragment(objectFullName(odd)))).toBe(true);
  });
});

describe("inApplyOrder()", () => {
  test("sorts by rank and leaves equals in order", () => {
    const kinds = [
      "Pod",
      "Deployment",
      "Foo",
      "Service",
      "ConfigMap",
      "Namespace",
      "Job",
      "CustomResourceDefinition",
    ];
    const sorted = inApplyOrder(kinds, (kind) => object(kind, "x"));
    expect(sorted).toEqual([
      "Namespace",
      "CustomResourceDefinition",
      "ConfigMap",
      "Service",
      "Deployment",
      "Pod",
      "Foo",
      "Job",
    ]);
    expect(applyRank("Anything")).toBeGreaterThan(applyRank("PodDisruptionBudget"));
  });
});

describe("podTemplateLabels()", () => {
  test("finds templates at any depth, none in bare Pods and custom resources", () => {
    const template = { metadata: { labels: { app: "x" } } };
    const deployment = object("Deployment", "d", { apiVersion: "apps/v1", spec: { template } });
    const cronJob = object("CronJob", "c", {
      apiVersion: "batch/v1",
      spec: { jobTemplate: { spec: { template } } },
    });
    expect(podTemplateLabels(deployment)).toEqual([{ app: "x" }]);
    expect(podTemplateLabels(cronJob)).toEqual([{ app: "x" }]);
    expect(podTemplateLabels(object("Pod", "p", { spec: {} }))).toEqual([]);
    expect(
      podTemplateLabels(object("Foo", "f", { apiVersion: "x/v1", spec: { template } })),
    ).toEqual([]);
    expect(podTemplateLabels(object("Job", "j", { apiVersion: "batch/v1" }))).toEqual([]);
  });
});

describe("serviceSelector()", () => {
  test("is undefined for what selects nothing", () => {
    const service = (selector: unknown) => object("Service", "s", { spec: { selector } });
    expect(serviceSelector(service({ app: "x" }))).toEqual({ app: "x" });
    expect(serviceSelector(service({}))).toBeUndefined();
    expect(serviceSelector(service(null))).toBeUndefined();
    expect(serviceSelector(object("Service", "s"))).toBeUndefined();
    expect(serviceSelector(object("Pod", "p", { spec: { selector: { a: "b" } } }))).toBeUndefined();
  });
});

describe("hasMetadataLabels()", () => {
  test("looks at all metadata of built-in kinds", () => {
    const deployment = (own: object, template: object) => ({
      ...object("Deployment", "d", {
        apiVersion: "apps/v1",
        spec: { template: { metadata: { labels: template } } },
      }),
      metadata: { name: "d", labels: own },
    });
    expect(hasMetadataLabels(deployment({ a: "1" }, { a: "1" }) as never, { a: "1" })).toBe(true);
    expect(hasMetadataLabels(deployment({ a: "1" }, {}) as never, { a: "1" })).toBe(false);
    expect(hasMetadataLabels(deployment({}, { a: "1" }) as never, { a: "1" })).toBe(false);
    expect(hasMetadataLabels(object("ConfigMap", "c"), {})).toBe(true);
    expect(hasMetadataLabels(object("Foo", "f", { apiVersion: "x/v1" }), { a: "1" })).toBe(true);
  });
});

describe("secretValues()", () => {
  test("decodes data and adds stringData, without empty values", () => {
    const secret = object("Secret", "s", {
      data: { a: "aGVsbG8=", e: "" },
      stringData: { b: "world", n: null },
    });
    expect(secretValues(secret)).toEqual([
      { secretName: "s", key: "a", value: "hello" },
      { secretName: "s", key: "b", value: "world" },
    ]);
    expect(secretValues(object("ConfigMap", "c", { data: { a: "x" } }))).toEqual([]);
  });
});
