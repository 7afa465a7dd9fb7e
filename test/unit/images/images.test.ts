import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EnvironmentError, type PhaseFailure } from "../../../src/errors.ts";
import {
  createImages,
  type DeliveryTarget,
  type ImagesOptions,
} from "../../../src/images/index.ts";
import type { Failure } from "../../../src/model/result.ts";
import {
  type Answer,
  dockerCommand,
  fakeHost,
  knownImages,
  plainDocker,
  type Responder,
} from "./fake-host.ts";
import { type FakeImage, fakeImage, savedArchive } from "./fake-images.ts";
import { type FakeRegistry, startFakeRegistry } from "./fake-registry.ts";
import { customBuild, dockerBuild } from "./fixtures.ts";

const { signal } = new AbortController();
const base = fakeImage("base");
const app = fakeImage("base", "app");

let context: string;
let registry: FakeRegistry;
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), "tilt-ci-images-"));
  registry = await startFakeRegistry();
});
afterEach(async () => {
  await rm(context, { recursive: true, force: true });
  await registry[Symbol.asyncDispose]();
});

const image = () => dockerBuild({ context, dockerfileContents: "FROM python:3\nCOPY a /\n" });
const tagOf = ({ id }: FakeImage) => `tilt-${id.slice(7, 23)}`;
const target = (over: object = {}): DeliveryTarget => ({
  type: "registry",
  registry: {
    host: registry.host,
    hostFromContainerRuntime: "reg:5000",
    ownedByRun: true,
    ...over,
  },
});

/** Docker 26 with a base image, in which every build gives `app`. */
function dockerHost(...first: Responder[]) {
  return fakeHost(
    ...first,
    dockerCommand(/^buildx build /, async (args) => {
      await writeFile(args[args.indexOf("--iidfile") + 1]!, app.id);
      return {};
    }),
    plainDocker(),
    knownImages({ "python:3": base, "x/app": app }),
    dockerCommand(/^tag /, {}),
    dockerCommand(/^save /, (args) => ({
      bytes: savedArchive([base, app].filter(({ id }) => args.includes(id))),
    })),
  );
}

function imagesOn(
  host: ReturnType<typeof fakeHost>,
  where: Promise<DeliveryTarget>,
  over: Partial<ImagesOptions> = {},
) {
  const told: {
    retries: [string, string, Failure, number][];
    steps: string[];
    warnings: string[];
  } = { retries: [], steps: [], warnings: [] };
  const images = createImages({
    host,
    env: host.env,
    target: where,
    excludeFromContexts: [],
    retry: { retries: 2, minTimeoutMs: 1 },
    temporaryDirectory: `${context}-scratch`,
    hooks: {
      onLine: () => {},
      onWarning: (message) => told.warnings.push(message),
      onStep: (ref, phase, { name }) => told.steps.push(`${ref} ${phase} ${name}`),
      onRetry: (ref, phase, failure, attempt) => told.retries.push([ref, phase, failure, attempt]),
    },
    ...over,
  });
  return { images, told };
}
afterEach(() => rm(`${context}-scratch`, { recursive: true, force: true }));

describe("deliver() where the cluster has no registry of its own", () => {
  test("pushes an image under its own name where the cluster has no registry of its own", async () => {
    const host = dockerHost(
      dockerCommand(/^push /, { stdout: `digest: sha256:${"a".repeat(64)}\n` }),
    );
    const { images } = imagesOn(host, Promise.resolve({ type: "push" }));
    const built = await images.build(image(), new Map(), signal);
    expect(built).toMatchObject({ clusterRef: `example/app:${tagOf(app)}` });
    expect(await images.deliver(built, signal)).toMatchObject({
      clusterRef: `example/app:${tagOf(app)}`,
      digest: `sha256:${"a".repeat(64)}`,
    });
    expect(host.calls.map(({ argv }) => argv.join(" "))).toContain(
      `docker push example/app:${tagOf(app)}`,
    );
  });
});

describe("build()", () => {
  test("names the image for Docker, this machine and the cluster", async () => {
    const { images } = imagesOn(dockerHost(), Promise.resolve(target()));
    expect(await images.build(image(), new Map(), signal)).toMatchObject({
      ref: "example/app",
      contentRef: `example/app:${tagOf(app)}`,
      localRef: `${registry.host}/example_app:${tagOf(app)}`,
      clusterRef: `reg:5000/example_app:${tagOf(app)}`,
      local: { id: app.id },
    });
  });

  test("builds before the registry is there", async () => {
    const host = dockerHost();
    let ready: (target: DeliveryTarget) => void = () => {};
    const { images } = imagesOn(
      host,
      new Promise((resolve) => {
        ready = resolve;
      }),
    );
    const building = images.build(image(), new Map(), signal);
    await expect.poll(() => host.calls.some(({ argv }) => argv[1] === "tag")).toBe(true);
    ready(target());
    expect((await building).localRef).toContain(registry.host);
  });

  test("rejects with the registry's error when there is none", async () => {
    const broken = Promise.reject(new EnvironmentError("no registry"));
    const { images } = imagesOn(dockerHost(), broken);
    await expect(images.build(image(), new Map(), signal)).rejects.toThrow("no registry");
  });

  test("tries again after infrastructure failures and tells of them", async () => {
    let count = 0;
    const flaky = dockerCommand(/^buildx build /, async (args) => {
      count += 1;
      await writeFile(args[args.indexOf("--iidfile") + 1]!, app.id);
      return count === 1
        ? ({ exitCode: 1, stderr: "ERROR: rpc error: code = Unavailable desc = x" } as Answer)
        : {};
    });
    const { images, told } = imagesOn(dockerHost(flaky), Promise.resolve(target()));
    await images.build(image(), new Map(), signal);
    expect(
      told.retries.map(([ref, phase, { code }, attempt]) => [ref, phase, code, attempt]),
    ).toEqual([["example/app", "build", "Infra", 1]]);
  });

  test("is an infrastructure failure when Docker stays away", async () => {
    const gone = dockerCommand(/./, {
      exitCode: 1,
      stderr: "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
    });
    const { images, told } = imagesOn(dockerHost(gone), Promise.resolve(target()));
    const error = await images.build(image(), new Map(), signal).catch((thrown: unknown) => thrown);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "Infra",
      hint: "Check that Docker runs: docker info",
    });
    expect(told.retries).toHaveLength(2);
  });

  test("is the user's failure when the base image's registry does not exist", async () => {
    const unknown = dockerCommand(/^buildx build /, {
      exitCode: 1,
      stderr:
        "ERROR: failed to solve: registry.invalid/base:v1: failed to resolve source metadata: dial tcp: lookup registry.invalid: no such host",
    });
    const { images, told } = imagesOn(dockerHost(unknown), Promise.resolve(target()));
    const error = await images.build(image(), new Map(), signal).catch((thrown: unknown) => thrown);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "BuildFailed",
      hint: expect.stringContaining("registry right?"),
    });
    expect(told.retries).toHaveLength(2);
  });

  test("runs as many builds at a time as it may", async () => {
    let running = 0;
    let most = 0;
    const slow = dockerCommand(/^buildx build /, async (args) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
      await writeFile(args[args.indexOf("--iidfile") + 1]!, app.id);
      return {};
    });
    const { images } = imagesOn(dockerHost(slow), Promise.resolve(target()), { parallel: 2 });
    await Promise.all(
      ["a", "b", "c", "d", "e"].map((ref) => images.build({ ...image(), ref }, new Map(), signal)),
    );
    expect(most).toBe(2);
  });

  test.each([
    ["a base only", dockerBuild({ deployed: false }), "base only"],
    ["disable_push", customBuild({ disablePush: true }), "disable_push"],
    ["skips_local_docker", customBuild({ skipsLocalDocker: true }), "skips_local_docker"],
  ])("says why an image stays: %s", async (_, build, stays) => {
    const shell: Responder = ([program]) => (program === "sh" ? {} : undefined);
    const found = dockerCommand(/^image inspect \S*tilt-build-/, (args) => ({
      stdout: JSON.stringify([{ Id: app.id, RepoTags: [args[2]] }]),
    }));
    const { images } = imagesOn(dockerHost(shell, found), Promise.resolve(target()));
    const made = await images.build(
      { ...build, ...(build.type === "docker" ? { context } : {}) },
      new Map(),
      signal,
    );
    expect(made.stays).toBe(stays);
    expect(await images.deliver(made, signal)).toMatchObject({ bytesUploaded: 0, cached: true });
    expect(registry.seen).toEqual([]);
  });
});

describe("deliver()", () => {
  const deliverTo = async (where: DeliveryTarget, host = dockerHost()) => {
    const { images, told } = imagesOn(host, Promise.resolve(where));
    const made = await images.build(image(), new Map(), signal);
    return { images, told, made, host };
  };

  test("sends the layers as they are, once, without docker push", async () => {
    const { images, made, host, told } = await deliverTo(target());
    const [first, second] = await Promise.all([
      images.deliver(made, signal),
      images.deliver(made, signal),
    ]);
    expect(second).toBe(first);
    expect(first.clusterRef).toBe(`reg:5000/example_app:${tagOf(app)}`);
    expect(first.digest).toMatch(/^sha256:/);
    expect(registry.manifests.has(`example_app:${tagOf(app)}`)).toBe(true);
    expect(host.calls.some(({ argv }) => argv[1] === "push")).toBe(false);
    expect(told.steps).toContain("example/app push upload");
  });

  test("sends nothing when the registry has that content", async () => {
    const first = await deliverTo(target());
    await first.images.deliver(first.made, signal);
    const host = dockerHost();
    const { images, made } = await deliverTo(target(), host);
    expect(await images.deliver(made, signal)).toMatchObject({ bytesUploaded: 0, cached: true });
    expect(host.calls.some(({ argv }) => argv[1] === "save")).toBe(false);
  });

  test("sends only what is on top once the base has gone ahead", async () => {
    const { images, made } = await deliverTo(target());
    const bases = await images.sendBaseImages([image()], signal);
    expect(bases).toMatchObject([
      { ref: "python:3", clusterRef: "reg:5000/mirror/docker.io/library/python:3" },
    ]);
    const { bytesUploaded } = await images.deliver(made, signal);
    expect(bytesUploaded).toBe("app".length + app.blobs.get(app.id)!.length);
  });

  test("leaves a registry that wants credentials to docker push", async () => {
    registry.intercept = () => 401;
    const pushed = dockerCommand(/^push /, {
      stdout: `abc: Pushed\ntilt: digest: ${app.id} size: 528\n`,
    });
    const { images, made, host } = await deliverTo(target(), dockerHost(pushed));
    expect(await images.deliver(made, signal)).toMatchObject({ digest: app.id, cached: false });
    const commands = host.calls.map(({ argv }) => argv.slice(1).join(" "));
    expect(commands).toContain(`tag ${app.id} ${made.localRef}`);
    expect(commands).toContain(`push ${made.localRef}`);
  });

  test("leaves a containerd store to docker push, which compresses nothing anew there", async () => {
    const store = plainDocker({
      info: { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] },
    });
    const named = dockerCommand(/^image inspect \S*tilt-build-/, (args) => ({
      stdout: JSON.stringify([{ Id: app.id, RepoTags: [args[2]] }]),
    }));
    const host = dockerHost(
      store,
      named,
      dockerCommand(/^rmi /, {}),
      dockerCommand(/^push /, { stdout: "a: Layer already exists" }),
    );
    const { images, made } = await deliverTo(target(), host);
    expect(await images.deliver(made, signal)).toMatchObject({ cached: true, bytesUploaded: 0 });
    expect(await images.sendBaseImages([image()], signal)).toEqual([]);
  });

  test("pushes a reference of another registry as the command chose it", async () => {
    const output = join(context, "ref.txt");
    const shell: Responder = async ([program]) => {
      if (program !== "sh") return undefined;
      await writeFile(output, "ghcr.io/me/app:v1");
      return {};
    };
    const host = dockerHost(
      shell,
      knownImages({ "ghcr.io/me/app:v1": app }),
      dockerCommand(/^push ghcr.io\/me\/app:v1$/, { stdout: "a: Pushed" }),
    );
    const { images } = imagesOn(host, Promise.resolve(target()));
    const made = await images.build(customBuild({ outputsImageRefTo: output }), new Map(), signal);
    const { clusterRef, cached } = await images.deliver(made, signal);
    expect([clusterRef, cached]).toEqual(["ghcr.io/me/app:v1", false]);
    expect(registry.manifests.size).toBe(0);
  });

  test("fails as PushFailed when the registry refuses", async () => {
    registry.intercept = () => 401;
    const denied = dockerCommand(/^push /, {
      exitCode: 1,
      stderr: "denied: requested access to the resource is denied",
    });
    const { images, made } = await deliverTo(target(), dockerHost(denied));
    const error = await images.deliver(made, signal).catch((thrown: unknown) => thrown);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "PushFailed",
      message: expect.stringContaining("denied: requested access to the resource is denied"),
      hint: "Log in to the registry with docker login",
    });
  });

  test("tries again when the registry falters, and is Infra when it stays broken", async () => {
    const { images, made, told } = await deliverTo(target());
    registry.intercept = (method) => (method === "PUT" ? 503 : undefined);
    const error = await images.deliver(made, signal).catch((thrown: unknown) => thrown);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "Infra",
      message: expect.stringContaining('Cannot push "example/app"'),
    });
    expect(told.retries.map(([, phase, , attempt]) => [phase, attempt])).toEqual([
      ["push", 1],
      ["push", 2],
    ]);
    registry.intercept = undefined;
    expect((await images.deliver(made, signal)).cached).toBe(false);
  });

  test("hands images to the cluster where there is no registry", async () => {
    const loaded: string[] = [];
    const { images, made } = await deliverTo({
      type: "load",
      load: async (ref) => void loaded.push(ref),
    });
    const { clusterRef } = await images.deliver(made, signal);
    expect(clusterRef).toBe(`example/app:${tagOf(app)}`);
    expect(loaded).toEqual([clusterRef]);
  });

  test("does nothing where nothing is to be done", async () => {
    const { images, made } = await deliverTo({ type: "none" });
    expect(made.stays).toBe("nowhere to send it");
    expect(await images.deliver(made, signal)).toMatchObject({ cached: true });
    expect(await images.mirrorThirdParty(["python:3"], signal)).toEqual([]);
  });
});

describe("mirrorThirdParty()", () => {
  test("puts images that Docker has under their own names and leaves the others to upstream", async () => {
    const { images } = imagesOn(dockerHost(), Promise.resolve(target()));
    const mirrored = await images.mirrorThirdParty(
      ["python:3", "redis:7", "docker.io/library/python:3", `busybox@sha256:${"a".repeat(64)}`],
      signal,
    );
    expect(mirrored.map(({ ref }) => ref)).toEqual(["python:3"]);
    expect([...registry.manifests.keys()]).toEqual(["mirror/docker.io/library/python:3"]);
  });
});

describe("mirrorThirdParty() that fails", () => {
  test("is a warning: the nodes go upstream", async () => {
    registry.intercept = (method) => (method === "PUT" ? 500 : undefined);
    const { images, told } = imagesOn(dockerHost(), Promise.resolve(target()));
    expect(await images.mirrorThirdParty(["python:3"], signal)).toEqual([]);
    expect(told.warnings).toEqual([
      expect.stringMatching(/^Image python:3 not put into the registry ahead: PUT .*: 500 FORCED/),
    ]);
  });
});

describe("cleanUp()", () => {
  const listing = (host: string) =>
    `${host}/example_app:tilt-1\n${host}/b:<none>\nexample/app:tilt-1\n${host}0/x:y\n`;

  test("takes the names of the run's registry out of Docker, and no others", async () => {
    const host = dockerHost(
      dockerCommand(/^image ls/, { stdout: listing(registry.host) }),
      dockerCommand(/^rmi/, {}),
    );
    await imagesOn(host, Promise.resolve(target())).images.cleanUp();
    expect(host.calls.at(-1)?.argv).toEqual([
      "docker",
      "rmi",
      "--no-prune",
      `${registry.host}/example_app:tilt-1`,
    ]);
  });

  test.each([
    ["of somebody else's registry", () => Promise.resolve(target({ ownedByRun: false }))],
    ["of a registry that never came up", () => Promise.reject(new Error("no"))],
  ])("removes nothing %s", async (_, where) => {
    const host = dockerHost();
    await imagesOn(host, where()).images.cleanUp();
    expect(host.calls).toEqual([]);
  });
});

test("tag() gives a built image one more name", async () => {
  const host = dockerHost();
  const { images } = imagesOn(host, Promise.resolve({ type: "none" }));
  const made = await images.build(image(), new Map(), signal);
  await images.tag(made, "shop/app:latest", signal);
  expect(host.calls.at(-1)?.argv).toEqual(["docker", "tag", app.id, "shop/app:latest"]);
});

describe("buildOther()", () => {
  const position = { file: "/app/Tiltfile", line: 3, column: 1 };
  /** A program that prints and ends, each time as the next of `outcomes` says. */
  function other(...outcomes: (readonly [exitCode: number, ...lines: string[]])[]) {
    let tries = 0;
    const run = async (onLine: (line: string) => void) => {
      const [exitCode, ...lines] = outcomes[Math.min(tries++, outcomes.length - 1)]!;
      for (const line of lines) onLine(line);
      return { exitCode };
    };
    return { build: { ref: "shop_web", position, run }, tries: () => tries };
  }
  const made = () => imagesOn(dockerHost(), Promise.resolve({ type: "none" }));

  test("reads steps and cache hits from what the builder prints", async () => {
    const { build } = other([0, "#5 [web 2/2] RUN make", "#5 CACHED"]);
    const { images } = made();
    expect(await images.buildOther(build, signal)).toEqual({ cached: true });
  });

  test("is the user's failure when a step fails: told once, with the step and its last words", async () => {
    const { build, tries } = other([
      17,
      "#6 [web 2/2] RUN make",
      "#6 0.2 make: no rule",
      '#6 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2',
      "------",
      " > [web 2/2] RUN make:",
      "0.2 make: no rule",
      "------",
      'failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2',
    ]);
    const { images, told } = made();
    const { failure } = (await images.buildOther(build, signal).catch((e) => e)) as PhaseFailure;
    expect(failure).toMatchObject({
      code: "BuildFailed",
      object: "shop_web",
      position,
      message: 'Image "shop_web": RUN make: exit code: 2',
    });
    expect(failure.detail).toContain("make: no rule");
    expect(tries()).toBe(1);
    expect(told.retries).toEqual([]);
  });

  test("tries again what fails for the network, and says so", async () => {
    const { build, tries } = other(
      [17, "failed to solve: busybox: failed to do request: dial tcp: i/o timeout"],
      [0, "#5 [web 2/2] RUN make", "#5 DONE 0.1s"],
    );
    const { images, told } = made();
    expect(await images.buildOther(build, signal)).toEqual({ cached: false });
    expect(tries()).toBe(2);
    expect(told.retries).toMatchObject([["shop_web", "build", { code: "Infra" }, 1]]);
  });
});
