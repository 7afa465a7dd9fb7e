import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createWithKind,
  kindCreateArgs,
  kindKubeconfig,
  withoutProxyFor,
} from "../../../src/cluster/kind-create.ts";
import { openRecord, type RunRecord } from "../../../src/cluster/record.ts";
import { CancelledError } from "../../../src/errors.ts";
import type { RunCommand } from "../../../src/host/host.ts";
import { fakeHost, on } from "../../fake-host.ts";

let dir: string;
let record: RunRecord;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tci-create-"));
  record = await openRecord(dir, "tci-a", fakeHost());
});
afterEach(() => rm(dir, { recursive: true }));

const create = (signal = new AbortController().signal) => ({
  ...{ name: "tci-a", kubeconfig: "/run/kc", configYaml: "kind: Cluster\n", image: "node:1" },
  ...{ registryName: "tci-a-registry", record, attempt: 1, signal, onPreparing: () => {} },
});

describe("createWithKind()", () => {
  test("feeds the configuration, tells stages and writes down beginning and end", async () => {
    const stderr = [
      " • Ensuring node image (node:1) 🖼  ...",
      " ✓ Ensuring node image (node:1) 🖼",
      " • Preparing nodes 📦   ...",
      " ✓ Preparing nodes 📦",
      "",
    ].join("\n");
    const host = fakeHost([on(/^kind create/, { stderr })]);
    const seen: string[] = [];
    const onPreparing = () => seen.push("preparing");
    await createWithKind({ ...create(), onPreparing }, host, { onStep: (name) => seen.push(name) });
    expect(host.commands).toEqual([
      "kind create cluster --name tci-a --kubeconfig /run/kc.kind --config - --retain --wait 0s --image node:1",
    ]);
    expect(host.inputs).toEqual(["kind: Cluster\n"]);
    expect(seen).toEqual(["Ensuring node image", "preparing", "Preparing nodes"]);
    expect(record.entries.map(({ type }) => type)).toEqual(["making", "made"]);
  });

  test("says why it failed; what failed by itself has ended", async () => {
    const stderr = "ERROR: failed to create cluster: port is already allocated\n";
    const host = fakeHost([on(/^kind create/, { exitCode: 1, stderr })]);
    await expect(createWithKind(create(), host, {})).rejects.toMatchObject({
      message:
        "Cannot create the cluster tci-a: a port that was free a moment ago is taken: failed to create cluster: port is already allocated",
      retry: true,
      exitCode: 3,
    });
    expect(record.entries.map(({ type }) => type)).toEqual(["making", "made"]);
  });

  test("leaves the end open when it was cut off", async () => {
    const controller = new AbortController();
    const ended = createWithKind(create(controller.signal), { ...fakeHost(), run: hang }, {});
    controller.abort();
    await expect(ended).rejects.toBeInstanceOf(CancelledError);
    expect(record.entries.map(({ type }) => type)).toEqual(["making"]);
  });
});

/** Runs until the signal fires. */
const hang: RunCommand = (_, { signal } = {}) =>
  new Promise((_resolve, reject) => {
    const cancel = () => reject(new CancelledError());
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel);
  });

test("kindCreateArgs() names no image where kind's own is meant, and gives kind a kubeconfig of its own", () => {
  const args = kindCreateArgs({ name: "a", kubeconfig: "/k", image: undefined });
  expect(args).not.toContain("--image");
  expect(args).toContain(kindKubeconfig("/k"));
  expect(args).not.toContain("/k");
});

describe("withoutProxyFor()", () => {
  test("keeps the registry out of the proxy", () => {
    expect(withoutProxyFor("r", { HTTPS_PROXY: "http://p", NO_PROXY: "a" })).toMatchObject({
      NO_PROXY: "a,r",
      no_proxy: "a,r",
    });
    expect(withoutProxyFor("r", { http_proxy: "http://p" })).toMatchObject({ NO_PROXY: "r" });
  });
  test("changes nothing without a proxy or a registry", () => {
    expect(withoutProxyFor("r", { NO_PROXY: "a" })).toEqual({ NO_PROXY: "a" });
    expect(withoutProxyFor(undefined, { HTTP_PROXY: "p" })).toEqual({ HTTP_PROXY: "p" });
  });
});
