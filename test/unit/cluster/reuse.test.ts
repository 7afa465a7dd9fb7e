import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireReuse, fingerprintOf, listReuse } from "../../../src/cluster/reuse.ts";
import { createHost } from "../../../src/host/node-host.ts";

const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", name });

test("a reused cluster's record takes changes at the same time, and keeps the last of each", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "tci-reuse-"));
  const reuse = await acquireReuse("x", stateDir, createHost({ env: {}, cwd: stateDir }));
  const fingerprint = fingerprintOf("", undefined, "docker");
  // objects are applied while kind still makes the cluster
  await Promise.all([
    reuse.recordObjects([pod("a")]),
    reuse.save(fingerprint),
    reuse.recordObjects([pod("a"), pod("b")]),
  ]);
  expect(await listReuse(stateDir)).toEqual([
    { clusterName: "tci-x", cli: "docker", fingerprint, objects: [pod("a"), pod("b")] },
  ]);
  await reuse.release();
  rmSync(stateDir, { recursive: true });
});
