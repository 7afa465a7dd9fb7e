import { describe, expect, test } from "vitest";
import { containerEngine } from "../../../src/cluster/container-engine.ts";
import { ensureImage, newestTag, nodeImageOf } from "../../../src/cluster/images.ts";
import { checkKind } from "../../../src/cluster/kind-version.ts";
import { CancelledError } from "../../../src/errors.ts";
import { fakeHost, on, type Rule } from "../../fake-host.ts";

const missing = on(/^docker image inspect/, {
  exitCode: 1,
  stderr: "Error response from daemon: No such image: x\n",
});

/** A `docker pull` that says something at once and then takes its time; without an end the signal has to end it. */
function pulling({ stdout, endsAfterMs }: { stdout: string; endsAfterMs?: number }): Rule {
  return async ([, command], { onLine, signal }) => {
    if (command !== "pull") return undefined;
    for (const line of stdout.split("\n").filter(Boolean)) await onLine?.(line, "stdout");
    await new Promise<void>((resolve, reject) => {
      if (endsAfterMs !== undefined) setTimeout(resolve, endsAfterMs);
      signal?.addEventListener("abort", () => reject(new CancelledError()));
    });
    return {};
  };
}

describe("ensureImage()", () => {
  test("asks for nothing more when the image is there", async () => {
    const host = fakeHost([
      on(/^docker image inspect --format {{.Id}} x$/, { stdout: "sha256:1" }),
    ]);
    await ensureImage("x", "--node-image", containerEngine(host));
    expect(host.commands).toHaveLength(1);
  });

  test("says which option helps when the image cannot be pulled", async () => {
    const host = fakeHost([
      missing,
      on(/^docker pull x$/, { exitCode: 1, stderr: "Error: lookup hub: no such host\n" }),
    ]);
    await expect(ensureImage("x", "--node-image", containerEngine(host))).rejects.toMatchObject({
      exitCode: 3,
      message: "The image x is not on this machine and cannot be pulled: lookup hub: no such host",
      hint: "Pull it beforehand (docker pull x), or give another with --node-image",
    });
  });

  test("ends a pull that hangs", async () => {
    const host = fakeHost([missing, on(/^docker pull x$/, { hangs: true })]);
    await expect(
      ensureImage("x", "--registry-image", containerEngine(host), { pullTimeoutMs: 60_000 }),
    ).rejects.toThrow("cannot be pulled: no end after 60 s");
  });

  test.each([
    ["nothing", "", "its registry has not answered after 0 s"],
    // Docker's client says this before it has asked anybody
    ["no layer", "Using default tag: latest\n", "its registry has not answered after 0 s"],
  ])("ends a pull that has said %s for too long", async (_, stdout, problem) => {
    const host = fakeHost([missing, pulling({ stdout })]);
    await expect(
      ensureImage("x", "--warm-node", containerEngine(host), { answerTimeoutMs: 20 }),
    ).rejects.toThrow(`cannot be pulled: ${problem}`);
  });

  test("gives a pull that has begun its time", async () => {
    const host = fakeHost([missing, pulling({ stdout: "1: Pulling from x\n", endsAfterMs: 100 })]);
    await ensureImage("x", "--warm-node", containerEngine(host), { answerTimeoutMs: 20 });
  });

  test("tells an engine that is not running from an image that is missing", async () => {
    const host = fakeHost([
      on(/^docker/, {
        exitCode: 1,
        stderr: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n",
      }),
    ]);
    await expect(ensureImage("x", "--node-image", containerEngine(host))).rejects.toMatchObject({
      message: "The container engine is not running",
      hint: "Start Docker, or set DOCKER_HOST to an engine",
    });
    expect(host.commands).toHaveLength(1);
  });

  test("names the program when there is none", async () => {
    const host = fakeHost([on(/^podman/, { notFound: true })], {
      env: { KIND_EXPERIMENTAL_PROVIDER: "podman" },
    });
    await expect(ensureImage("x", "--node-image", containerEngine(host))).rejects.toMatchObject({
      exitCode: 3,
      message: 'Cannot run "podman": it is not installed',
    });
  });
});

describe("nodeImageOf()", () => {
  const engine = (tags: string) =>
    containerEngine(fakeHost([on(/^docker images kindest\/node/, { stdout: tags })]));
  test("prefers what is on the machine", async () => {
    const local = engine("v1.34.4\nv1.34.11\nv1.33.1\nlatest\n");
    expect(await nodeImageOf("1.34", local, undefined)).toBe("kindest/node:v1.34.11");
    expect(await nodeImageOf("v1.34.4", local, undefined)).toBe("kindest/node:v1.34.4");
  });
  test("falls back to what is published", async () => {
    expect(await nodeImageOf("1.36", engine(""), undefined)).toBe("kindest/node:v1.36.4");
    expect(await nodeImageOf("v1.31.2", engine(""), undefined)).toBe("kindest/node:v1.31.2");
    await expect(nodeImageOf("1.20", engine(""), undefined)).rejects.toMatchObject({ exitCode: 3 });
    await expect(nodeImageOf("latest", engine(""), undefined)).rejects.toThrow(
      '"latest" is no Kubernetes version',
    );
  });
  test("newestTag() does not take 1.3 for 1.34", () => {
    expect(newestTag(["v1.34.4"], "1.3")).toBeUndefined();
  });
});

describe("checkKind()", () => {
  const kind = (stdout: string) => fakeHost([on(/^kind version$/, { stdout })]);
  test("accepts what is new enough, also a two-digit patch", async () => {
    expect(await checkKind(kind("kind v0.33.0 go1.26.8 linux/amd64"), undefined)).toBe("0.33.0");
    expect(await checkKind(kind("kind v1.0.0"), undefined)).toBe("1.0.0");
  });
  test("refuses what is missing, too old or no kind", async () => {
    await expect(checkKind(kind("kind v0.9.0"), undefined)).rejects.toMatchObject({
      exitCode: 3,
      message: "kind 0.9.0 is too old",
      hint: "Install kind 0.27.0 or newer",
    });
    await expect(
      checkKind(fakeHost([on(/^kind/, { notFound: true })]), undefined),
    ).rejects.toMatchObject({ exitCode: 3, message: 'Cannot run "kind": it is not installed' });
    await expect(checkKind(kind("hello"), undefined)).rejects.toThrow(
      'Cannot tell the version of kind from "hello"',
    );
  });
});
