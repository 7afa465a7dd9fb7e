import { loadAll } from "js-yaml";
import { describe, expect, test } from "vitest";
import { maskedYaml } from "../../../src/report/applied-yaml.ts";

describe("maskedYaml()", () => {
  test("masks every value of a Secret and nothing of other objects", () => {
    const yaml = maskedYaml([
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: "db",
          annotations: {
            "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"a":"YQ=="}}',
            keep: "x",
          },
          managedFields: [],
        },
        type: "Opaque",
        data: { a: "YQ==" },
        stringData: { "b-c": "abc" },
      },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cm" }, data: { a: "on\nyes" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "empty" }, data: null },
    ]);
    expect(loadAll(yaml)).toEqual([
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "db", annotations: { keep: "x" } },
        type: "Opaque",
        data: { a: "[redacted secret db:a]" },
        stringData: { "b-c": "[redacted secret db:b-c]" },
      },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cm" }, data: { a: "on\nyes" } },
      { apiVersion: "v1", kind: "Secret", metadata: { name: "empty" }, data: null },
    ]);
  });

  test("gives nothing for no objects", () => {
    expect(maskedYaml([])).toBe("");
  });
});
