import { describe, expect, test } from "vitest";
import { labelsOf } from "../../../../src/cluster/baked/baked-image.ts";
import { chooseWarm } from "../../../../src/cluster/baked/choose-warm.ts";
import { readSingleNode } from "../../../../src/cluster/baked/single-node.ts";
import { containerEngine } from "../../../../src/cluster/container-engine.ts";
import { mergeKindConfig } from "../../../../src/cluster/kind-config.ts";
import { CancelledError, EnvironmentError } from "../../../../src/errors.ts";
import { fakeHost, type Rule } from "../../../fake-host.ts";

const wish = {
  configYaml: mergeKindConfig(undefined).yaml,
  nodeImage: "kindest/node:v1",
  kindVersion: "0.33.0",
};

interface Machine {
  /** Baked nodes that fit are there; read at every question. */
  readonly isBaked?: () => boolean;
  readonly info?: object;
  readonly env?: Record<string, string>;
  /** `--warm-node`, and whether it can be pulled. */
  readonly image?: string;
  readonly isPullable?: boolean;
}

async function choose(
  mode: "auto" | "always",
  {
    isBaked = () => false,
    info = { Driver: "overlay2" },
    env = {},
    image,
    isPullable,
  }: Machine = {},
  change: Partial<typeof wish> = {},
  bake: () => Promise<unknown> = async () => {},
) {
  const node = readSingleNode(wish.configYaml);
  if (typeof node === "string") throw new Error(node);
  const labels = labelsOf({ ...wish, inside: node.inside, nodeImageId: "sha256:node" }, []);
  const baked = {
    Id: "sha256:baked",
    Created: "2026-01-01T00:00:00Z",
    Size: 1,
    Config: { Labels: labels },
  };
  const rules: Rule[] = [
    ([, word, sub, ...rest]) => {
      if (word === "pull") return isPullable ? {} : { exitCode: 1, stderr: "manifest unknown\n" };
      if (rest.at(-1) === "here/baked:1") return { exitCode: 1, stderr: "No such image\n" };
      if (word === "info") return { stdout: JSON.stringify(info) };
      if (sub === "ls") return { stdout: isBaked() ? "sha256:baked\n" : "" };
      if (rest[0] === "--format") return { stdout: "sha256:node\n" };
      return { stdout: JSON.stringify([baked]) };
    },
  ];
  const host = fakeHost(rules, { env: { HOME: "/nowhere", ...env } });
  const told = { warnings: [] as string[], hints: [] as string[], lines: [] as string[] };
  const chosen = await chooseWarm(
    { ...wish, ...change },
    { mode, image, bake, bakeCommand: "tilt-ci node bake" },
    containerEngine(host),
    host,
    {
      onWarning: (message) => told.warnings.push(message),
      onHint: (message) => told.hints.push(message),
      onLine: (text) => told.lines.push(text),
    },
    new AbortController().signal,
  );
  return { id: chosen?.baked.id, ...told };
}

const quiet = { warnings: [], hints: [], lines: [] };
const twoNodes = mergeKindConfig("nodes: [{ role: control-plane }, { role: worker }]").yaml;

describe("chooseWarm()", () => {
  test.each(["auto", "always"] as const)("%s takes a node that fits", async (mode) => {
    expect(await choose(mode, { isBaked: () => true })).toEqual({ id: "sha256:baked", ...quiet });
  });

  test("auto gives a hint where nothing is baked", async () => {
    expect(await choose("auto")).toEqual({
      id: undefined,
      ...quiet,
      hints: ["The next run can start from a cluster that has already booted: tilt-ci node bake"],
    });
  });

  test("auto says nothing of a configuration that cannot be baked, always warns", async () => {
    expect(await choose("auto", {}, { configYaml: twoNodes })).toEqual({ id: undefined, ...quiet });
    expect((await choose("always", {}, { configYaml: twoNodes })).warnings).toEqual([
      "The cluster does not start from a baked node, kind makes it: the kind configuration cannot be baked: it has more than one node",
    ]);
  });

  test("warns where a node is baked that the machine cannot run", async () => {
    const machine = { isBaked: () => true, info: { SecurityOptions: ["name=rootless"] } };
    expect(await choose("auto", machine)).toEqual({
      id: undefined,
      ...quiet,
      warnings: ["The cluster does not start from a baked node, kind makes it: Docker is rootless"],
    });
  });

  test("pulls the baked node that is named, and takes it if it fits", async () => {
    const image = "here/baked:1";
    const machine = { image, isPullable: true };
    expect(await choose("auto", { ...machine, isBaked: () => true })).toEqual({
      id: "sha256:baked",
      ...quiet,
      lines: ["pulling here/baked:1"],
    });
    expect((await choose("always", machine)).warnings).toEqual([
      expect.stringMatching(/kind makes it: here\/baked:1 is baked for another one$/),
    ]);
    const { id, warnings } = await choose("auto", { image, isBaked: () => true });
    expect(id).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("cannot be pulled: manifest unknown")]);
  });

  test("asks Podman for nothing", async () => {
    const { id, warnings } = await choose("always", {
      env: { KIND_EXPERIMENTAL_PROVIDER: "podman" },
    });
    expect(id).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining("nodes are made by podman")]);
  });

  test("always bakes a node that is missing", async () => {
    let isBaked = false;
    const bake = async () => {
      isBaked = true;
    };
    expect(await choose("always", { isBaked: () => isBaked }, {}, bake)).toEqual({
      id: "sha256:baked",
      ...quiet,
      lines: ["baking a node first: there is none for this cluster yet"],
    });
  });

  test("always goes on without one that cannot be baked, with a warning", async () => {
    const bake = async () => {
      throw new EnvironmentError("its etcd is not in /var/lib/etcd");
    };
    const { id, warnings } = await choose("always", {}, {}, bake);
    expect(id).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(/kind makes it: its etcd is not in \/var\/lib\/etcd$/),
    ]);
  });

  test("ends with a cancel while it bakes", async () => {
    const bake = async () => {
      throw new CancelledError();
    };
    await expect(choose("always", {}, {}, bake)).rejects.toBeInstanceOf(CancelledError);
  });
});
