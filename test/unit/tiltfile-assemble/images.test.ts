import { describe, expect, test } from "vitest";
import {
  composeProject,
  composeService,
  customBuild,
  deployment,
  dockerBuild,
  failure,
  plain,
  plan,
  resourceOf,
  sync,
} from "./recorded.ts";

const yaml = deployment("web", "example/app");

describe("builds of images", () => {
  test("go into every resource with a container of that name, whatever its tag", () => {
    const made = plan({
      yaml:
        deployment("a", "example/app:v1") +
        deployment("b", "docker.io/example/app") +
        deployment("c"),
      images: [dockerBuild("example/app")],
    });
    expect(resourceOf(made, "a", "k8s").images).toEqual(["example/app"]);
    expect(resourceOf(made, "c", "k8s").images).toEqual([]);
    expect(made.images).toMatchObject([
      { ref: "example/app", exactTag: false, usedBy: ["a", "b"], deployed: true, dependsOn: [] },
    ]);
  });

  test.each([
    ["latest and none", "example/app", "example/app:latest", true],
    ["the tag", "example/app:v1", "example/app:v1", true],
    ["another tag", "example/app:v1", "example/app:v2", false],
    ["another registry", "example/app", "gcr.io/example/app", false],
    ["the index of Docker", "example/app", "index.docker.io/example/app", true],
    ["a digest", "example/app", `example/app@sha256:${"a".repeat(64)}`, true],
  ])("match by name: %s", (_, ref, used, isMatch) => {
    const made = plan({ yaml: deployment("web", used), images: [dockerBuild(ref)] });
    expect(made.images).toHaveLength(isMatch ? 1 : 0);
  });

  test("of one name match by tag only", () => {
    const made = plan({
      yaml: deployment("a", "app:v2") + deployment("b", "app:v1") + deployment("c", "app:v3"),
      images: [dockerBuild("app:v1"), dockerBuild("app:v2")],
    });
    expect(made.images).toMatchObject([
      { ref: "app:v2", exactTag: true, usedBy: ["a"] },
      { ref: "app:v1", exactTag: true, usedBy: ["b"] },
    ]);
  });

  test.each(["k8s", "compose"] as const)(
    "are left to their %s resource when they are there for live updates alone (file_sync_only)",
    (kind) => {
      const parts = {
        command: { argv: ["sh", "-c", ":"], dir: "/d", env: {} },
        liveUpdate: [sync("/d/src/a")],
      };
      const made = plan({
        images: [customBuild("example/app", parts)],
        ...(kind === "k8s"
          ? { yaml: deployment("web", "example/app:v1") }
          : {
              compose: {
                projects: [
                  composeProject([composeService("web", { image: "example/app", hasBuild: true })]),
                ],
              },
            }),
      });
      expect(resourceOf(made, "web", kind).images).toEqual([]);
      expect(made).toMatchObject({ images: [], warnings: [] });
      if (kind === "compose") expect(resourceOf(made, "web", kind).composeBuild).toBe(true);
    },
  );

  test.each([
    ["does something", ["sh", "-c", "make"], [sync("/d/src/a")]],
    ["updates nothing", ["sh", "-c", ":"], []],
  ])("are made by a command that %s", (_, argv, liveUpdate) => {
    const command = { argv, dir: "/d", env: {} };
    const made = plan({ yaml, images: [customBuild("example/app", { command, liveUpdate })] });
    expect(made.images).toMatchObject([{ ref: "example/app", deployed: true }]);
  });

  test("need the images that their Dockerfiles and image_deps name", () => {
    const made = plan({
      yaml,
      images: [
        dockerBuild("example/app", {
          dockerfileContents: "ARG BASE=alpine\nFROM ${BASE}\nCOPY --from=example/assets /a /b\n",
          buildArgs: { BASE: "example/base" },
        }),
        customBuild("example/assets", { imageDeps: ["example/base"] }),
        dockerBuild("example/base"),
      ],
    });
    expect(
      made.images.map(({ ref, dependsOn, deployed, usedBy }) => [ref, dependsOn, deployed, usedBy]),
    ).toEqual([
      ["example/base", [], false, ["web"]],
      ["example/assets", ["example/base"], false, ["web"]],
      ["example/app", ["example/base", "example/assets"], true, ["web"]],
    ]);
    expect(made.warnings).toEqual([]);
  });

  test("refuse image_deps that nothing builds", () => {
    const images = [customBuild("example/app", { imageDeps: ["example/base"] })];
    expect(failure({ yaml, images }).message).toBe(
      'image "example/app": image dep "example/base" not found',
    );
  });

  test("refuse to need each other", () => {
    const needs = (ref: string) => ({ dockerfileContents: `FROM ${ref}\n` });
    const images = [
      dockerBuild("example/app", needs("base")),
      dockerBuild("base", needs("example/app")),
    ];
    const error = failure({ yaml, images });
    expect(error.message).toBe(
      "getting image build info for web: Image dependency cycle: docker.io/example/app",
    );
    expect(error.resource).toBe("web");
  });

  test("refuse a Dockerfile without instructions", () => {
    const images = [dockerBuild("app", { dockerfileContents: "# nothing\n" })];
    expect(failure({ images }).message).toBe("dockerfile.ParseAST: file with no instructions");
  });

  test("look at environment variables when asked to", () => {
    const withEnv = deployment("web").replace(
      "image: nginx",
      "image: nginx\n        env: [{name: A, value: example/app}]",
    );
    const built = (matchInEnvVars: boolean) =>
      plan({ yaml: withEnv, images: [dockerBuild("example/app", { matchInEnvVars })] }).images
        .length;
    expect([built(false), built(true)]).toEqual([0, 1]);
  });

  test("hold through chains of thousands", () => {
    const images = Array.from({ length: 3000 }, (_, index) =>
      dockerBuild(`i${index}`, { dockerfileContents: `FROM i${index + 1}\n` }),
    );
    const made = plan({ yaml: deployment("web", "i0"), images });
    expect(made.images).toHaveLength(3000);
    expect(made.images.at(-1)!.ref).toBe("i0");
  });
});

describe("the warning about builds that nothing uses", () => {
  const unused = dockerBuild("example/ap");
  const warnings = (parts: Parameters<typeof plan>[0]) =>
    plan(parts).warnings.map(({ message }) => message);

  test("suggests names that are used", () => {
    expect(warnings({ yaml: yaml + deployment("db", "postgres"), images: [unused] })).toEqual([
      `Image not used in any Kubernetes config:
    ✕ example/ap
Did you mean…
    - example/app
Skipping this image build
If this is deliberate, suppress this warning with: update_settings(suppress_unused_image_warnings=["example/ap"])`,
    ]);
  });

  test("is about Docker Compose when there are services", () => {
    const compose = { projects: [composeProject([composeService("db", { image: "zzz" })])] };
    expect(warnings({ compose, images: [dockerBuild("qqq")] })).toEqual([
      `Image not used in any Docker Compose config:
    ✕ qqq
Skipping this image build
If this is deliberate, suppress this warning with: update_settings(suppress_unused_image_warnings=["qqq"])`,
    ]);
  });

  test("tells of missing instructions when nothing is deployed", () => {
    expect(warnings({ images: [unused] })).toEqual([
      "We could not find any deployment instructions, e.g. `k8s_yaml` or `docker_compose`.\nSkipping all image builds until we know how to deploy them.",
    ]);
    const compose = { projects: [composeProject([composeService("db", { image: "zzz" })])] };
    expect(warnings({ yaml: plain("ConfigMap", "a"), compose, images: [unused] })[0]).toMatch(
      /^No Kubernetes configs with images found\.\n/,
    );
    expect(warnings({ yaml: plain("ConfigMap", "a"), images: [unused] })[0]).toMatch(
      /^No Kubernetes configs with images found\.\n/,
    );
  });

  test.each([[["example/ap"]], [["*"]], [["other", "example/ap"]]])(
    "is suppressed by %j",
    (suppressUnusedImageWarnings) => {
      expect(warnings({ yaml, images: [unused], suppressUnusedImageWarnings })).toEqual([]);
    },
  );

  test("is about one image at a time", () => {
    expect(
      warnings({
        yaml,
        images: [unused, dockerBuild("other")],
        suppressUnusedImageWarnings: ["example/ap"],
      }),
    ).toEqual([expect.stringContaining("✕ other")]);
    expect(warnings({ yaml, images: [unused, dockerBuild("other")] })).toHaveLength(1);
  });

  test("leaves the image out of the plan", () => {
    expect(plan({ yaml, images: [unused] }).images).toEqual([]);
  });
});
