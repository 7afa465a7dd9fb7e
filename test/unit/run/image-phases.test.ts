import { expect, test } from "vitest";
import { imagePhases } from "../../../src/run/image-phases.ts";
import { image, k8s, planOf, Scenario } from "../engine/scenario.ts";

const { graph } = new Scenario(
  planOf([k8s("api", { images: ["example/api"] })], [image("example/api", ["api"])]),
);

test("imagePhases() tells of a built image under the resource that builds it", () => {
  expect(imagePhases(graph)("example/api", "push")).toEqual({
    resource: "api",
    phase: "push",
    subject: "example/api",
  });
});

test("imagePhases() gives the cluster no push when an image is only sent along", () => {
  expect(imagePhases(graph)("python:3-alpine", "push")).toEqual({
    resource: "(cluster)",
    phase: "registry",
  });
});
