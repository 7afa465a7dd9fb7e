import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CancelledError, EnvironmentError } from "../../../src/errors.ts";
import { createDocker } from "../../../src/images/create-docker.ts";
import { DockerError } from "../../../src/images/docker.ts";
import {
  dockerCommand,
  FAKE_ENV,
  fakeHost,
  knownImages,
  plainDocker,
  type Responder,
} from "./fake-host.ts";
import { digest } from "./fixtures.ts";

const { signal } = new AbortController();

function dockerWith(...responders: Responder[]) {
  const host = fakeHost(...responders);
  return { host, docker: createDocker(host, FAKE_ENV) };
}

describe("inspect()", () => {
  test("finds images by name, by name without tag and by id, and leaves out the others", async () => {
    const { docker } = dockerWith(
      knownImages({
        "python:3": { id: digest("1"), diffIds: [digest("a")] },
        "gcr.io/x/y": { id: digest("2") },
      }),
    );
    const found = await docker.inspect(
      ["docker.io/library/python:3", "python:3", "gcr.io/x/y", digest("2"), "none"],
      signal,
    );
    expect([...found].map(([ref, { id }]) => [ref, id])).toEqual([
      ["docker.io/library/python:3", digest("1")],
      ["python:3", digest("1")],
      ["gcr.io/x/y", digest("2")],
      [digest("2"), digest("2")],
    ]);
    expect(found.get("python:3")?.diffIds).toEqual([digest("a")]);
  });

  test("asks nothing for nothing", async () => {
    const { docker, host } = dockerWith();
    expect((await docker.inspect([], signal)).size).toBe(0);
    expect(host.calls).toEqual([]);
  });

  test("throws what Docker says when it does not answer", async () => {
    const { docker } = dockerWith(
      dockerCommand(/^image inspect/, {
        exitCode: 1,
        stdout: "[]",
        stderr: "Cannot connect to the Docker daemon at unix:///x",
      }),
    );
    await expect(docker.inspect(["a"], signal)).rejects.toThrow(
      "Cannot connect to the Docker daemon at unix:///x",
    );
  });
});

describe("info()", () => {
  test("tells version, store and where it is, asking once", async () => {
    const { docker, host } = dockerWith(plainDocker());
    const expected = {
      major: 26,
      rootDirectory: "/nowhere",
      storageDriver: "overlay2",
      containerdStore: false,
    };
    expect(await docker.info(signal)).toEqual(expected);
    await docker.info(signal);
    expect(host.calls).toHaveLength(1);
  });

  test("knows a containerd store", async () => {
    const { docker } = dockerWith(
      plainDocker({
        info: {
          Driver: "overlayfs",
          DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]],
        },
      }),
    );
    expect((await docker.info(signal)).containerdStore).toBe(true);
  });

  test("throws for a client without a daemon, and asks again afterwards", async () => {
    let up = false;
    const { docker } = dockerWith((argv, options) => {
      if (up) return plainDocker()(argv, options);
      return { exitCode: 1, stdout: '{"ServerErrors":["Cannot connect to the Docker daemon"]}' };
    });
    await expect(docker.info(signal)).rejects.toThrow("Cannot connect to the Docker daemon");
    up = true;
    expect((await docker.info(signal)).major).toBe(26);
  });
});

describe("builder()", () => {
  test.each([
    ["docker", { kind: "buildx", sharesStore: true }],
    ["docker-container", { kind: "buildx", sharesStore: false }],
    ["remote", { kind: "buildx", sharesStore: false }],
  ])("knows the driver %s", async (driver, expected) => {
    const { docker } = dockerWith(plainDocker({ driver }));
    expect(await docker.builder(signal)).toEqual(expected);
  });

  test("is the classic one where DOCKER_BUILDKIT=0 or buildx is missing", async () => {
    const classic = { kind: "classic", sharesStore: true };
    const off = createDocker(fakeHost(), { ...FAKE_ENV, DOCKER_BUILDKIT: "0" });
    expect(await off.builder(signal)).toEqual(classic);
    const { docker } = dockerWith(
      dockerCommand(/^buildx/, {
        exitCode: 1,
        stderr: "docker: 'buildx' is not a docker command.",
      }),
    );
    expect(await docker.builder(signal)).toEqual(classic);
  });

  test("is plain from buildx's files where nobody has chosen a builder", async () => {
    const config = await mkdtemp(join(tmpdir(), "tilt-ci-docker-"));
    try {
      const host = fakeHost(plainDocker({ driver: "docker-container" }));
      const ask = (over: Record<string, string> = {}, options = {}) =>
        createDocker(
          host,
          { ...FAKE_ENV, DOCKER_CONFIG: config, ...over },
          { pluginDirectories: [], ...options },
        ).builder(signal);
      const far = { kind: "buildx", sharesStore: false };
      const near = { kind: "buildx", sharesStore: true };
      expect(await ask()).toEqual(far); // no plugin to be seen: buildx itself is asked
      await mkdir(join(config, "cli-plugins"));
      await writeFile(join(config, "cli-plugins", "docker-buildx"), "");
      host.calls.length = 0;
      expect(await ask()).toEqual(near);
      await mkdir(join(config, "buildx"));
      const current = join(config, "buildx", "current");
      await writeFile(current, '{"Key":"unix:///var/run/docker.sock","Name":"","Global":false}');
      expect(await ask()).toEqual(near);
      expect(host.calls).toEqual([]);
      expect(await ask({ BUILDX_BUILDER: "far" })).toEqual(far);
      expect(await ask({}, { builder: "far" })).toEqual(far);
      await writeFile(current, '{"Key":"unix:///var/run/docker.sock","Name":"far","Global":false}');
      expect(await ask()).toEqual(far);
    } finally {
      await rm(config, { recursive: true });
    }
  });

  test("a builder by name needs buildx, and must exist", async () => {
    const missing = dockerCommand(/^buildx inspect far$/, {
      exitCode: 1,
      stderr: "docker: 'buildx' is not a docker command.",
    });
    await expect(
      createDocker(fakeHost(missing), FAKE_ENV, { builder: "far" }).builder(signal),
    ).rejects.toBeInstanceOf(EnvironmentError);
    const unknown = dockerCommand(/^buildx inspect far$/, {
      exitCode: 1,
      stderr: 'ERROR: no builder "far" found',
    });
    await expect(
      createDocker(fakeHost(unknown), FAKE_ENV, { builder: "far" }).builder(signal),
    ).rejects.toThrow('no builder "far" found');
  });
});

test("run() without docker is a broken environment", async () => {
  const { docker } = dockerWith();
  const error = await docker.run(["version"]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EnvironmentError);
  expect((error as EnvironmentError).message).toBe("Cannot run docker: no such program on PATH");
});

test("tag() throws what Docker printed last", async () => {
  const { docker } = dockerWith(
    dockerCommand(/^tag/, {
      exitCode: 1,
      stderr: "warning\nError response from daemon: no such image\n",
    }),
  );
  const error = await docker.tag("a", "b", signal).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DockerError);
  expect((error as DockerError).message).toBe("no such image");
  expect((error as DockerError).stderr).toContain("docker tag a b\nwarning");
});

test("untag() runs nothing for nothing", async () => {
  const { docker, host } = dockerWith();
  await docker.untag([], signal);
  expect(host.calls).toEqual([]);
});

test("save() is cancelled before it begins", async () => {
  const { docker, host } = dockerWith(dockerCommand(/^save/, {}));
  const iterate = async () => {
    for await (const _ of docker.save(["a"], AbortSignal.abort()));
  };
  await expect(iterate()).rejects.toBeInstanceOf(CancelledError);
  expect(host.calls).toEqual([]);
});
