import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CancelledError, PhaseFailure } from "../../../src/errors.ts";
import { createDocker } from "../../../src/images/create-docker.ts";
import {
  buildCustomImage,
  customBuildEnvironment,
  expectationOf,
  imageMapName,
} from "../../../src/images/custom-build.ts";
import type { CustomBuild } from "../../../src/model/plan.ts";
import { dockerCommand, FAKE_ENV, fakeHost, knownImages, type Responder } from "./fake-host.ts";
import { customBuild, digest } from "./fixtures.ts";

const registry = { host: "localhost:5001", hostFromContainerRuntime: "reg:5000" };
const NOW = 1_700_000_000_999;
const TAG = "tilt-1111111111111111";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "tilt-ci-custom-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("expectationOf()", () => {
  test("names a build by the second, in the registry", () => {
    expect(expectationOf(customBuild(), registry, NOW)?.ref).toBe(
      "localhost:5001/example_app:tilt-build-1700000000",
    );
    expect(expectationOf(customBuild(), undefined, NOW)?.ref).toBe(
      "example/app:tilt-build-1700000000",
    );
  });
  test("leaves the registry out for a tag of the user's own", () => {
    expect(expectationOf(customBuild({ tag: "dev" }), registry, NOW)?.ref).toBe("example/app:dev");
  });
  test("is nothing where the command chooses", () => {
    expect(
      expectationOf(customBuild({ outputsImageRefTo: "ref.txt" }), registry, NOW),
    ).toBeUndefined();
  });
});

describe("customBuildEnvironment()", () => {
  const built = (ref: string) => ({
    ref,
    contentRef: `${ref}:x`,
    localRef: `localhost:5001/${ref}:x`,
    clusterRef: `reg:5000/${ref}:x`,
    cached: false,
    durationMs: 1,
  });

  test("is the whole contract", () => {
    const image = customBuild({ imageDeps: ["base", "gcr.io/a/b"] });
    const deps = new Map(["gcr.io/a/b", "base"].map((ref) => [ref, built(ref)]));
    expect(
      customBuildEnvironment(image, expectationOf(image, registry, NOW), registry, deps),
    ).toEqual({
      EXPECTED_REF: "localhost:5001/example_app:tilt-build-1700000000",
      EXPECTED_IMAGE: "example_app",
      EXPECTED_TAG: "tilt-build-1700000000",
      REGISTRY_HOST: "localhost:5001",
      EXPECTED_REGISTRY: "localhost:5001",
      TILT_IMAGE_MAP_0: "base",
      TILT_IMAGE_0: "localhost:5001/base:x",
      TILT_IMAGE_MAP_1: "gcr.io_a_b",
      TILT_IMAGE_1: "localhost:5001/gcr.io/a/b:x",
    });
  });

  test("gives the path without a domain, and no registry where there is none", () => {
    const image = customBuild({ ref: "gcr.io/team/app" });
    expect(
      customBuildEnvironment(image, expectationOf(image, undefined, NOW), undefined, new Map()),
    ).toEqual({
      EXPECTED_REF: "gcr.io/team/app:tilt-build-1700000000",
      EXPECTED_IMAGE: "team/app",
      EXPECTED_TAG: "tilt-build-1700000000",
    });
  });

  test("expects nothing with outputs_image_ref_to", () => {
    const image = customBuild({ outputsImageRefTo: "ref" });
    expect(Object.keys(customBuildEnvironment(image, undefined, registry, new Map()))).toEqual([
      "REGISTRY_HOST",
      "EXPECTED_REGISTRY",
    ]);
  });
});

test("imageMapName() makes one path segment", () => {
  expect(imageMapName("gcr.io/a/b%c")).toBe("gcr.io_a_b_c");
});

describe("buildCustomImage()", () => {
  const lines: string[] = [];
  const build = async (
    image: CustomBuild,
    responders: Responder[],
    signal = new AbortController().signal,
  ) => {
    lines.length = 0;
    const host = fakeHost(...responders);
    const docker = createDocker(host, FAKE_ENV);
    const hooks = { signal, onLine: (text: string) => lines.push(text) };
    const result = await buildCustomImage(
      image,
      new Map(),
      registry,
      { host, docker, env: { PATH: "/bin", A: "tiltfile" } },
      hooks,
    );
    return { host, result };
  };
  const shell =
    (answer: Awaited<ReturnType<Responder>>): Responder =>
    ([program]) =>
      program === "sh" ? answer : undefined;
  const tagging = dockerCommand(/^tag /, {});
  const made = (name: string) => knownImages({ [name]: { id: digest("1"), size: 5 } });

  test("runs the command in its directory with its environment, tags what it made by its content", async () => {
    const image = customBuild({
      command: { argv: ["sh", "-c", "./b"], dir: directory, env: { A: "own", EXPECTED_TAG: "x" } },
    });
    const { host, result } = await build(image, [
      shell({ stdout: "building\n" }),
      made("localhost:5001/example_app:tilt-build-1700000000"),
      tagging,
    ]);
    const { argv, options } = host.calls[0]!;
    expect(argv).toEqual(["sh", "-c", "./b"]);
    expect(options.cwd).toBe(directory);
    expect(options.env).toMatchObject({
      PATH: "/bin",
      A: "own",
      EXPECTED_TAG: "tilt-build-1700000000",
      REGISTRY_HOST: "localhost:5001",
    });
    expect(result.names).toEqual({
      contentRef: `example/app:${TAG}`,
      localRef: `localhost:5001/example_app:${TAG}`,
      clusterRef: `reg:5000/example_app:${TAG}`,
    });
    expect(result.local?.id).toBe(digest("1"));
    expect(
      host.calls
        .map((call) => call.argv.slice(1, 2).concat(call.argv.slice(-1)).join(" "))
        .slice(-2),
    ).toEqual([`tag example/app:${TAG}`, `tag localhost:5001/example_app:${TAG}`]);
    expect(lines).toContain("building");
    expect(lines).toContain("  EXPECTED_TAG=tilt-build-1700000000");
  });

  test("puts its dependencies into Docker under the names it is told", async () => {
    const host = fakeHost(shell({}), tagging);
    const dependency = {
      ref: "base",
      contentRef: "base:x",
      localRef: "localhost:5001/base:x",
      clusterRef: "reg:5000/base:x",
      local: { id: digest("2"), repoTags: [], diffIds: [], size: 1 },
      cached: false,
      durationMs: 1,
    };
    await buildCustomImage(
      customBuild({ imageDeps: ["base"], skipsLocalDocker: true }),
      new Map([["base", dependency]]),
      registry,
      { host, docker: createDocker(host, FAKE_ENV), env: {} },
      { signal: new AbortController().signal, onLine: () => {} },
    );
    expect(host.calls.map(({ argv }) => argv[0])).toEqual(["docker", "sh"]);
    expect(host.calls[0]?.argv).toEqual(["docker", "tag", digest("2"), "localhost:5001/base:x"]);
    expect(host.calls[1]?.options.env?.TILT_IMAGE_0).toBe("localhost:5001/base:x");
  });

  test("puts the registry back on an image with a tag of the user's own", async () => {
    const { result } = await build(customBuild({ tag: "dev" }), [
      shell({}),
      made("example/app:dev"),
      tagging,
    ]);
    expect(result.names.clusterRef).toBe(`reg:5000/example_app:${TAG}`);
  });

  test("looks for nothing and tags nothing when local Docker is skipped", async () => {
    const { host, result } = await build(customBuild({ skipsLocalDocker: true }), [shell({})]);
    expect(result).toEqual({
      names: {
        contentRef: "example/app:tilt-build-1700000000",
        localRef: "localhost:5001/example_app:tilt-build-1700000000",
        clusterRef: "reg:5000/example_app:tilt-build-1700000000",
      },
    });
    expect(host.calls).toHaveLength(1);
  });

  test("never puts a registry on a user's tag when local Docker is skipped", async () => {
    const { result } = await build(customBuild({ skipsLocalDocker: true, tag: "dev" }), [
      shell({}),
    ]);
    expect(result.names.clusterRef).toBe("example/app:dev");
  });

  test("takes the reference that the command writes, as it is", async () => {
    const path = join(directory, "ref.txt");
    await writeFile(path, "stale:1");
    const image = customBuild({
      command: { argv: ["sh"], dir: directory, env: {} },
      outputsImageRefTo: "ref.txt",
    });
    const { result } = await build(image, [
      async ([program]) => {
        if (program !== "sh") return undefined;
        await expect(readFile(path)).rejects.toThrow("ENOENT"); // an old answer must not be taken for a new one
        await writeFile(path, "localhost:5001/mine:v7\n");
        return {};
      },
      made("localhost:5001/mine:v7"),
      tagging,
    ]);
    expect(result.names).toEqual({
      contentRef: "localhost:5001/mine:v7",
      localRef: "localhost:5001/mine:v7",
      clusterRef: "reg:5000/mine:v7",
    });
  });

  test.each([
    [undefined, "was not written"],
    ["not a ref!", "holds no image reference"],
    ["mine", "must hold a reference with a tag"],
  ])("fails when the command writes %j", async (text, message) => {
    const path = join(directory, "ref.txt");
    const image = customBuild({
      command: { argv: ["sh"], dir: directory, env: {} },
      outputsImageRefTo: path,
    });
    const command: Responder = async ([program]) => {
      if (program !== "sh") return undefined;
      if (text !== undefined) await writeFile(path, text);
      return {};
    };
    await expect(build(image, [command])).rejects.toThrow(message);
  });

  test("fails with the command, its status and its last lines", async () => {
    const error = await build(customBuild(), [
      shell({ exitCode: 2, stderr: "no compiler\n" }),
    ]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PhaseFailure);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "BuildFailed",
      message: 'Custom build "./build.sh" failed: exit status 2',
      detail: "no compiler",
      object: "example/app",
    });
  });

  test("fails when the command does not exist", async () => {
    const image = customBuild({ command: { argv: ["nope", "a"], dir: tmpdir(), env: {} } });
    await expect(build(image, [])).rejects.toThrow(
      'Custom build "nope a" failed: Cannot run "nope"',
    );
  });

  test("fails when its directory does not exist", async () => {
    const image = customBuild({ command: { argv: ["sh"], dir: "/no/such", env: {} } });
    await expect(build(image, [shell({})])).rejects.toThrow(
      'its directory "/no/such" does not exist',
    );
  });

  test("fails when the image is not in Docker", async () => {
    const error = await build(customBuild(), [shell({}), knownImages({})]).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "BuildFailed",
      message: "Could not find image in Docker: localhost:5001/example_app:tilt-build-1700000000",
      hint: expect.stringContaining("skips_local_docker=True"),
    });
  });

  test("is cancelled with its command", async () => {
    const controller = new AbortController();
    const hanging: Responder = ([program]) => {
      if (program !== "sh") return undefined;
      controller.abort();
      return new Promise(() => {});
    };
    await expect(build(customBuild(), [hanging], controller.signal)).rejects.toBeInstanceOf(
      CancelledError,
    );
  });
});
