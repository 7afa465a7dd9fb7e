import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ReuseHandle } from "../../../src/cluster/index.ts";
import { deleteEarlierObjects, type ObjectRef } from "../../../src/run/earlier-objects.ts";
import type { Session } from "../../../src/run/session.ts";
import { ALLOWED, openStage } from "../../fake-api-server/whole-run.ts";
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

  test.each([
    ["sh -c 'echo gone > deleted'", { code: 0, verdict: "passed", message: "" }],
    [
      "echo the release is locked >&2; exit 4",
      {
        code: 3,
        verdict: "error",
        message: 'Cannot end chart by its delete_cmd: "echo the release is locked',
      },
    ],
  ])("runs the delete command of a custom deploy: %s", async (command, expected) => {
    const live = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, uid: u1}}";
    const tiltfile = `${ALLOWED}k8s_custom_deploy('chart', apply_cmd='echo "${live}"', delete_cmd="""${command}""", deps=[])\n`;
    await using stage = await openStage({ tiltfile, workloads: [] });
    stage.server.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "default", uid: "u1" },
    });
    const { code, report, output } = await stage.run(["--cleanup"]);
    expect({ code, verdict: report.verdict }).toEqual({
      code: expected.code,
      verdict: expected.verdict,
    });
    expect(report.message).toContain(expected.message);
    expect(existsSync(join(stage.directory, "project", "deleted"))).toBe(expected.code === 0);
    expect(output.includes("Delete what is left with the tool")).toBe(expected.code !== 0);
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
