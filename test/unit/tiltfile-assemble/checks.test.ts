import { describe, expect, test } from "vitest";
import type { RecordedLiveUpdateStep } from "../../../src/tiltfile/recorded.ts";
import {
  at,
  composeProject,
  composeService,
  customBuild,
  customDeploy,
  deployment,
  dockerBuild,
  failure,
  k8sResource,
  local,
  plain,
  plan,
  sync,
} from "./recorded.ts";

const yaml = deployment("web", "example/app");

describe("live updates", () => {
  const fallBack = (...paths: string[]): RecordedLiveUpdateStep => ({
    step: { type: "fall_back_on", paths },
    position: at(51),
    text: "",
    typeName: "live_update_fall_back_on_step",
  });
  const restart: RecordedLiveUpdateStep = {
    step: { type: "restart_container" },
    position: at(52),
    text: "restart_container step",
    typeName: "live_update_restart_container_step",
  };

  test("sync what the image or its base is made from", () => {
    const images = [
      dockerBuild("example/app", {
        dockerfileContents: "FROM base\n",
        liveUpdate: [fallBack("/d/app/package.json"), sync("/d/app/src"), sync("/d/src/x")],
      }),
      customBuild("base"),
    ];
    expect(plan({ yaml, images }).images[1]!.liveUpdate.map(({ type }) => type)).toEqual([
      "fall_back_on",
      "sync",
      "sync",
    ]);
  });

  test.each([
    [
      "sync",
      [sync("/d/apple")],
      "sync step source '/d/apple' is not a child of any watched filepaths ([/d/app])",
    ],
    [
      "fall_back_on",
      [fallBack("/d/app/a", "/e")],
      "fall_back_on paths '/e' is not a child of any watched filepaths ([/d/app])",
    ],
    [
      "sync before fall_back_on",
      [fallBack("/e"), sync("/f")],
      "sync step source '/f' is not a child of any watched filepaths ([/d/app])",
    ],
  ])("refuse paths that nothing watches: %s", (_, liveUpdate, message) => {
    const error = failure({ yaml, images: [dockerBuild("example/app", { liveUpdate })] });
    expect(error.message).toBe(message);
    expect(error.resource).toBe("web");
  });

  test("are not looked at when nothing deploys the image", () => {
    const images = [
      dockerBuild("example/app", { dockerfileContents: "FROM base\n" }),
      dockerBuild("base", { liveUpdate: [sync("/e")] }),
    ];
    expect(plan({ yaml, images }).images).toHaveLength(2);
  });

  test("of custom deploys sync their deps", () => {
    const deploy = (path: string) => ({
      customDeploys: [customDeploy("c", { deps: ["/d/x"], liveUpdate: [sync(path)] })],
    });
    expect(plan(deploy("/d/x/y")).resources).toHaveLength(1);
    expect(failure(deploy("/d/y")).message).toBe(
      "sync step source '/d/y' is not a child of any watched filepaths ([/d/x])",
    );
  });

  test("do not restart containers in Kubernetes, but in compose", () => {
    const images = [dockerBuild("example/app", { liveUpdate: [restart] })];
    const error = failure({ yaml, images });
    expect(error.message).toContain(
      "Found `restart_container()` LiveUpdate step in resource(s): [web]. ",
    );
    expect(error.positions).toEqual([at(52)]);
    const compose = { projects: [composeProject([composeService("a", { image: "example/app" })])] };
    expect(plan({ compose, images }).images).toHaveLength(1);
  });

  test("refuse steps that no image has", () => {
    const error = failure({ yaml, liveUpdateSteps: [sync("/a", 7)] });
    expect(error.message).toBe(
      "found 1 live_update steps that were created but not used in a live_update:\n/d/Tiltfile:7:1: value 'sync step: '/a'->'/app'' of type 'live_update_sync_step'",
    );
  });
});

describe("the Kubernetes context", () => {
  const kubeContext = { name: "prod", allowed: false };

  test("must be allowed as soon as there are objects", () => {
    const stop =
      "Stop! prod might be production.\nIf you're sure you want to deploy there, add:\n\tallow_k8s_contexts('prod')\nto your Tiltfile. Otherwise, switch k8s contexts and restart Tilt.";
    expect(failure({ yaml, kubeContext }).message).toBe(stop);
    expect(failure({ yaml: plain("ConfigMap", "a"), kubeContext }).message).toBe(stop);
    expect(failure({ customDeploys: [customDeploy("c")], kubeContext }).message).toBe(stop);
  });

  test("is of no concern without Kubernetes", () => {
    expect(plan({ locals: [local("a")], kubeContext }).resources).toHaveLength(1);
  });
});

describe("dependencies", () => {
  test("on unknown resources are dropped with a warning", () => {
    const made = plan({ locals: [local("a", { resourceDeps: ["b", "x"] }), local("b")] });
    expect(made.resources[0]!.resourceDeps).toEqual(["b"]);
    expect(made.warnings).toEqual([
      {
        message: "resource a specified a dependency on unknown resource x - dependency ignored",
        position: at(30),
      },
    ]);
  });

  test("on oneself are refused", () => {
    expect(failure({ locals: [local("a", { resourceDeps: ["a"] })] }).message).toBe(
      "resource a specified a dependency on itself",
    );
  });

  test.each([
    [{ a: ["b"], b: ["a"] }, "a -> b -> a"],
    [{ a: ["b"], b: ["c"], c: ["b"] }, "b -> c -> b"],
    [{ a: [], b: ["c"], c: ["d"], d: ["b", "a"] }, "b -> c -> d -> b"],
  ])("may not go in circles: %j", (graph, cycle) => {
    const locals = Object.entries(graph).map(([name, resourceDeps]) =>
      local(name, { resourceDeps }),
    );
    expect(failure({ locals }).message).toBe(
      `cycle detected in resource dependency graph: ${cycle}`,
    );
  });

  test("may be a long chain", () => {
    const locals = Array.from({ length: 5000 }, (_, index) =>
      local(`r${index}`, { resourceDeps: index < 4999 ? [`r${index + 1}`] : [] }),
    );
    expect(plan({ locals }).resources).toHaveLength(5000);
  });

  test("on what never starts are refused", () => {
    const locals = [local("a", { resourceDeps: ["b"] }), local("b", { autoInit: false })];
    const error = failure({ locals });
    expect(error.message).toBe("resource a waits on b, which never starts: it has auto_init=False");
    expect(error.resource).toBe("a");
    expect(error.exitCode).toBe(2);
    const idle = [local("a", { resourceDeps: ["b"], autoInit: false }), locals[1]!];
    expect(plan({ locals: idle }).resources).toHaveLength(2);
  });

  test("on what never starts do not count in resources that are not selected", () => {
    const locals = [
      local("a", { resourceDeps: ["b"] }),
      local("b", { autoInit: false }),
      local("c"),
    ];
    const selection = { cleared: false, parsed: false, args: ["c"] };
    expect(plan({ locals, selection }).resources).toHaveLength(3);
  });
});

describe("selection", () => {
  const parts = {
    yaml: plain("ConfigMap", "settings"),
    locals: [local("a", { resourceDeps: ["b"] }), local("b"), local("c")],
  };
  const enabled = (selection: object) =>
    plan({ ...parts, selection: { cleared: false, parsed: false, args: [], ...selection } })
      .resources.filter((resource) => resource.enabled)
      .map(({ name }) => name);

  test.each([
    ["nothing said", {}, ["a", "b", "c", "uncategorized"]],
    ["arguments, with what they need", { args: ["a"] }, ["a", "b", "uncategorized"]],
    [
      "arguments that config.parse() took",
      { args: ["a"], parsed: true },
      ["a", "b", "c", "uncategorized"],
    ],
    [
      "set_enabled_resources over arguments",
      { enabled: ["c"], args: ["a"] },
      ["c", "uncategorized"],
    ],
    ["no enabled resources given", { enabled: [], args: ["c"] }, ["c", "uncategorized"]],
    ["clear_enabled_resources", { cleared: true, enabled: ["a"] }, []],
  ])("%s", (_, selection, names) => {
    expect(enabled(selection)).toEqual(names);
  });

  test("refuses unknown names", () => {
    const selection = { cleared: false, parsed: false, args: ["x", "aa"] };
    const error = failure({ ...parts, selection });
    expect(error.message).toBe(
      'You specified some resources that could not be found: "x", "aa"\nIs this a typo? Existing resources in Tiltfile: "a", "b", "c", "uncategorized"',
    );
  });
});

describe("compose", () => {
  const compose = (...services: ReturnType<typeof composeService>[]) => ({
    compose: { projects: [composeProject(services)] },
  });

  test("waits for what a service depends on, by the names of resources", () => {
    const made = plan(
      compose(
        composeService("db", { name: "database" }),
        composeService("web", { dependsOn: { db: "service_healthy" }, resourceDeps: ["database"] }),
      ),
    );
    expect(made.resources.map(({ resourceDeps }) => resourceDeps)).toEqual([[], ["database"]]);
    expect(made.composeProjects).toEqual([
      {
        name: "shop",
        directory: "/d",
        files: [{ path: "/d/compose.yaml" }],
        profiles: [],
        wait: false,
      },
    ]);
  });

  test("uses builds of the Tiltfile in place of its own", () => {
    const made = plan({
      ...compose(
        composeService("a", { image: "example/app", hasBuild: true }),
        composeService("b", { hasBuild: true }),
      ),
      images: [dockerBuild("example/app")],
    });
    expect(made.resources).toMatchObject([
      { images: ["example/app"], composeBuild: false },
      { images: [], composeBuild: true },
    ]);
  });

  test("has no entrypoints of builds", () => {
    const images = [dockerBuild("example/app", { entrypoint: ["a"] })];
    const error = failure({ ...compose(composeService("a", { image: "example/app" })), images });
    expect(error.message).toBe(
      "docker_build/custom_build.entrypoint not supported for Docker Compose resources",
    );
  });

  test("has no default registry", () => {
    const settings = {
      ci: {},
      update: {},
      allowedContexts: [],
      scrubSecrets: true,
      defaultRegistry: { host: "gcr.io/x" },
    };
    expect(failure({ ...compose(composeService("a")), settings }).message).toBe(
      "default_registry is not supported with docker compose",
    );
  });
});

describe("the plan", () => {
  test("has Kubernetes, compose, locals and the rest, in this order", () => {
    const made = plan({
      locals: [local("l2"), local("l1")],
      compose: { projects: [composeProject([composeService("c")])] },
      yaml: plain("ConfigMap", "x") + plain("ConfigMap", "z") + deployment("w"),
      customDeploys: [customDeploy("d")],
      k8sResources: [k8sResource({ newName: "g", objects: ["x"] })],
    });
    expect(made.resources.map(({ name }) => name)).toEqual([
      "d",
      "w",
      "g",
      "c",
      "l2",
      "l1",
      "uncategorized",
    ]);
  });

  test("lets a local_resource that only serves run beside anything", () => {
    const { updateCmd: _, ...serving } = local("serve");
    const made = plan({ locals: [serving, local("update")] });
    expect(made.resources).toMatchObject([{ allowParallel: true }, { allowParallel: false }]);
  });

  test("knows what must be hidden, unless told not to", () => {
    const secret = plain("Secret", "s", "", "data: {a: aGVsbG8=}\nstringData: {b: word}\n");
    expect(plan({ yaml: secret }).secrets).toEqual([
      { secretName: "s", key: "a", value: "hello" },
      { secretName: "s", key: "b", value: "word" },
    ]);
    const settings = { ci: {}, update: {}, allowedContexts: [], scrubSecrets: false };
    expect(plan({ yaml: secret, settings }).secrets).toEqual([]);
  });

  test("survives structuredClone()", () => {
    const made = plan({ yaml, images: [dockerBuild("example/app")], locals: [local("a")] });
    expect(structuredClone(made)).toEqual(made);
  });
});
