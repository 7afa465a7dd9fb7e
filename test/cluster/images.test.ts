import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CancelledError, type PhaseFailure } from "../../src/errors.ts";
import { createHost } from "../../src/host/node-host.ts";
import { createDocker } from "../../src/images/create-docker.ts";
import { createImages, type Images, type ImagesOptions } from "../../src/images/index.ts";
import { openLayerStore } from "../../src/images/layer-store.ts";
import { RawDelivery } from "../../src/images/raw-delivery.ts";
import { RegistryClient } from "../../src/images/registry-client.ts";
import { createSaveQueue } from "../../src/images/save-queue.ts";
import type { DockerBuild } from "../../src/model/plan.ts";
import type { Failure } from "../../src/model/result.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { customBuild, dockerBuild } from "../unit/images/fixtures.ts";

const BASE = "python:3-alpine";
/** `htpasswd -B`: user and password are "test". */
const HTPASSWD = "test:$2a$05$HAtAskPGWwr59Kf1aavRuOoXnYbwD0UEp0PPsx2PDf7Rf97DZcPGG\n";
const NAME = `tilt-ci-images-test-${process.pid}`;
const { signal } = new AbortController();

function docker(...args: string[]): string {
  return execFileSync("docker", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** Runs a registry on a free loopback port; gives `127.0.0.1:PORT`. */
async function startRegistry(name: string, ...options: string[]): Promise<string> {
  docker("run", "-d", "--name", name, "-p", "127.0.0.1::5000", ...options, rigEnv().registryImage);
  const host = `127.0.0.1:${docker("port", name, "5000/tcp").split(":").at(-1)}`;
  for (let tries = 0; tries < 200; tries += 1) {
    // 401 is an answer, too.
    if (await fetch(`http://${host}/v2/`).catch(() => undefined)) return host;
    await delay(100);
  }
  throw new Error(`${name} does not answer on ${host}`);
}

describe.skipIf(!clusterAvailable())("images on a real Docker", () => {
  let registry: string;
  let directory: string;
  const opened: Images[] = [];

  beforeAll(async () => {
    registry = await startRegistry(NAME);
  });
  afterAll(() => {
    docker("rm", "-f", "-v", NAME);
    const tags = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
      .split("\n")
      .filter((name) => name.startsWith("tilt-ci-test/"));
    if (tags.length > 0) docker("rmi", "-f", ...tags);
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tilt-ci-images-"));
  });
  afterEach(async () => {
    for (const images of opened.splice(0)) await images.cleanUp();
    rmSync(directory, { recursive: true, force: true });
  });

  const put = (path: string, text = path) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };

  function imagesOf(over: Partial<ImagesOptions> & { host?: never; at?: string } = {}) {
    const host = createHost({ env: process.env, cwd: directory });
    const told = { lines: [] as string[], retries: [] as Failure[], warnings: [] as string[] };
    const images = createImages({
      env: host.env,
      target: Promise.resolve({
        type: "registry",
        registry: {
          host: over.at ?? registry,
          hostFromContainerRuntime: "reg:5000",
          ownedByRun: true,
        },
      }),
      excludeFromContexts: [join(directory, "tilt-ci-report"), join(directory, "scratch")],
      retry: { retries: 1, minTimeoutMs: 10 },
      temporaryDirectory: join(directory, "scratch"),
      hooks: {
        onLine: (_, text) => told.lines.push(text),
        onStep: () => {},
        onRetry: (_, __, failure) => told.retries.push(failure),
        onWarning: (message) => told.warnings.push(message),
      },
      ...over,
      host,
    });
    opened.push(images);
    return { images, told };
  }

  const image = (dockerfileContents: string, over: Partial<DockerBuild> = {}) =>
    dockerBuild({ ref: "tilt-ci-test/app", context: directory, dockerfileContents, ...over });

  /** What a deployed image prints when it runs from the registry: nothing of it is local then. */
  const runFrom = (localRef: string, ...command: string[]) => {
    docker("pull", "-q", localRef);
    return docker("run", "--rm", localRef, ...command);
  };

  describe("docker_build", () => {
    test("builds on an image of the plan, sends the base ahead and then only what is on top", async () => {
      put("app.txt", "v1");
      const { images } = imagesOf();
      const lower = image(`FROM ${BASE}\nCOPY app.txt /app.txt\n`, { ref: "tilt-ci-test/lower" });
      const upper = image(
        "ARG B=tilt-ci-test/lower\nFROM $B\nRUN echo on top of $(cat /app.txt) > /top\n",
        {
          ref: "tilt-ci-test/upper",
          buildArgs: { B: "tilt-ci-test/lower" },
        },
      );
      const [base] = await images.sendBaseImages([lower, upper], signal);
      expect(base?.ref).toBe(BASE);
      expect(base!.bytesUploaded).toBeGreaterThan(10_000_000);
      const first = await images.build(lower, new Map(), signal);
      const second = await images.build(upper, new Map([["tilt-ci-test/lower", first]]), signal);
      const sent = await Promise.all([
        images.deliver(first, signal),
        images.deliver(second, signal),
      ]);
      for (const { bytesUploaded, clusterRef } of sent) {
        expect(bytesUploaded).toBeLessThan(100_000);
        expect(clusterRef).toMatch(/^reg:5000\/tilt-ci-test_(?:lower|upper):tilt-[0-9a-f]{16}$/);
      }
      docker("rmi", "-f", second.contentRef, first.contentRef);
      expect(runFrom(second.localRef, "cat", "/top")).toBe("on top of v1");
    });

    test("comes from the cache the next time, whatever the files' times and the registry's port", async () => {
      put("a.txt");
      const build = image(`FROM ${BASE}\nCOPY a.txt /\nRUN date +%N > /stamp\n`);
      const child = image("FROM tilt-ci-test/app\nRUN date +%N > /child\n", {
        ref: "tilt-ci-test/child",
      });
      const run = async (images: Images) => {
        const made = await images.build(build, new Map(), signal);
        return [
          made,
          await images.build(child, new Map([["tilt-ci-test/app", made]]), signal),
        ] as const;
      };
      const [first, firstChild] = await run(imagesOf().images);
      utimesSync(join(directory, "a.txt"), 1, 1);
      const [second, secondChild] = await run(imagesOf({ at: "127.0.0.1:9" }).images);
      expect([second.cached, secondChild.cached]).toEqual([true, true]);
      expect([second.contentRef, secondChild.contentRef]).toEqual([
        first.contentRef,
        firstChild.contentRef,
      ]);
      put("a.txt", `changed ${NAME} ${Date.now()}`);
      const third = await imagesOf().images.build(build, new Map(), signal);
      expect(third.cached).toBe(false);
      expect(third.contentRef).not.toBe(first.contentRef);
    });

    test.each([
      ["BuildKit", {}],
      ["the classic builder", { DOCKER_BUILDKIT: "0" }],
    ])("filters the context with %s", async (_, env) => {
      for (const path of [
        "src/app.py",
        "src/app_test.py",
        "src/deep/x.tmp",
        "src/deep/keep.tmp",
        "docs/a.md",
        ".git/HEAD",
        "Tiltfile",
        "tilt-ci-report/r.json",
        "we*ird/[x]",
        "weird/x",
        "top",
        "node_modules/a/src/b",
      ])
        put(path);
      const build = image(
        `FROM ${BASE}\nWORKDIR /ctx\nCOPY . .\nRUN find . -mindepth 1 | sort > /list\n`,
        {
          contextFilters: [
            {
              directory,
              patterns: ["*", "!src", "!docs", "!we*", "!top", "src/*_test.py"],
              source: "only=",
            },
            { directory, patterns: ["**/*.tmp", "!**/keep.tmp"], source: ".dockerignore" },
            { directory, patterns: ["we\\*ird", "docs/"], source: "ignore=" },
            { directory, patterns: [".git"], source: ".git" },
            { directory, patterns: ["Tiltfile"], source: "Tiltfile" },
          ],
        },
      );
      const { images } = imagesOf({ env: { ...(process.env as Record<string, string>), ...env } });
      const { contentRef } = await images.build(build, new Map(), signal);
      expect(docker("run", "--rm", contentRef, "cat", "/list").split("\n")).toEqual([
        "./src",
        "./src/app.py",
        "./src/deep",
        "./src/deep/keep.tmp",
        "./top",
        "./weird",
        "./weird/x",
      ]);
    });

    test("gives files to root with their modes, and takes an empty context", async () => {
      put("run.sh", "#!/bin/sh\n");
      chmodSync(join(directory, "run.sh"), 0o750);
      const { images } = imagesOf();
      const made = await images.build(image(`FROM ${BASE}\nCOPY run.sh /\n`), new Map(), signal);
      expect(docker("run", "--rm", made.contentRef, "stat", "-c", "%u %g %a", "/run.sh")).toBe(
        "0 0 750",
      );
      await images.build(image(`FROM ${BASE}\nRUN true\n`, { context: "-" }), new Map(), signal);
    });

    test("passes parameters on: build arguments, target, secret, host names, network, tags", async () => {
      put("token", "s3cret");
      const { images } = imagesOf({
        env: { ...(process.env as Record<string, string>), FROM_ENV: "inherited" },
      });
      const build = image(
        `FROM ${BASE} AS wanted\nARG A\nARG FROM_ENV\nRUN --mount=type=secret,id=t echo "$A $FROM_ENV $(cat /run/secrets/t) $(grep -c db.test /etc/hosts)" > /out\nFROM ${BASE}\nRUN exit 1\n`,
        {
          buildArgs: { A: "two words", FROM_ENV: "" },
          target: "wanted",
          secret: [`id=t,src=${join(directory, "token")}`],
          extraHosts: ["db.test:10.1.2.3"],
          network: "none",
          extraTags: ["tilt-ci-test/extra:one"],
          platform: "linux/amd64",
        },
      );
      const { local, contentRef } = await images.build(build, new Map(), signal);
      expect(docker("run", "--rm", contentRef, "cat", "/out")).toBe("two words inherited s3cret 1");
      expect(docker("image", "inspect", "--format", "{{.Id}}", "tilt-ci-test/extra:one")).toBe(
        local?.id,
      );
      expect(
        docker(
          "image",
          "inspect",
          "--format",
          '{{index .Config.Labels "dev.tilt.built"}}',
          contentRef,
        ),
      ).toBe("true");
    });

    test("fails with the instruction, its output and its line", async () => {
      const { images, told } = imagesOf();
      const build = image(`FROM ${BASE}\nRUN echo about to fail >&2; exit 7\n`, {
        dockerfile: join(directory, "Dockerfile"),
      });
      const error = await images.build(build, new Map(), signal).catch((thrown: unknown) => thrown);
      expect((error as PhaseFailure).failure).toMatchObject({
        code: "BuildFailed",
        message: expect.stringContaining("RUN echo about to fail >&2; exit 7: exit code: 7"),
        detail: expect.stringContaining("about to fail"),
        position: { file: join(directory, "Dockerfile"), line: 2, column: 1 },
      });
      expect(told.retries).toEqual([]);
    });

    test("says which filter has taken what COPY misses", async () => {
      put("config.yml");
      const build = image(`FROM ${BASE}\nCOPY config.yml /\n`, {
        contextFilters: [{ directory, patterns: ["*.yml"], source: ".dockerignore" }],
      });
      const error = await imagesOf()
        .images.build(build, new Map(), signal)
        .catch((thrown: unknown) => thrown);
      expect((error as PhaseFailure).failure).toMatchObject({
        code: "BuildFailed",
        hint: '"config.yml" is left out of the build context by .dockerignore',
      });
    });

    test("takes a registry out of reach for infrastructure", async () => {
      const { images, told } = imagesOf();
      const error = await images
        .build(image("FROM 127.0.0.1:1/none:1\n"), new Map(), signal)
        .catch((thrown: unknown) => thrown);
      expect((error as PhaseFailure).failure.code).toBe("Infra");
      expect(told.retries).toHaveLength(1);
    });

    test("takes a base image that a registry does not have for the user's", async () => {
      const error = await imagesOf()
        .images.build(image(`FROM ${registry}/none:1\n`), new Map(), signal)
        .catch((thrown: unknown) => thrown);
      expect((error as PhaseFailure).failure).toMatchObject({
        code: "BuildFailed",
        message: expect.stringContaining("not found"),
      });
    });

    test("pull=True does not look for images of the plan in a registry", async () => {
      const { images } = imagesOf();
      const lower = await images.build(
        image(`FROM ${BASE}\nRUN true\n`, { ref: "tilt-ci-test/lower" }),
        new Map(),
        signal,
      );
      const upper = image("FROM tilt-ci-test/lower\nRUN true\n", { pull: true });
      await images.build(upper, new Map([["tilt-ci-test/lower", lower]]), signal);
    });

    test("is cancelled at once and leaves nothing running or lying about", async () => {
      const controller = new AbortController();
      const temporaryDirectory = join(directory, "scratch");
      const { images, told } = imagesOf({ temporaryDirectory });
      const building = images.build(
        image(`FROM ${BASE}\nRUN echo started ${Date.now()}; sleep 60\n`),
        new Map(),
        controller.signal,
      );
      building.catch(() => {});
      await expect
        .poll(() => told.lines.some((line) => /^#\d+ \d\S* started/.test(line)), {
          timeout: 30_000,
        })
        .toBe(true);
      const abortedAt = Date.now();
      controller.abort();
      await expect(building).rejects.toBeInstanceOf(CancelledError);
      expect(Date.now() - abortedAt).toBeLessThan(5000);
      expect(readdirSync(temporaryDirectory)).toEqual([]);
    });
  });

  // For example: docker buildx create --name far --driver docker-container, then TILT_CI_TEST_BUILDER=far.
  const builder = process.env.TILT_CI_TEST_BUILDER;
  test.skipIf(!builder)("builds with a builder that has a store of its own", async () => {
    put("a.txt");
    const cache = join(directory, "cache");
    const lower = image("FROM scratch\nCOPY a.txt /\n", { ref: "tilt-ci-test/lower" });
    const upper = image(
      "FROM tilt-ci-test/lower AS x\nFROM x\nCOPY --from=tilt-ci-test/lower /a.txt /b.txt\n",
    );
    const build = async () => {
      const { images } = imagesOf({
        builder,
        cacheTo: [`type=local,dest=${cache}`],
        cacheFrom: [`type=local,src=${cache}`],
      });
      const below = await images.build(lower, new Map(), signal);
      const above = await images.build(upper, new Map([["tilt-ci-test/lower", below]]), signal);
      expect(above.local?.diffIds[0]).toBe(below.local?.diffIds[0]);
      expect(docker("image", "ls", "-q", above.contentRef)).not.toBe("");
      return above;
    };
    const first = await build();
    expect(readdirSync(cache)).toEqual(["tilt-ci-test_app", "tilt-ci-test_lower"]);
    const second = await build();
    expect([second.cached, second.contentRef]).toEqual([true, first.contentRef]);
  });

  describe("custom_build", () => {
    const custom = (line: string, over = {}) =>
      customBuild({
        ref: "tilt-ci-test/custom",
        command: { argv: ["sh", "-c", line], dir: directory, env: {} },
        ...over,
      });

    test("takes what the command tags as EXPECTED_REF and sends it", async () => {
      put("Dockerfile", `FROM ${BASE}\nRUN echo custom > /out\n`);
      const { images } = imagesOf();
      const made = await images.build(
        custom('docker build -q -t "$EXPECTED_REF" . && echo "$EXPECTED_REGISTRY $EXPECTED_IMAGE"'),
        new Map(),
        signal,
      );
      expect(made.localRef).toMatch(
        new RegExp(`^${registry}/tilt-ci-test_custom:tilt-[0-9a-f]{16}$`),
      );
      await images.deliver(made, signal);
      await images.cleanUp();
      docker("rmi", made.contentRef);
      expect(runFrom(made.localRef, "cat", "/out")).toBe("custom");
    });

    test("gives the command its image dependencies", async () => {
      put("Dockerfile", "ARG FROM\nFROM $FROM\nRUN echo on > /out\n");
      const { images } = imagesOf();
      const lower = await images.build(
        image(`FROM ${BASE}\nRUN true\n`, { ref: "tilt-ci-test/lower" }),
        new Map(),
        signal,
      );
      const build = custom(
        'docker build -q --build-arg "FROM=$TILT_IMAGE_0" -t "$EXPECTED_REF" .',
        { imageDeps: ["tilt-ci-test/lower"] },
      );
      const made = await images.build(build, new Map([["tilt-ci-test/lower", lower]]), signal);
      expect(docker("run", "--rm", made.contentRef, "cat", "/out")).toBe("on");
    });

    test("ends the command's whole process group when cancelled", async () => {
      const controller = new AbortController();
      const { images } = imagesOf();
      const marker = `3${process.pid}.5`;
      const building = images.build(
        custom(`sleep ${marker} & sleep ${marker}`),
        new Map(),
        controller.signal,
      );
      building.catch(() => {});
      const running = () =>
        execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })
          .split("\n")
          .filter((line) => line === `sleep ${marker}`);
      await expect.poll(() => running().length, { timeout: 10_000 }).toBe(2);
      controller.abort();
      await expect(building).rejects.toBeInstanceOf(CancelledError);
      expect(running()).toEqual([]);
    });
  });

  describe("delivery", () => {
    test("gives the same manifest from Docker's store and from docker save", async () => {
      const host = createHost({ env: process.env, cwd: directory });
      const client = createDocker(host, host.env);
      const local = (await client.inspect([BASE], signal)).get(BASE)!;
      const store = await openLayerStore(await client.info(signal));
      const sources = { saved: createSaveQueue(client), ...(store ? { stored: store } : {}) };
      const registryClient = new RegistryClient(registry);
      const digests = new Set<string>();
      for (const [name, source] of Object.entries(sources)) {
        const sent = await new RawDelivery(registryClient, [source]).send(
          local,
          { repository: `way/${name}`, tag: "t" },
          signal,
        );
        expect(sent.cached).toBe(false);
        digests.add(sent.digest);
        expect(runFrom(`${registry}/way/${name}:t`, "python3", "-c", "print(6 * 7)")).toBe("42");
        docker("rmi", `${registry}/way/${name}:t`);
      }
      registryClient.close();
      expect(digests.size).toBe(1);
    });

    test("puts third-party images where the nodes' mirror finds them", async () => {
      const { images, told } = imagesOf();
      const mirrored = await images.mirrorThirdParty(["busybox:stable", "no-such-image:1"], signal);
      expect(mirrored).toMatchObject([
        { ref: "busybox:stable", clusterRef: "reg:5000/mirror/docker.io/library/busybox:stable" },
      ]);
      expect(told.warnings).toEqual([]);
      expect(runFrom(`${registry}/mirror/docker.io/library/busybox:stable`, "echo", "hi")).toBe(
        "hi",
      );
    });

    test("sends nothing the second time", async () => {
      put("a.txt");
      const build = image(`FROM ${BASE}\nCOPY a.txt /\n`);
      for (const cached of [false, true]) {
        const { images } = imagesOf();
        const made = await images.build(build, new Map(), signal);
        if (!cached) await images.deliver(made, signal);
        else
          expect(await images.deliver(made, signal)).toMatchObject({
            cached: true,
            bytesUploaded: 0,
          });
      }
    });

    test("leaves registries with a password to docker push", async () => {
      put("htpasswd", HTPASSWD);
      const name = `${NAME}-password`;
      const auth = [
        "-e",
        "REGISTRY_AUTH=htpasswd",
        "-e",
        "REGISTRY_AUTH_HTPASSWD_REALM=r",
        "-e",
        "REGISTRY_AUTH_HTPASSWD_PATH=/htpasswd",
      ];
      const at = await startRegistry(
        name,
        ...auth,
        "-v",
        `${join(directory, "htpasswd")}:/htpasswd:ro`,
      );
      try {
        const env = {
          ...(process.env as Record<string, string>),
          DOCKER_CONFIG: join(directory, "docker"),
        };
        const { images } = imagesOf({ at, env });
        const made = await images.build(
          image("FROM busybox:stable\nRUN echo pushed > /out\n"),
          new Map(),
          signal,
        );
        const refused = await images.deliver(made, signal).catch((thrown: unknown) => thrown);
        expect((refused as PhaseFailure).failure).toMatchObject({
          code: "PushFailed",
          hint: "Log in to the registry with docker login",
        });
        execFileSync("docker", ["login", "-u", "test", "--password-stdin", at], {
          input: "test",
          env,
          stdio: "pipe",
        });
        expect(await images.deliver(made, signal)).toMatchObject({
          cached: false,
          digest: expect.stringMatching(/^sha256:/),
        });
        expect(docker("image", "ls", "-q", made.localRef)).not.toBe("");
        await images.cleanUp();
        expect(docker("image", "ls", "-q", made.localRef)).toBe("");
        expect(docker("image", "ls", "-q", made.contentRef)).not.toBe("");
      } finally {
        docker("rm", "-f", "-v", name);
      }
    });

    test("takes a registry that is gone for infrastructure", async () => {
      const name = `${NAME}-gone`;
      const at = await startRegistry(name);
      const { images, told } = imagesOf({ at });
      try {
        await images.mirrorThirdParty(["busybox:stable"], signal);
      } finally {
        docker("rm", "-f", "-v", name);
      }
      const made = await images.build(
        image("FROM busybox:stable\nRUN echo gone > /out\n"),
        new Map(),
        signal,
      );
      const error = await images.deliver(made, signal).catch((thrown: unknown) => thrown);
      expect((error as PhaseFailure).failure).toMatchObject({
        code: "Infra",
        message: expect.stringContaining("ECONNREFUSED"),
      });
      expect(told.retries).toHaveLength(1);
    });
  });
});
