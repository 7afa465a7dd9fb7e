import { expect, test } from "vitest";
import type { PlannedObject } from "../../../src/model/plan.ts";
import { plansNoMakers } from "../../../src/run/nobody-else.ts";
import { k8s, local, planOf, server } from "../engine/scenario.ts";

const object = (apiVersion: string, kind: string) =>
  ({ object: { apiVersion, kind, metadata: { name: "x" } } }) as PlannedObject;

test("plansNoMakers() holds for workloads and commands", () => {
  const app = k8s("app", { objects: [object("apps/v1", "Deployment")] });
  expect(plansNoMakers(planOf([app, local("seed"), server("dev")]))).toBe(true);
});

test.each([
  [
    "a binding",
    k8s("op", { objects: [object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")] }),
  ],
  ["a custom resource", k8s("db", { objects: [object("example.com/v1", "Database")] })],
  ["a server that talks to the cluster", server("kubectl proxy")],
])("plansNoMakers() does not hold for %s", (_, resource) => {
  expect(plansNoMakers(planOf([resource]))).toBe(false);
});
