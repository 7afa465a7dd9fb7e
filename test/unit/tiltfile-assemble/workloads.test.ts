import { describe, expect, test } from "vitest";
import type { WorkloadId } from "../../../src/tiltfile/recorded.ts";
import {
  at,
  customDeploy,
  deployment,
  failure,
  groups,
  k8sResource,
  local,
  plain,
  plan,
  resourceOf,
  service,
} from "./recorded.ts";

const POD = `---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: a, image: nginx}]}
`;
const TEMPLATE_ONLY = `---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bare}
spec:
  template:
    metadata: {labels: {app: bare}}
`;

function job(kind: string, apiVersion = "batch/v1"): string {
  const pod =
    "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: nginx}]}}}}";
  const spec =
    kind === "CronJob" ? `schedule: "* * * * *"\n  jobTemplate: ${pod}` : pod.slice(7, -1);
  return kind === "CronJob"
    ? `---\napiVersion: ${apiVersion}\nkind: CronJob\nmetadata: {name: cron}\nspec:\n  ${spec}\n`
    : `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: work}\nspec: ${spec}\n`;
}

describe("resources of workloads", () => {
  test("has one for each object with images, in YAML order, and the rest in `uncategorized`", () => {
    const yaml = deployment("b") + plain("ConfigMap", "settings") + deployment("a") + POD;
    expect(groups(plan({ yaml: yaml.replace("name: web", "name: pod") }))).toEqual({
      b: ["Deployment/b"],
      a: ["Deployment/a"],
      pod: ["Pod/pod"],
      uncategorized: ["ConfigMap/settings"],
    });
  });

  test.each([
    ["kind", deployment("web") + POD, ["web:deployment", "web:pod"]],
    [
      "namespace",
      deployment("web", "nginx", "one") + deployment("web", "nginx", "two"),
      ["web:deployment:one", "web:deployment:two"],
    ],
  ])("names workloads of one name with their %s", (_, yaml, names) => {
    expect(plan({ yaml }).resources.map(({ name }) => name)).toEqual(names);
  });

  test("puts Services to the first workload whose pods they select", () => {
    const yaml =
      service("one", "{app: one}") +
      deployment("one") +
      deployment("two") +
      service("all", "{tier: all}") +
      service("two", "{app: two, tier: all}") +
      service("none", "{app: three}") +
      service("headless", "{}");
    expect(groups(plan({ yaml }))).toEqual({
      one: ["Service/one", "Service/all", "Deployment/one"],
      two: ["Service/two", "Deployment/two"],
      uncategorized: ["Service/none", "Service/headless"],
    });
  });

  test("looks for Services in the namespace of the workload, and in the default one", () => {
    const yaml =
      deployment("web", "nginx", "prod") +
      service("same", "{app: web}", "prod") +
      service("default", "{app: web}") +
      service("other", "{app: web}", "dev");
    expect(groups(plan({ yaml }))).toEqual({
      web: ["Service/same", "Service/default", "Deployment/web"],
      uncategorized: ["Service/other"],
    });
  });

  test("makes a resource of a pod template without containers", () => {
    const yaml = TEMPLATE_ONLY + service("bare", "{app: bare}") + deployment("web");
    expect(groups(plan({ yaml }))).toEqual({
      web: ["Deployment/web"],
      bare: ["Service/bare", "StatefulSet/bare"],
    });
  });

  test("applies objects of a resource by kind, those of one kind in YAML order", () => {
    const yaml =
      plain("Widget", "z") +
      plain("Secret", "b") +
      plain("Secret", "a") +
      plain("ConfigMap", "c") +
      plain("Namespace", "d");
    expect(groups(plan({ yaml })).uncategorized).toEqual([
      "Namespace/d",
      "ConfigMap/c",
      "Secret/b",
      "Secret/a",
      "Widget/z",
    ]);
  });

  test.each([
    ["local_resource", { locals: [local("web")] }, 'local_resource named "web" already exists'],
    [
      "k8s_resource",
      { customDeploys: [customDeploy("web")] },
      'k8s_resource named "web" already exists',
    ],
  ])("refuses a name that a %s has", (_, parts, reason) => {
    const error = failure({ yaml: deployment("web"), ...parts });
    expect(error.message).toBe(
      `error making resource for workload web:deployment:default:apps: ${reason}`,
    );
    expect(error.resource).toBe("web");
  });

  test("refuses names that cannot be a path segment", () => {
    const workloadToResource = { position: at(2), name: () => "a/b" };
    const error = failure({ yaml: deployment("web"), workloadToResource });
    expect(error.message).toBe(`invalid value "a/b": may not contain '/'`);
  });

  test("keeps the place of the k8s_yaml call", () => {
    const { position, objects } = resourceOf(plan({ yaml: deployment("web") }), "web", "k8s");
    expect([position, objects[0]!.position]).toEqual([at(1), at(1)]);
  });
});

describe("images that are none", () => {
  test.each([
    ["a workload", deployment("web", "A"), "finding images in web: parsing A: "],
    ["a Job", job("Job").replace("nginx", "A"), "finding image in Job/work: parsing A: "],
    [
      "a CronJob",
      job("CronJob").replace("nginx", "A"),
      "finding image in CronJob/cron: parsing A: ",
    ],
  ])("are errors that name %s", (_, yaml, start) => {
    expect(failure({ yaml }).message).toBe(
      `${start}invalid reference format: repository name (library/A) must be lowercase`,
    );
  });
});

describe("workload_to_resource_function", () => {
  const yaml = deployment("one") + deployment("two", "nginx", "prod");

  test("names resources", () => {
    const seen: WorkloadId[] = [];
    const name = (id: WorkloadId) => {
      seen.push(id);
      return `${id.name}-${id.namespace}`;
    };
    const { resources } = plan({ yaml, workloadToResource: { position: at(2), name } });
    expect(resources.map((resource) => resource.name)).toEqual(["one-default", "two-prod"]);
    expect(seen[1]).toEqual({ name: "two", kind: "Deployment", namespace: "prod", group: "apps" });
  });

  test("may not give one name twice", () => {
    const error = failure({ yaml, workloadToResource: { position: at(2), name: () => "x" } });
    expect(error.message).toBe(
      "/d/Tiltfile:2:1: error applying workload_to_resource_function: both 'two:deployment:prod:apps' and 'one:deployment:default:apps' mapped to resource name 'x'",
    );
  });

  test("may fail", () => {
    const name = () => {
      throw new Error("no name");
    };
    const error = failure({ yaml, workloadToResource: { position: at(2), name } });
    expect(error.message).toBe(
      "/d/Tiltfile:2:1: error applying workload_to_resource_function: error determining resource name for 'one:deployment:default:apps': no name",
    );
    expect(error.positions).toEqual([at(2)]);
  });
});

describe("readiness", () => {
  test.each([
    ["Deployment", deployment("web"), "web", "wait"],
    ["Job", job("Job"), "work", "succeeded"],
    ["CronJob", job("CronJob"), "cron", "ignore"],
    ["object that is no workload", plain("ConfigMap", "a"), "uncategorized", "ignore"],
  ])("of a %s", (_, yaml, name, readiness) => {
    expect(resourceOf(plan({ yaml }), name, "k8s").readiness).toBe(readiness);
  });

  test("is what k8s_kind says, over what it guesses", () => {
    const kindRules = [
      { kind: "^Widget$", podReadiness: "succeeded" as const, locators: [], position: at(3) },
    ];
    const yaml = plain("Widget", "w");
    expect(resourceOf(plan({ yaml, kindRules }), "w", "k8s").readiness).toBe("succeeded");
  });

  test("is what k8s_resource says, over all else", () => {
    const k8sResources = [k8sResource({ workload: "work", podReadiness: "ignore" })];
    expect(resourceOf(plan({ yaml: job("Job"), k8sResources }), "work", "k8s").readiness).toBe(
      "ignore",
    );
  });

  test("is awaited as soon as one of the objects asks for it", () => {
    const rule = (kind: string, podReadiness: "wait" | "ignore") => ({
      kind,
      podReadiness,
      locators: [],
      position: at(3),
    });
    const yaml = plain("Widget", "w");
    const kindRules = [rule("Widget", "ignore"), rule("Wid", "wait")];
    expect(resourceOf(plan({ yaml, kindRules }), "w", "k8s").readiness).toBe("wait");
  });

  test("is not awaited for groups, unless they say which pods are theirs", () => {
    const group = (parts: object) =>
      resourceOf(
        plan({
          yaml: plain("Widget", "w"),
          k8sResources: [k8sResource({ newName: "group", objects: ["w"], ...parts })],
        }),
        "group",
        "k8s",
      ).readiness;
    expect(group({})).toBe("ignore");
    expect(group({ extraPodSelectors: [{ app: "w" }] })).toBe("wait");
  });
});

describe("rules for kinds", () => {
  test("make workloads of what they match, whatever its case, with their image paths", () => {
    const yaml = `${plain("Widget", "w", "", "spec: {image: example/app}\n")}${plain("Gadget", "g")}`;
    const locators = [{ type: "path" as const, jsonPath: "{.spec.image}" }];
    const made = plan({ yaml, kindRules: [{ kind: "widg", locators, position: at(3) }] });
    expect(groups(made)).toEqual({ w: ["Widget/w"], uncategorized: ["Gadget/g"] });
    expect(resourceOf(made, "w", "k8s").objects[0]!.imageLocators).toEqual(locators);
  });

  test("may pick by name and namespace", () => {
    const yaml =
      plain("Widget", "a", "one") + plain("Widget", "a", "two") + plain("Widget", "b", "two");
    const imagePathRules = [
      { name: "^a$", namespace: "two", jsonPaths: ["{.spec.image}"], position: at(3) },
    ];
    const error = failure({ yaml, imagePathRules });
    expect(error.message).toContain("spec is not found");
  });
});
