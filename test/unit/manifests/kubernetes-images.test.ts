import { describe, expect, test } from "vitest";
import {
  familiarReference,
  parseImageReference,
  selectorOf,
} from "../../../src/manifests/image-reference.ts";
import { imageSlots, imagesOf } from "../../../src/manifests/kubernetes-images.ts";
import type { ImageLocator, KubernetesObject } from "../../../src/model/plan.ts";
import { outcome } from "./go-answers.ts";

function pod(spec: unknown): KubernetesObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec };
}

function custom(spec: unknown): KubernetesObject {
  return { apiVersion: "x.io/v1", kind: "Foo", metadata: { name: "cr" }, spec };
}

function images(
  object: KubernetesObject,
  locators: readonly ImageLocator[] = [],
  env: readonly string[] = [],
): string[] {
  const selectors = env.map((ref) => selectorOf(parseImageReference(ref)));
  return imagesOf(object, locators, selectors).map(familiarReference);
}

describe("imagesOf()", () => {
  test("finds init containers, containers and image volumes, each image once", () => {
    const object = pod({
      volumes: [
        { name: "v", image: { reference: "vol" } },
        { name: "e", image: {} },
      ],
      containers: [{ image: "app:v1" }, { image: "docker.io/library/app:v1" }],
      initContainers: [{ image: "init" }],
    });
    expect(images(object)).toEqual(["init", "app:v1", "vol"]);
  });

  test("finds containers at any depth of typed kinds", () => {
    const spec = { containers: [{ image: "x" }] };
    const objects: KubernetesObject[] = [
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "c" },
        spec: { jobTemplate: { spec: { template: { spec } } } },
      },
      { apiVersion: "v1", kind: "PodTemplate", metadata: { name: "t" }, template: { spec } },
      {
        apiVersion: "apps/v1",
        kind: "DaemonSet",
        metadata: { name: "d" },
        spec: { template: { spec } },
      },
    ];
    for (const object of objects) expect(images(object)).toEqual(["x"]);
  });

  test("finds nothing in custom resources but through locators", () => {
    const object = custom({
      containers: [{ image: "x" }],
      image: "foo:v1",
      o: { repo: "a/b", tag: "2" },
    });
    expect(images(object)).toEqual([]);
    expect(
      images(object, [
        { type: "path", jsonPath: "{.spec.image}" },
        { type: "object", jsonPath: "{.spec.o}", repoField: "repo", tagField: "tag" },
      ]),
    ).toEqual(["foo:v1", "a/b:2"]);
  });

  test("finds environment values that are wholly an image looked for", () => {
    const env = [
      { name: "A", value: "foo:v1" },
      { name: "B", value: "x foo" },
      { name: "C", value: "other" },
      { name: "D" },
    ];
    const object = pod({ containers: [{ image: "img", env }] });
    expect(images(object, [], ["foo"])).toEqual(["img", "foo:v1"]);
    expect(images(object)).toEqual(["img"]);
  });

  test.each([
    [pod({ containers: [{ image: "" }] }), [], "parsing : invalid reference format"],
    [pod({ containers: [{}] }), [], "parsing : invalid reference format"],
    [
      pod({ containers: [{ image: "A b" }] }),
      [],
      "parsing A b: invalid reference format: repository name (library/A b) must be lowercase",
    ],
    [custom({}), ["{.spec.nope}"], 'Matching (json_path="{.spec.nope}"): nope is not found'],
    [
      custom({ n: 5 }),
      ["{.spec.n}"],
      'May only match strings (json_path="{.spec.n}")\nGot Type: int64\nGot Value: %!s(int64=5)',
    ],
    [
      custom({ i: "A" }),
      ["{.spec.i}"],
      "error parsing image 'A' at json path '{.spec.i}': invalid reference format: repository name (library/A) must be lowercase",
    ],
  ])("refuses %j in Tilt's words", (object, paths, error) => {
    const locators = paths.map((jsonPath): ImageLocator => ({ type: "path", jsonPath }));
    expect(outcome(() => images(object, locators))).toEqual({ error });
  });
});

describe("imageSlots()", () => {
  test("replace images where they were found", () => {
    const object = pod({
      volumes: [{ name: "v", image: { reference: "foo" } }],
      containers: [{ image: "foo:v1", env: [{ name: "A", value: "foo" }] }],
    });
    const selectors = [selectorOf(parseImageReference("foo"))];
    const replacement = parseImageReference("localhost:5000/foo:tilt-1");
    for (const slot of imageSlots(object, [], selectors)) slot.replace(replacement, "IfNotPresent");
    expect(object.spec).toEqual({
      volumes: [
        {
          name: "v",
          image: { reference: "localhost:5000/foo:tilt-1", pullPolicy: "IfNotPresent" },
        },
      ],
      containers: [
        {
          image: "localhost:5000/foo:tilt-1",
          imagePullPolicy: "IfNotPresent",
          env: [{ name: "A", value: "localhost:5000/foo:tilt-1" }],
        },
      ],
    });
  });

  test("replace images of custom resources, with a pull policy beside them", () => {
    const object = custom({
      image: "foo",
      imagePullPolicy: "Always",
      o: { repo: "foo", tag: "x" },
      list: ["foo"],
    });
    const locators: ImageLocator[] = [
      { type: "path", jsonPath: "{.spec.image}" },
      { type: "path", jsonPath: "{.spec.list[*]}" },
      { type: "object", jsonPath: "{.spec.o}", repoField: "repo", tagField: "tag" },
    ];
    const replacement = parseImageReference("reg.io/foo:t1");
    for (const slot of imageSlots(object, locators, [])) slot.replace(replacement, "IfNotPresent");
    expect(object.spec).toEqual({
      image: "reg.io/foo:t1",
      imagePullPolicy: "IfNotPresent",
      o: { repo: "reg.io/foo", tag: "t1" },
      list: ["reg.io/foo:t1"],
    });
  });

  test("give the container of its image, for overriding its command", () => {
    const container = { image: "foo" };
    const [slot] = imageSlots(pod({ containers: [container] }), [], []);
    expect(slot!.container).toBe(container);
  });
});
