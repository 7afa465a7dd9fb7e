import { describe, expect, test } from "vitest";
import {
  at,
  composeProject,
  composeService,
  customBuild,
  customDeploy,
  deployment,
  failure,
  groups,
  k8sResource,
  local,
  plain,
  plan,
  resourceOf,
} from "./recorded.ts";

const yaml =
  deployment("web") + deployment("api") + plain("ConfigMap", "settings") + plain("Secret", "key");

describe("k8s_resource", () => {
  test("renames a resource and gives it objects", () => {
    const k8sResources = [
      k8sResource({ workload: "web", newName: "front", objects: ["settings", "key:secret"] }),
    ];
    expect(groups(plan({ yaml, k8sResources }))).toEqual({
      front: ["ConfigMap/settings", "Secret/key", "Deployment/web"],
      api: ["Deployment/api"],
    });
  });

  test("finds resources by the name that they have by then", () => {
    const k8sResources = [
      k8sResource({ workload: "web", newName: "front" }),
      k8sResource({ workload: "front", labels: ["a"] }),
      k8sResource({ workload: "api", newName: "web" }),
    ];
    expect(plan({ yaml, k8sResources }).resources.map(({ name }) => name)).toEqual([
      "front",
      "web",
      "uncategorized",
    ]);
    const renamed = [k8sResources[0]!, k8sResource({ workload: "web" })];
    expect(failure({ yaml, k8sResources: renamed }).message).toBe(
      '/d/Tiltfile:20:1: k8s_resource specified unknown resource "web". known k8s resources: api, front',
    );
  });

  test("groups objects without a workload", () => {
    const k8sResources = [k8sResource({ newName: "config", objects: ["settings:configmap"] })];
    expect(groups(plan({ yaml, k8sResources }))).toEqual({
      web: ["Deployment/web"],
      api: ["Deployment/api"],
      config: ["ConfigMap/settings"],
      uncategorized: ["Secret/key"],
    });
  });

  test("adds up over calls; of settings with one value the last one holds", () => {
    const forward = (localPort: number) => ({ localPort, containerPort: 80 });
    const k8sResources = [
      k8sResource({
        workload: "web",
        portForwards: [forward(1)],
        links: [{ url: "http://a" }],
        labels: ["x", "y"],
        resourceDeps: ["api"],
        extraPodSelectors: [{ a: "1" }],
        triggerMode: "manual",
        autoInit: false,
        podReadiness: "ignore",
        discoveryStrategy: "selectors-only",
      }),
      k8sResource({
        workload: "web",
        portForwards: [forward(2)],
        links: [{ url: "http://b" }],
        labels: ["y", "z"],
        extraPodSelectors: [{ b: "2" }],
        autoInit: true,
        podReadiness: "wait",
      }),
    ];
    expect(resourceOf(plan({ yaml, k8sResources }), "web", "k8s")).toMatchObject({
      portForwards: [forward(1), forward(2)],
      links: [{ url: "http://a" }, { url: "http://b" }],
      labels: ["x", "y", "z"],
      resourceDeps: ["api"],
      extraPodSelectors: [{ a: "1" }, { b: "2" }],
      triggerMode: "manual",
      autoInit: true,
      readiness: "wait",
      discoveryStrategy: "selectors-only",
    });
  });

  test("leaves the trigger mode to the Tiltfile", () => {
    const made = plan({ yaml, triggerMode: "manual", locals: [local("l")] });
    expect(made.resources.map(({ name, triggerMode }) => [name, triggerMode])).toEqual([
      ["web", "manual"],
      ["api", "manual"],
      ["l", "manual"],
      ["uncategorized", "auto"],
    ]);
  });

  test("suggests the name that was probably meant", () => {
    const { message, hint, positions } = failure({
      yaml,
      k8sResources: [k8sResource({ workload: "wbe" })],
    });
    expect(message).toBe(
      '/d/Tiltfile:20:1: k8s_resource specified unknown resource "wbe". known k8s resources: web, api',
    );
    expect(hint).toBe('Did you mean "web"?');
    expect(positions).toEqual([at(20)]);
  });

  test.each([
    ["k8s_resource", "api", {}],
    ["local_resource", "job", { locals: [local("job")] }],
    ["dc_resource", "db", { compose: { projects: [composeProject([composeService("db")])] } }],
  ])("refuses to rename to what a %s is called", (owner, name, parts) => {
    const rename = [k8sResource({ workload: "web", newName: name })];
    expect(failure({ yaml, ...parts, k8sResources: rename }).message).toBe(
      `/d/Tiltfile:20:1: k8s_resource specified to rename "web" to "${name}": ${owner} named "${name}" already exists`,
    );
    const group = [k8sResource({ newName: name, objects: ["settings"] })];
    expect(failure({ yaml, ...parts, k8sResources: group }).message).toBe(
      `${owner} named "${name}" already exists`,
    );
  });

  test("may rename to the name that it has", () => {
    const k8sResources = [k8sResource({ workload: "web", newName: "web" })];
    expect(plan({ yaml, k8sResources }).resources[0]!.name).toBe("web");
  });

  test.each([
    [
      "unknown",
      ["setings"],
      'No object identified by the fragment "setings" could be found. Possible objects are: "web:Deployment:default", "api:Deployment:default", "settings:ConfigMap:default", "key:Secret:default"',
    ],
    [
      "taken already",
      ["settings", "settings"],
      'No object identified by the fragment "settings" could be found in remaining YAML. Valid remaining fragments are: "key:Secret:default"',
    ],
    [
      "part of a workload",
      ["api"],
      'No object identified by the fragment "api" could be found in remaining YAML. Valid remaining fragments are: "settings:ConfigMap:default", "key:Secret:default"',
    ],
  ])("refuses objects that are %s", (_, objects, message) => {
    const error = failure({ yaml, k8sResources: [k8sResource({ workload: "web", objects })] });
    expect(error.message).toBe(message);
  });

  test("refuses a fragment that several objects match", () => {
    const twice = plain("ConfigMap", "x", "one") + plain("ConfigMap", "x", "two");
    const k8sResources = [k8sResource({ newName: "r", objects: ["X:configmap"] })];
    expect(failure({ yaml: twice, k8sResources }).message).toBe(
      '"X:configmap" is not a unique fragment. Objects that match "X:configmap" are "x:ConfigMap:one", "x:ConfigMap:two"',
    );
    const exact = [k8sResource({ newName: "r", objects: ["x:configmap:two"] })];
    expect(groups(plan({ yaml: twice, k8sResources: exact })).r).toEqual(["ConfigMap/x"]);
  });
});

describe("k8s_custom_deploy", () => {
  test("comes before workloads and can be changed by k8s_resource", () => {
    const made = plan({
      yaml,
      customDeploys: [customDeploy("helm", { imageSelector: "app", deps: ["/d/chart"] })],
      k8sResources: [k8sResource({ workload: "helm", newName: "chart", labels: ["x"] })],
    });
    expect(made.resources.map(({ name }) => name)).toEqual([
      "chart",
      "web",
      "api",
      "uncategorized",
    ]);
    expect(resourceOf(made, "chart", "custom")).toMatchObject({
      labels: ["x"],
      readiness: "wait",
      imageSelector: "app",
      deps: ["/d/chart"],
    });
  });

  test("runs images that it names", () => {
    const parts = {
      images: [customBuild("example/app")],
      customDeploys: [customDeploy("helm", { imageDeps: ["example/app"] })],
    };
    const made = plan(parts);
    expect(resourceOf(made, "helm", "custom").images).toEqual(["example/app"]);
    expect(made.images[0]).toMatchObject({ usedBy: ["helm"], deployed: true });
  });

  test("refuses images that nothing builds", () => {
    const error = failure({
      images: [customBuild("example/app")],
      customDeploys: [customDeploy("helm", { imageDeps: ["example/ap"] })],
    });
    expect(error.message).toBe('resource "helm": image build "example/ap" not found');
    expect(error.hint).toBe('Did you mean "example/app"?');
  });
});
