import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EnvironmentError, PhaseFailure } from "../../../src/errors.ts";
import type { BuiltImage } from "../../../src/images/built-image.ts";
import { createDocker } from "../../../src/images/create-docker.ts";
import { buildDockerImage, type DockerBuildSettings } from "../../../src/images/docker-build.ts";
import { InfrastructureError } from "../../../src/images/infrastructure.ts";
import { readTar } from "../../../src/images/tar-reader.ts";
import type { DockerBuild } from "../../../src/model/plan.ts";
import {
  type Answer,
  dockerCommand,
  FAKE_ENV,
  fakeHost,
  knownImages,
  plainDocker,
  type Responder,
} from "./fake-host.ts";
import { fakeImage, savedArchive } from "./fake-images.ts";
import { digest, dockerBuild } from "./fixtures.ts";

const ID = digest("1");
const OK = "#7 [2/2] COPY a /\n#7 CACHED\n";
const CONTENT_REF = "example/app:tilt-1111111111111111";

let context: string;
let temporaryDirectory: string;
beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), "tilt-ci-context-"));
  temporaryDirectory = join(context, "..", `${context.split("/").at(-1)}-scratch`);
});
afterEach(async () => {
  await rm(context, { recursive: true, force: true });
  await rm(temporaryDirectory, { recursive: true, force: true });
});

/** What the builder was given, read while it ran. */
interface Given {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  dockerfile?: string;
  ignore?: string;
  tar: Record<string, string>;
}

async function build(
  image: DockerBuild,
  {
    answer = { stderr: OK },
    responders = [],
    deps = new Map(),
    ...over
  }: {
    answer?: Answer;
    responders?: Responder[];
    deps?: ReadonlyMap<string, BuiltImage>;
  } & Partial<DockerBuildSettings> = {},
) {
  const given: Given = { argv: [], env: {}, tar: {} };
  const builder: Responder = dockerCommand(/^(?:buildx )?build /, async (args, options) => {
    given.argv = args;
    given.env = options.env ?? {};
    const file = args[args.indexOf("--file") + 1]!;
    if (existsSync(file)) given.dockerfile = await readFile(file, "utf8");
    if (existsSync(`${file}.dockerignore`))
      given.ignore = await readFile(`${file}.dockerignore`, "utf8");
    if (options.input) given.tar = await unpack(options.input as AsyncIterable<Uint8Array>);
    await writeFile(args[args.indexOf("--iidfile") + 1]!, `${ID}\n`);
    return answer;
  });
  const host = fakeHost(
    builder,
    ...responders,
    plainDocker(),
    knownImages({ other: { id: ID, size: 7 } }),
    dockerCommand(/^tag /, {}),
  );
  const env = { ...FAKE_ENV, ...over.env };
  const settings = {
    host,
    env,
    cacheTo: [],
    cacheFrom: [],
    excludeFromContexts: [],
    temporaryDirectory,
    docker: createDocker(host, env, { builder: over.builder }),
    ...over,
  };
  const { signal } = new AbortController();
  const lines: string[] = [];
  const hooks = { signal, onLine: (text: string) => lines.push(text), onStep: () => {} };
  const result = await buildDockerImage(image, deps, settings, hooks);
  return { given, result, host, lines };
}

async function unpack(stream: AsyncIterable<Uint8Array>): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name, body } of readTar(stream)) {
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    files[name] = Buffer.concat(parts).toString();
  }
  return files;
}

const file = async (path: string, text = "") => {
  await mkdir(dirname(join(context, path)), { recursive: true });
  await writeFile(join(context, path), text);
};
const built = (ref: string, contentRef: string): BuiltImage => ({
  ref,
  contentRef,
  localRef: contentRef,
  clusterRef: contentRef,
  cached: true,
  durationMs: 1,
});

test("builds in the directory with the Dockerfile's text and the filters beside it", async () => {
  const image = dockerBuild({
    context,
    dockerfileContents: "FROM scratch\nCOPY a /\n",
    contextFilters: [
      { directory: context, patterns: ["*.md"], source: ".dockerignore" },
      { directory: context, patterns: [".git"], source: ".git" },
    ],
  });
  const { given, result, host, lines } = await build(image, {
    excludeFromContexts: [join(context, "report")],
  });
  expect(given.argv.slice(0, 3)).toEqual(["buildx", "build", "--progress=plain"]);
  expect(given.argv.at(-1)).toBe(context);
  expect(given.dockerfile).toBe("FROM scratch\nCOPY a /\n");
  expect(given.ignore?.split("\n").slice(1)).toEqual(["*.md", ".git", "report", ""]);
  expect(given.env).toMatchObject({ PATH: "/bin", BUILDX_NO_DEFAULT_ATTESTATIONS: "1" });
  // buildx keeps files of its own there, and leaves them when it is killed
  expect(dirname(given.env?.TMPDIR ?? "")).toBe(temporaryDirectory);
  expect(result).toEqual({
    local: { id: ID, repoTags: ["other:latest"], diffIds: [], size: 7 },
    cached: true,
  });
  expect(host.calls.at(-1)?.argv).toEqual(["docker", "tag", ID, CONTENT_REF]);
  expect(lines).toEqual(OK.trim().split("\n"));
  expect(await readdir(temporaryDirectory)).toEqual([]);
});

test("builds in an empty directory for the context -", async () => {
  const { given } = await build(dockerBuild({ context: "-" }));
  expect(given.argv.at(-1)).toMatch(/\/empty$/);
  expect(given.ignore).toBeUndefined();
});

test("puts images of the plan into the Dockerfile by their content, whatever the registry", async () => {
  const image = dockerBuild({
    context,
    dockerfileContents: "FROM example/base AS b\nCOPY --from=example/base /a /a\n",
  });
  const deps = new Map([["example/base", built("example/base", "example/base:tilt-22")]]);
  const { given } = await build(image, { deps });
  expect(given.dockerfile).toBe(
    "FROM example/base:tilt-22 AS b\nCOPY --from=example/base:tilt-22 /a /a\n",
  );
});

test.each([
  [{ platform: "linux/arm64" }, {}, {}, "linux/arm64"],
  [{}, { DOCKER_DEFAULT_PLATFORM: "linux/s390x" }, { platform: "linux/arm64" }, "linux/s390x"],
  [{}, {}, { platform: "linux/arm64" }, "linux/arm64"],
])(
  "takes the platform of the image, the environment, then the cluster",
  async (image, env, over, expected) => {
    const { given } = await build(dockerBuild({ context, ...image }), { env, ...over });
    expect(given.argv[given.argv.indexOf("--platform") + 1]).toBe(expected);
  },
);

test("gives each image its own place in the run's caches", async () => {
  const { given } = await build(dockerBuild({ context }), {
    cacheTo: ["type=gha"],
    cacheFrom: ["type=local,src=/c"],
  });
  expect(given.argv).toContain("type=gha,scope=tilt-ci-example_app");
  expect(given.argv).toContain("type=local,src=/c/example_app");
});

test("pulls the other bases itself when pull=True meets an image of the plan", async () => {
  const image = dockerBuild({
    context,
    pull: true,
    dockerfileContents: "FROM example/base\nCOPY --from=busybox:1 /a /a\n",
  });
  const deps = new Map([["example/base", built("example/base", "example/base:tilt-22")]]);
  const { given, host } = await build(image, { deps, responders: [dockerCommand(/^pull /, {})] });
  expect(given.argv).not.toContain("--pull");
  expect(host.calls.filter(({ argv }) => argv[1] === "pull").map(({ argv }) => argv[2])).toEqual([
    "busybox:1",
  ]);
  const denied = dockerCommand(/^pull /, {
    exitCode: 1,
    stderr: "Error response from daemon: pull access denied for busybox",
  });
  await expect(build(image, { deps, responders: [denied] })).rejects.toThrow(
    "cannot pull busybox:1: pull access denied",
  );
});

test("loads the result of a builder with a store of its own and gives it its bases", async () => {
  const base = fakeImage("layer");
  const image = dockerBuild({ context, dockerfileContents: "FROM example/base\n" });
  const deps = new Map([["example/base", built("example/base", "example/base:tilt-22")]]);
  const { given, host } = await build(image, {
    deps,
    builder: "far",
    responders: [
      plainDocker({ driver: "docker-container" }),
      dockerCommand(/^save example\/base:tilt-22$/, { bytes: savedArchive([base]) }),
      dockerCommand(/^rmi --no-prune example\/app:tilt-build-/, {}),
      dockerCommand(/^image inspect example\/app:tilt-build-/, (args) => ({
        stdout: JSON.stringify([{ Id: ID, RepoTags: [args[2]] }]),
      })),
    ],
  });
  expect(given.argv).toEqual(expect.arrayContaining(["--builder", "far", "--load"]));
  expect(given.argv[given.argv.indexOf("--build-context") + 1]).toMatch(
    new RegExp(`^example/base:tilt-22=oci-layout://.*/base-0@${base.id}$`),
  );
  expect(host.calls.map(({ argv }) => argv[1])).toContain("rmi");
});

test("the classic builder gets an archive with the Dockerfile, which no COPY finds", async () => {
  await file("src/a", "A");
  await file("notes.md", "x");
  const image = dockerBuild({
    context,
    dockerfileContents: "FROM scratch\nCOPY . /\n",
    contextFilters: [{ directory: context, patterns: ["*.md"], source: "ignore=" }],
  });
  const { given } = await build(image, { env: { DOCKER_BUILDKIT: "0" } });
  expect(given.argv[0]).toBe("build");
  expect(given.argv.at(-1)).toBe("-");
  expect(given.tar).toEqual({
    "src/a": "A",
    ".tilt-ci.Dockerfile": "FROM scratch\nCOPY . /\n",
    ".dockerignore": ".tilt-ci.Dockerfile\n.dockerignore\n",
  });
});

test("the classic builder has no secrets to give", async () => {
  const image = dockerBuild({ context, secret: ["id=a"] });
  await expect(build(image, { env: { DOCKER_BUILDKIT: "false" } })).rejects.toBeInstanceOf(
    EnvironmentError,
  );
});

const FAILED = (cause: string, line = 2) =>
  ({
    exitCode: 1,
    stderr: `------\n > [2/2] COPY secret.txt /:\n------\n   ${line} | >>> COPY secret.txt /\nERROR: failed to solve: ${cause}\n`,
  }) satisfies Answer;

test("fails with the instruction, at its line of the Dockerfile", async () => {
  const image = dockerBuild({ context, dockerfile: "/src/app/Dockerfile" });
  const answer = FAILED(
    'process "/bin/sh -c connection refused" did not complete successfully: exit code: 1',
  );
  const error = await build(image, { answer }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PhaseFailure);
  expect((error as PhaseFailure).failure).toMatchObject({
    code: "BuildFailed",
    object: "example/app",
    position: { file: "/src/app/Dockerfile", line: 2, column: 1 },
    message: 'Image "example/app": COPY secret.txt /: exit code: 1',
  });
});

test("fails at the Tiltfile's line when the Dockerfile's text was given there", async () => {
  const error = await build(dockerBuild({ context }), { answer: FAILED("x") }).catch(
    (thrown: unknown) => thrown,
  );
  expect((error as PhaseFailure).failure.position).toEqual({
    file: "/src/Tiltfile",
    line: 3,
    column: 1,
  });
});

test("says which filter has taken a missing file", async () => {
  await file("secret.txt");
  const image = dockerBuild({
    context,
    contextFilters: [
      { directory: context, patterns: ["*.txt"], source: `${context}/.dockerignore` },
    ],
  });
  const answer = FAILED('failed to calculate checksum of ref a::b: "/secret.txt": not found');
  const error = await build(image, { answer }).catch((thrown: unknown) => thrown);
  expect((error as PhaseFailure).failure.hint).toBe(
    `"secret.txt" is left out of the build context by ${context}/.dockerignore`,
  );
});

test("a registry that does not answer is no fault of the build", async () => {
  const answer = FAILED("failed to resolve source metadata for docker.io/library/x: i/o timeout");
  await expect(build(dockerBuild({ context }), { answer })).rejects.toBeInstanceOf(
    InfrastructureError,
  );
});

test("leaves no files behind when it fails", async () => {
  await build(dockerBuild({ context }), { answer: FAILED("x") }).catch(() => {});
  expect(await readdir(temporaryDirectory)).toEqual([]);
});

test("fails for a pattern that makes no sense, before the builder runs", async () => {
  const image = dockerBuild({
    context,
    contextFilters: [{ directory: context, patterns: ["[a"], source: "ignore=" }],
  });
  const error = await build(image).catch((thrown: unknown) => thrown);
  expect((error as PhaseFailure).failure).toMatchObject({
    code: "BuildFailed",
    message: expect.stringContaining(
      'cannot read the build context: Cannot use the ignore pattern "[a"',
    ),
    position: { file: "/src/Tiltfile", line: 3, column: 1 },
  });
});
