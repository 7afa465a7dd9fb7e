import { describe, expect, test } from "vitest";
import { PhaseFailure } from "../../../src/errors.ts";
import { type BuiltImage, injectImages } from "../../../src/kubernetes/inject/inject-images.ts";
import type { CustomBuild, ImageLocator, KubernetesObject } from "../../../src/model/plan.ts";

const position = { file: "/app/Tiltfile", line: 1, column: 1 };

function built(ref: string, more: Partial<CustomBuild> = {}): [string, BuiltImage] {
  const build: CustomBuild = {
    type: "custom",
    ref,
    exactTag: ref.includes(":"),
    position,
    dependsOn: [],
    usedBy: [],
    deployed: true,
    matchInEnvVars: false,
    liveUpdate: [],
    command: { argv: [], dir: "/", env: {} },
    deps: [],
    disablePush: false,
    skipsLocalDocker: false,
    imageDeps: [],
    ...more,
  };
  return [ref, { build, clusterRef: `localhost:5000/${ref.replace(/[/:]/g, "_")}:tilt-1` }];
}

function inject(
  object: Record<string, unknown>,
  images: readonly [string, BuiltImage][] = [],
  imageLocators: readonly ImageLocator[] = [],
) {
  const objects = [{ object: object as KubernetesObject, position, imageLocators }];
  const [item] = injectImages({ objects, images: images.map(([ref]) => ref) }, new Map(images));
  // biome-ignore lint/suspicious/noExplicitAny: whatever the object is
  return item!.object as any;
}

function failureOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof PhaseFailure) return error.failure;
    throw error;
  }
  return expect.unreachable("nothing was thrown");
}

function deployment(containers: unknown[], more: Record<string, unknown> = {}) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers, ...more } },
    },
  };
}

const MANAGED = { "app.kubernetes.io/managed-by": "tilt" };

describe("injectImages()", () => {
  test("labels all metadata but claim templates, and selectors that use the label", () => {
    const set = inject({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db" },
      spec: {
        selector: { matchLabels: { "app.kubernetes.io/managed-by": "Helm" } },
        template: { metadata: { labels: { "app.kubernetes.io/managed-by": "Helm" } }, spec: {} },
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
      },
    });
    expect(set.metadata.labels).toEqual(MANAGED);
    expect(set.spec.selector.matchLabels).toEqual(MANAGED);
    expect(set.spec.template.metadata.labels).toMatchObject(MANAGED);
    expect(set.spec.volumeClaimTemplates[0].metadata).toEqual({ name: "data" });
    expect(set.spec.podManagementPolicy).toBeUndefined();
  });

  test("labels custom resources, pod templates without metadata, and Services' selectors", () => {
    expect(
      inject({ apiVersion: "x.io/v1", kind: "X", metadata: { name: "x" } }).metadata.labels,
    ).toEqual(MANAGED);
    const job = inject({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j" },
      spec: { template: { spec: { containers: [] } } },
    });
    expect(job.spec.template.metadata.labels).toMatchObject(MANAGED);
    const service = inject({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s" },
      spec: { selector: { app: "web", "app.kubernetes.io/managed-by": "Helm" } },
    });
    expect(service.spec.selector).toEqual({ app: "web", ...MANAGED });
  });

  test("leaves pull policies and pod management alone without images", () => {
    const web = inject(deployment([{ name: "c", image: "app", imagePullPolicy: "Always" }]));
    expect(web.spec.template.spec.containers[0].imagePullPolicy).toBe("Always");
  });

  test("puts in the cluster's ref, relaxes every container's pull policy and makes sets parallel", () => {
    const containers = [
      { name: "a", image: "example/api:whatever" },
      { name: "b", image: "redis", imagePullPolicy: "Always" },
    ];
    const initContainers = [{ name: "i", image: "example/api" }];
    const set = inject({ ...deployment(containers, { initContainers }), kind: "StatefulSet" }, [
      built("example/api"),
    ]);
    const { spec } = set.spec.template;
    expect(spec.containers.map(({ image }: { image: string }) => image)).toEqual([
      "localhost:5000/example_api:tilt-1",
      "redis",
    ]);
    expect(spec.initContainers[0].image).toBe("localhost:5000/example_api:tilt-1");
    expect(spec.containers.map((one: { imagePullPolicy: string }) => one.imagePullPolicy)).toEqual([
      "IfNotPresent",
      "IfNotPresent",
    ]);
    expect(set.spec.podManagementPolicy).toBe("Parallel");
  });

  test("matches a ref with a tag exactly", () => {
    const web = inject(
      deployment([
        { name: "a", image: "app:v1" },
        { name: "b", image: "app:v2" },
      ]),
      [built("app:v1"), built("app:v2")],
    );
    expect(web.spec.template.spec.containers.map(({ image }: { image: string }) => image)).toEqual([
      "localhost:5000/app_v1:tilt-1",
      "localhost:5000/app_v2:tilt-1",
    ]);
    expect(
      failureOf(() => inject(deployment([{ name: "a", image: "app:v3" }]), [built("app:v1")])),
    ).toMatchObject({
      code: "ApplyRejected",
      message: "Docker image missing from yaml: app:v1",
      position,
    });
  });

  test("looks into environment values only when the image asks for it", () => {
    const object = deployment([
      { name: "c", image: "app", env: [{ name: "WORKER", value: "worker" }] },
    ]);
    expect(failureOf(() => inject(object, [built("app"), built("worker")])).message).toBe(
      "Docker image missing from yaml: worker",
    );
    const web = inject(object, [built("app"), built("worker", { matchInEnvVars: true })]);
    expect(web.spec.template.spec.containers[0].env[0].value).toBe("localhost:5000/worker:tilt-1");
  });

  test("finds images by locators in kinds of any definition", () => {
    const object = {
      apiVersion: "x.io/v1",
      kind: "App",
      metadata: { name: "a" },
      spec: { image: "app", worker: { repository: "worker", tag: "1" } },
    };
    const result = inject(
      object,
      [built("app"), built("worker")],
      [
        { type: "path", jsonPath: "{.spec.image}" },
        { type: "object", jsonPath: "{.spec.worker}", repoField: "repository", tagField: "tag" },
      ],
    );
    expect(result.spec).toEqual({
      image: "localhost:5000/app:tilt-1",
      worker: { repository: "localhost:5000/worker", tag: "tilt-1" },
    });
  });

  test("overrides command and args where asked to, and only there", () => {
    const containers = [
      { name: "a", image: "app", command: ["old"], args: ["kept"] },
      { name: "b", image: "redis", command: ["redis"] },
    ];
    const web = inject(deployment(containers), [built("app", { entrypoint: ["new"] })]);
    expect(web.spec.template.spec.containers).toMatchObject([
      { command: ["new"], args: ["kept"] },
      { command: ["redis"] },
    ]);
    const args = inject(deployment(containers), [built("app", { containerArgs: ["x", "y"] })]);
    expect(args.spec.template.spec.containers[0]).toMatchObject({
      command: ["old"],
      args: ["x", "y"],
    });
  });

  test("cannot override the command of an image in a custom resource", () => {
    const object = {
      apiVersion: "x.io/v1",
      kind: "App",
      metadata: { name: "a" },
      spec: { image: "app" },
    };
    const locators = [{ type: "path", jsonPath: "{.spec.image}" }] as const;
    const failure = failureOf(() =>
      inject(object, [built("app", { entrypoint: ["x"] })], locators),
    );
    expect(failure.message).toContain("cannot be set in a custom resource");
  });

  test("marks pod templates with a hash of 20 hex digits that follows the image, bare pods not", () => {
    const hashOf = (object: {
      spec: { template: { metadata: { labels: Record<string, string> } } };
    }) => object.spec.template.metadata.labels["tilt.dev/pod-template-hash"]!;
    const object = deployment([{ name: "c", image: "app" }]);
    const first = hashOf(inject(object, [built("app")]));
    expect(first).toMatch(/^[0-9a-f]{20}$/);
    expect(hashOf(inject(object, [built("app")]))).toBe(first);
    const [ref, image] = built("app");
    expect(
      hashOf(inject(object, [[ref, { ...image, clusterRef: "localhost:5000/app:tilt-2" }]])),
    ).not.toBe(first);
    const pod = inject({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: [] },
    });
    expect(pod.metadata.labels).toEqual(MANAGED);
  });

  test("leaves the plan's objects as they are", () => {
    const object = deployment([{ name: "c", image: "app" }]);
    const before = structuredClone(object);
    inject(object, [built("app")]);
    expect(object).toEqual(before);
  });
});
