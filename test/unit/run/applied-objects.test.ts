import { describe, expect, test } from "vitest";
import type { ReuseHandle } from "../../../src/cluster/index.ts";
import { deleteEarlierObjects, type ObjectRef } from "../../../src/run/earlier-objects.ts";
import type { Session } from "../../../src/run/session.ts";
import { openStage } from "../../fake-api-server/whole-run.ts";
import { deployment, startCluster } from "../kubernetes/cluster-fixture.ts";

const FORBIDDEN = { code: 403, reason: "Forbidden", message: "deletion is not for you" };

describe("--cleanup", () => {
  test("deletes what was applied", async () => {
    await using stage = await openStage();
    const { code } = await stage.run(["--cleanup"]);
    expect(code).toBe(0);
    expect(stage.server.table.get("apps/v1 deployments", "default", "db")).toBeUndefined();
  });

  test("that fails says what is left, and takes a passed verdict to exit 3", async () => {
    await using stage = await openStage({ workloads: ["db"] });
    stage.server.refuse = ({ method }) => (method === "DELETE" ? FORBIDDEN : undefined);
    const { code, report, output } = await stage.run(["--cleanup"]);
    expect({ code, verdict: report.verdict }).toEqual({ code: 3, verdict: "error" });
    expect(report.message).toContain(
      "Cannot end what was applied: Deployment/default/db: deletion is not for you",
    );
    expect(output).toContain("Delete it with kubectl.");
  });
});

describe("deleteEarlierObjects()", () => {
  test("keeps on record what does not go, and says so", async () => {
    await using cluster = await startCluster();
    for (const name of ["stays", "goes"]) cluster.server.put(deployment(name));
    cluster.server.refuse = ({ method, path }) =>
      method === "DELETE" && path.endsWith("/stays") ? FORBIDDEN : undefined;
    const warnings: string[] = [];
    const session = {
      signal: new AbortController().signal,
      warn: (message: string) => warnings.push(message),
    } as unknown as Session;
    const ref = (name: string): ObjectRef => ({
      ...{ apiVersion: "apps/v1", kind: "Deployment", name, namespace: "default" },
    });
    let recorded: readonly ObjectRef[] | undefined;
    const reuse = {
      objects: [ref("stays"), ref("goes")],
      recordObjects: async (objects: readonly ObjectRef[]) => {
        recorded = objects;
      },
    } as unknown as ReuseHandle;
    await deleteEarlierObjects(session, cluster.connection, reuse);
    expect(recorded).toEqual([ref("stays")]);
    expect(warnings).toEqual([
      "Cannot delete what an earlier run applied: Deployment/default/stays: deletion is not for you",
    ]);
  });
});
