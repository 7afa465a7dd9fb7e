import { describe, expect, test } from "vitest";
import { EnvironmentError, PhaseFailure } from "../../../src/errors.ts";
import type { ApplyItem } from "../../../src/kubernetes/apply/apply-object.ts";
import { applyObjects } from "../../../src/kubernetes/apply/apply-objects.ts";
import { byRank } from "../../../src/kubernetes/apply/kind-order.ts";
import type { ApplyOptions } from "../../../src/kubernetes/apply/options.ts";
import type { Retry } from "../../../src/kubernetes/apply/retry.ts";
import type { KubernetesConnection } from "../../../src/kubernetes/connection.ts";
import { deleteObjects } from "../../../src/kubernetes/delete-objects.ts";
import type { KubernetesObject } from "../../../src/model/plan.ts";
import type { Refusal } from "../../fake-api-server/answers.ts";
import type { FakeApiServer } from "../../fake-api-server/fake-api-server.ts";
import { startCluster, until } from "./cluster-fixture.ts";

const POSITION = { file: "/app/Tiltfile", line: 3, column: 1 };

function object(kind: string, name: string, more: Record<string, unknown> = {}): ApplyItem {
  const apiVersions: Record<string, string> = {
    Deployment: "apps/v1",
    Job: "batch/v1",
    CustomResourceDefinition: "apiextensions.k8s.io/v1",
    Role: "rbac.authorization.k8s.io/v1",
    Widget: "example.com/v1",
  };
  return {
    position: POSITION,
    object: {
      apiVersion: apiVersions[kind] ?? "v1",
      kind,
      metadata: { name },
      ...more,
    } as KubernetesObject,
  };
}

function apply(
  connection: KubernetesConnection,
  items: readonly ApplyItem[],
  options: Partial<ApplyOptions> = {},
) {
  return applyObjects(connection, items, {
    fieldManager: "tilt-ci",
    signal: new AbortController().signal,
    ...options,
  });
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("it was applied"),
    (error: unknown) => {
      if (!(error instanceof PhaseFailure)) throw error;
      return error.failure;
    },
  );

/** Refuses the first `times` applications. */
function refuseFirst(server: FakeApiServer, times: number, refusal: Refusal): void {
  let left = times;
  server.refuse = ({ method }) => (method === "PATCH" && left-- > 0 ? refusal : undefined);
}

const writes = (server: FakeApiServer) =>
  server.requests
    .filter(({ method }) => method !== "GET")
    .map(({ method, path }) => `${method} ${path}`);

describe("applyObjects()", () => {
  test("outlasts a server that restarts at the first request and has not read our rights yet", async () => {
    await using cluster = await startCluster();
    let requests = 0;
    cluster.server.reset = ({ method }) => method === "PATCH" && requests++ === 0;
    const message = 'User "admin" cannot patch resource "configmaps"';
    refuseFirst(cluster.server, 2, { code: 403, reason: "Forbidden", message });
    const [applied] = await apply(cluster.connection, [object("ConfigMap", "settings")]);
    expect(applied?.name).toBe("settings");
  });

  test("applies server-side, forced, as its field manager, in the connection's namespace", async () => {
    await using cluster = await startCluster();
    const [applied] = await apply(cluster.connection, [
      object("ConfigMap", "c", { data: { a: "1" } }),
    ]);
    const [request] = cluster.server.requests;
    expect(request).toMatchObject({
      method: "PATCH",
      path: "/api/v1/namespaces/default/configmaps/c",
      query: { fieldManager: "tilt-ci", force: "true" },
      body: { metadata: { name: "c", namespace: "default" }, data: { a: "1" } },
    });
    expect(applied).toMatchObject({ kind: "ConfigMap", namespace: "default", name: "c" });
    expect(applied?.uid).toBeTruthy();
  });

  test("keeps integers that no double can hold", async () => {
    await using cluster = await startCluster();
    let text = "";
    const { server } = cluster;
    server.refuse = ({ body }) => {
      text = JSON.stringify(body);
      return undefined;
    };
    await apply(cluster.connection, [object("ConfigMap", "c", { big: 9007199254740993n, s: "1" })]);
    // The fake server's own JSON.parse rounds it: that it is a number, and not text, is what counts.
    expect(text).toContain('"big":9007199254740992');
  });

  test("applies kinds in order and ten at a time within a rank", async () => {
    await using cluster = await startCluster();
    let running = 0;
    let most = 0;
    cluster.server.delayMs = 20;
    cluster.server.refuse = () => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
      });
      return undefined;
    };
    const items = [
      ...Array.from({ length: 25 }, (_, index) => object("Deployment", `web-${index}`)),
      object("Service", "web"),
      object("Namespace", "shop"),
      object("Job", "migrate"),
      object("Secret", "s"),
    ];
    await apply(cluster.connection, items);
    const kinds = cluster.server.requests.map(({ body }) => (body as { kind: string }).kind);
    const order = kinds.filter((kind, index) => kind !== kinds[index - 1]);
    expect(order).toEqual(["Namespace", "Secret", "Service", "Deployment", "Job"]);
    expect(most).toBeLessThanOrEqual(10);
    expect(most).toBeGreaterThan(3);
  });

  test("lets two objects of the same name wait for one another: the last one holds", async () => {
    await using cluster = await startCluster();
    cluster.server.delayMs = 10;
    await apply(cluster.connection, [
      object("ConfigMap", "c", { data: { a: "1" } }),
      object("ConfigMap", "c", { data: { a: "2" } }),
    ]);
    expect(
      cluster.server.get({
        ...object("ConfigMap", "c").object,
        metadata: { name: "c", namespace: "default" },
      }),
    ).toMatchObject({ data: { a: "2" } });
  });

  test("waits for definitions before their instances, asking again for the kind", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    const definition = object("CustomResourceDefinition", "widgets.example.com", {
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { kind: "Widget", plural: "widgets" },
        versions: [{ name: "v1" }],
      },
    });
    const applying = apply(cluster.connection, [object("Widget", "w"), definition]);
    const stored = () => server.get(definition.object);
    await until("the definition", () => stored() !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(writes(server)).toHaveLength(1);
    server.patch(definition.object, {
      status: { conditions: [{ type: "Established", status: "True" }] },
    });
    expect((await applying).map(({ kind }) => kind)).toEqual([
      "CustomResourceDefinition",
      "Widget",
    ]);
  });

  test("refuses a kind that nobody defines, at once", async () => {
    await using cluster = await startCluster();
    const startedAt = performance.now();
    const failure = await failureOf(apply(cluster.connection, [object("Widget", "w")]));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(failure).toMatchObject({
      code: "ApplyRejected",
      message: 'Widget/w was rejected: the server has no kind "Widget" in version "example.com/v1"',
      position: POSITION,
    });
  });

  test.each([
    [
      "a missing ServiceAccount",
      {
        code: 403,
        reason: "Forbidden",
        message:
          'pods "p" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
      },
    ],
    [
      "a webhook that is not ready",
      {
        code: 500,
        reason: "InternalError",
        message:
          'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://w.svc:443/": dial tcp 10.0.0.1:443: connect: connection refused',
      },
    ],
    [
      "a change in between",
      {
        code: 409,
        reason: "Conflict",
        message:
          "Operation cannot be fulfilled on x: the object has been modified; please apply your changes to the latest version and try again",
      },
    ],
    ["too many requests", { code: 429, reason: "TooManyRequests", message: "slow down" }],
    ["a server that starts", { code: 503, reason: "ServiceUnavailable", message: "not ready" }],
  ])("tries again after %s and tells so", async (_, refusal) => {
    await using cluster = await startCluster();
    refuseFirst(cluster.server, 2, refusal);
    const retries: Retry[] = [];
    const applied = await apply(cluster.connection, [object("Pod", "p")], {
      onRetry: (retry) => retries.push(retry),
    });
    expect(applied).toHaveLength(1);
    expect(retries).toEqual([
      { object: "Pod/default/p", attempt: 1, message: refusal.message },
      { object: "Pod/default/p", attempt: 2, message: refusal.message },
    ]);
  });

  test("tries again after broken connections", async () => {
    await using cluster = await startCluster();
    await cluster.server.down();
    const retries: Retry[] = [];
    const applying = apply(cluster.connection, [object("ConfigMap", "c")], {
      onRetry: (retry) => retries.push(retry),
    });
    await until("a retry", () => retries.length >= 2);
    await cluster.server.up();
    expect(await applying).toHaveLength(1);
  });

  test("gives up inside its bound: the environment's trouble is no failure of the user's", async () => {
    await using cluster = await startCluster();
    const trouble = { code: 503, reason: "ServiceUnavailable", message: "not ready" };
    refuseFirst(cluster.server, 1_000, trouble);
    await expect(
      apply(cluster.connection, [object("ConfigMap", "c")], { retryWithinMs: 500 }),
    ).rejects.toThrow(new EnvironmentError("Cannot apply ConfigMap/default/c: not ready"));
    const webhook = { code: 500, message: 'failed calling webhook "w": no endpoints available' };
    refuseFirst(cluster.server, 1_000, webhook);
    const failure = await failureOf(
      apply(cluster.connection, [object("ConfigMap", "c")], { retryWithinMs: 500 }),
    );
    expect(failure.message).toContain("failed calling webhook");
  });

  test("says of a refusal once what its causes say again", async () => {
    await using cluster = await startCluster();
    const message = 'Internal error occurred: failed calling webhook "w"';
    refuseFirst(cluster.server, 1, {
      code: 500,
      message,
      causes: [{ message: 'failed calling webhook "w"' }, { message: "and this" }],
    });
    const failure = await failureOf(
      apply(cluster.connection, [object("ConfigMap", "c")], { mayStillPass: () => false }),
    );
    expect(failure.detail).toBe(`${message}\nand this`);
  });

  test("gives up on a webhook as soon as nobody may answer for it any more", async () => {
    await using cluster = await startCluster();
    refuseFirst(cluster.server, 1_000, {
      code: 500,
      message: 'failed calling webhook "w": Post "https://w.default.svc:443/": connection refused',
    });
    const asked: string[] = [];
    const failure = await failureOf(
      apply(cluster.connection, [object("ConfigMap", "c")], {
        mayStillPass: (message) => asked.push(message) < 3,
      }),
    );
    expect(failure).toMatchObject({ code: "ApplyRejected", object: "ConfigMap/default/c" });
    expect(asked).toHaveLength(3);
    expect(asked[0]).toContain("https://w.default.svc:443/");
  });

  test("tells another refusal at once, with object and field", async () => {
    await using cluster = await startCluster();
    refuseFirst(cluster.server, 1, {
      code: 500,
      message:
        "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:\n  .spec.replicaz: field not declared in schema\n  .spec.foo: field not declared in schema",
    });
    const failure = await failureOf(apply(cluster.connection, [object("Deployment", "web")]));
    expect(failure).toMatchObject({
      code: "ApplyRejected",
      object: "Deployment/default/web",
      message:
        "Deployment/default/web was rejected: spec.replicaz: field not declared in schema; spec.foo: field not declared in schema",
      position: POSITION,
    });
    expect(writes(cluster.server)).toHaveLength(1);
  });

  test("does not start what comes after an error, and tells what was applied", async () => {
    await using cluster = await startCluster();
    cluster.server.refuse = ({ path }) =>
      path.endsWith("/services/bad") ? { code: 422, reason: "Invalid", message: "no" } : undefined;
    const done: string[] = [];
    await failureOf(
      apply(
        cluster.connection,
        [object("Deployment", "web"), object("Service", "bad"), object("ConfigMap", "c")],
        {
          onApplied: ({ kind }) => done.push(kind),
        },
      ),
    );
    expect(done).toEqual(["ConfigMap"]);
    expect(writes(cluster.server).some((line) => line.includes("deployments"))).toBe(false);
  });

  test("makes an object anew whose change is not allowed in place", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    const job = object("Job", "migrate", { spec: { a: 1 } });
    const [first] = await apply(cluster.connection, [job]);
    const message =
      'Job.batch "migrate" is invalid: spec.template: Invalid value: field is immutable';
    refuseFirst(server, 1, { code: 422, reason: "Invalid", message });
    const lines: string[] = [];
    const [second] = await apply(
      cluster.connection,
      [object("Job", "migrate", { spec: { a: 2 } })],
      {
        onLine: (line) => lines.push(line),
      },
    );
    expect(second?.uid).not.toBe(first?.uid);
    expect(lines[0]).toContain("Cannot change Job/default/migrate in place");
    expect(writes(server).map((line) => line.split(" ")[0])).toEqual([
      "PATCH",
      "PATCH",
      "DELETE",
      "PATCH",
    ]);
  });

  test("does not delete for a field that is forbidden in a new object", async () => {
    await using cluster = await startCluster();
    const message = 'Deployment.apps "web" is invalid: spec.template.spec.x: Forbidden: not here';
    refuseFirst(cluster.server, 1, { code: 422, reason: "Invalid", message });
    const failure = await failureOf(apply(cluster.connection, [object("Deployment", "web")]));
    expect(failure.message).toBe(
      "Deployment/default/web was rejected: spec.template.spec.x: Forbidden: not here",
    );
    expect(writes(cluster.server)).toHaveLength(1);
  });

  test("waits for an object that is still being deleted, then applies again", async () => {
    await using cluster = await startCluster();
    const { server } = cluster;
    const old = server.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "default", finalizers: ["x"] },
    });
    server.remove(old);
    const applying = apply(cluster.connection, [object("ConfigMap", "c")]);
    await until("a watch", () => server.watchCount === 1);
    server.put({ ...old, metadata: { ...old.metadata, finalizers: [] } });
    server.remove(old);
    const [applied] = await applying;
    expect(applied?.uid).not.toBe(old.metadata.uid);
  });

  test("creates what no merge can express", async () => {
    await using cluster = await startCluster();
    const message =
      '.spec.template.spec.containers[name="c"].env: duplicate entries for key [name="A"]';
    cluster.server.refuse = ({ method }) =>
      method === "PATCH" ? { code: 500, message } : undefined;
    const lines: string[] = [];
    await apply(cluster.connection, [object("Deployment", "web")], {
      onLine: (line) => lines.push(line),
    });
    await apply(cluster.connection, [object("Deployment", "web")], {
      onLine: (line) => lines.push(line),
    });
    expect(writes(cluster.server)).toEqual([
      "PATCH /apis/apps/v1/namespaces/default/deployments/web",
      "POST /apis/apps/v1/namespaces/default/deployments",
      "PATCH /apis/apps/v1/namespaces/default/deployments/web",
      "PUT /apis/apps/v1/namespaces/default/deployments/web",
    ]);
    expect(lines[0]).toMatch(/^WARNING: Deployment\/default\/web cannot be merged/);
  });

  test("makes missing namespaces only when asked to", async () => {
    await using cluster = await startCluster();
    const item = object("ConfigMap", "c");
    const inShop = {
      ...item,
      object: { ...item.object, metadata: { name: "c", namespace: "shop" } },
    };
    cluster.server.refuse = ({ path, method }) =>
      method === "PATCH" &&
      cluster.server.table.get("v1 namespaces", undefined, "shop") === undefined
        ? {
            code: 404,
            reason: "NotFound",
            message: `namespaces "shop" not found${path.slice(0, 0)}`,
          }
        : undefined;
    const failure = await failureOf(apply(cluster.connection, [inShop]));
    expect(failure.hint).toContain("--create-namespaces");
    const applied = await apply(cluster.connection, [inShop], { createNamespaces: true });
    expect(applied.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      "Namespace/shop",
      "ConfigMap/c",
    ]);
    const again = await apply(cluster.connection, [inShop], { createNamespaces: true });
    expect(again.map(({ kind }) => kind)).toEqual(["ConfigMap"]);
  });

  test("keeps nothing in a trial run", async () => {
    await using cluster = await startCluster();
    await apply(cluster.connection, [object("ConfigMap", "c")], { dryRun: true });
    expect(cluster.server.requests[0]?.query.dryRun).toBe("All");
    expect(cluster.server.table.list("v1 configmaps", undefined)).toEqual([]);
  });

  test("ends with the signal, also between two attempts", async () => {
    await using cluster = await startCluster();
    refuseFirst(cluster.server, 1_000, { code: 503, message: "busy" });
    const cancel = new AbortController();
    const applying = apply(cluster.connection, [object("ConfigMap", "c")], {
      signal: cancel.signal,
    });
    setTimeout(() => cancel.abort(), 100);
    await expect(applying).rejects.toThrow("cancelled");
  });
});

describe("deleteObjects()", () => {
  const signal = new AbortController().signal;

  test("deletes in reverse order, passes over what is gone or somebody else's", async () => {
    await using cluster = await startCluster();
    const applied = await apply(cluster.connection, [
      object("ConfigMap", "c"),
      object("Deployment", "web"),
      object("Secret", "gone"),
    ]);
    const refs = [...applied, { apiVersion: "v1", kind: "Namespace", name: "default" }];
    cluster.server.remove({
      ...object("Secret", "gone").object,
      metadata: { name: "gone", namespace: "default" },
    });
    const before = cluster.server.requests.length;
    const { deleted, failures } = await deleteObjects(cluster.connection, refs, {
      wait: true,
      signal,
    });
    expect(failures).toEqual([]);
    expect(deleted.map(({ kind }) => kind)).toEqual(["Deployment", "ConfigMap"]);
    const order = cluster.server.requests
      .slice(before)
      .filter(({ method }) => method === "DELETE")
      .map(({ path }) => path.split("/").at(-2));
    expect(order).toEqual(["deployments", "secrets", "configmaps"]);
  });

  test("shortens the grace period of Pods, of workloads' too, if it is told to", async () => {
    await using cluster = await startCluster();
    const owned = (name: string, by: string, kind = "Pod", apiVersion = "v1") => {
      const [ownerKind, owner] = by.split("/") as [string, string];
      const ownerReferences = [
        { apiVersion: "apps/v1", kind: ownerKind, name: owner, uid: `uid of ${by}` },
      ];
      return object(kind, name, { apiVersion, metadata: { name, ownerReferences } });
    };
    const [set, deployment, bare] = await apply(cluster.connection, [
      object("StatefulSet", "db", { apiVersion: "apps/v1" }),
      object("Deployment", "web", { apiVersion: "apps/v1" }),
      object("Pod", "bare"),
      owned("db-0", "StatefulSet/db"),
      owned("other-0", "StatefulSet/other"),
      owned("web-1", "Deployment/web", "ReplicaSet", "apps/v1"),
      owned("web-1-a", "ReplicaSet/web-1"),
      owned("api-1-a", "ReplicaSet/api-1"),
    ]);
    const before = cluster.server.requests.length;
    await deleteObjects(cluster.connection, [set!, deployment!, bare!], {
      wait: false,
      podGraceSeconds: 1,
      signal,
    });
    const requests = cluster.server.requests
      .slice(before)
      .filter(({ method }) => method === "DELETE")
      .map(({ path, body }) => [
        path.split("/").at(-1)!,
        (body as { gracePeriodSeconds?: number }).gracePeriodSeconds,
      ]);
    const graces = { db: undefined, web: undefined, "web-1": undefined };
    const told = requests.slice(0, -2);
    expect(Object.fromEntries(told)).toEqual({ ...graces, bare: 1, "db-0": 1, "web-1-a": 1 });
    // Last, when no controller is there to make them anew, they leave the API: Services lead to Pods that end, too.
    expect(Object.fromEntries(requests.slice(-2))).toEqual({ "db-0": 0, "web-1-a": 0 });
    const order = told.map(([name]) => name);
    // A set's Pods keep their names from new ones; a Deployment's would be replaced as long as it is there.
    expect(order.indexOf("db-0")).toBeLessThan(order.indexOf("db"));
    expect(order.filter((name) => `${name}`.startsWith("web"))).toEqual([
      "web",
      "web-1",
      "web-1-a",
    ]);
  });

  test.each<[string, boolean, object]>([
    ["has volumes of its own only", true, { volumes: [{ name: "v", emptyDir: {} }] }],
    ["has a claim", false, { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] }],
    ["sees the node's files", false, { volumes: [{ name: "v", hostPath: { path: "/data" } }] }],
    ["is in the node's network", false, { hostNetwork: true }],
    ["has a port of the node", false, { containers: [{ ports: [{ hostPort: 80 }] }] }],
  ])("a workload's Pod that %s leaves the API before its end: %s", async (_, is, spec) => {
    await using cluster = await startCluster();
    const ownerReferences = [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "u" }];
    const [set] = await apply(cluster.connection, [
      object("StatefulSet", "db", { apiVersion: "apps/v1" }),
      object("Pod", "db-0", { spec, metadata: { name: "db-0", ownerReferences } }),
    ]);
    await deleteObjects(cluster.connection, [set!], { wait: false, podGraceSeconds: 1, signal });
    const withdrawn = cluster.server.requests.some(
      ({ method, body }) =>
        method === "DELETE" && (body as { gracePeriodSeconds?: number }).gracePeriodSeconds === 0,
    );
    expect(withdrawn).toBe(is);
  });

  test("is over when a StatefulSet's ended Pods are gone: a new set needs their names", async () => {
    await using cluster = await startCluster();
    const ownerReferences = [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "u" }];
    const [set] = await apply(cluster.connection, [
      object("StatefulSet", "db", { apiVersion: "apps/v1" }),
      object("Pod", "db-0", {
        metadata: { name: "db-0", ownerReferences, finalizers: ["kubelet"] },
      }),
    ]);
    let over = false;
    const deleting = deleteObjects(cluster.connection, [set!], {
      wait: false,
      podGraceSeconds: 1,
      signal,
    }).then(() => {
      over = true;
    });
    await expect
      .poll(
        () => cluster.server.table.get("v1 pods", "default", "db-0")?.metadata.deletionTimestamp,
      )
      .toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(over).toBe(false);
    const pod = {
      ...object("Pod", "db-0").object,
      metadata: { name: "db-0", namespace: "default" },
    };
    cluster.server.put(pod);
    cluster.server.remove(pod);
    await deleting;
  });

  test("deletes the claims that StatefulSets have made, if it is told to", async () => {
    await using cluster = await startCluster();
    const claim = (name: string) => object("PersistentVolumeClaim", name);
    const volumeClaimTemplates = [{ metadata: { name: "data" } }];
    const applied = await apply(cluster.connection, [
      object("StatefulSet", "db", { apiVersion: "apps/v1", spec: { volumeClaimTemplates } }),
      ...["data-db-0", "data-db-11", "data-db-x", "data-other-0", "uploads"].map(claim),
    ]);
    const sets = applied.filter(({ kind }) => kind === "StatefulSet");
    const { deleted } = await deleteObjects(cluster.connection, sets, {
      wait: false,
      withClaims: true,
      signal,
    });
    expect(deleted.map(({ name }) => name).toSorted()).toEqual(["data-db-0", "data-db-11", "db"]);
  });

  test("tells what would not go", async () => {
    await using cluster = await startCluster();
    const [kept] = await apply(cluster.connection, [
      object("ConfigMap", "c", { metadata: { name: "c", finalizers: ["x"] } }),
    ]);
    const outcome = await deleteObjects(cluster.connection, [kept!], {
      wait: true,
      signal,
      timeoutMs: 200,
    });
    expect(outcome).toEqual({
      deleted: [],
      failures: ["ConfigMap/default/c: still there after 0.2 s (finalizers?)"],
      remaining: [kept],
    });
  });
});

describe("byRank()", () => {
  test("keeps the order within a rank and puts unknown kinds last", () => {
    const kinds = ["Widget", "Job", "StatefulSet", "Service", "Deployment", "Namespace", "Pod"];
    expect(byRank(kinds, (kind) => kind)).toEqual([
      ["Namespace"],
      ["Service"],
      ["Deployment"],
      ["StatefulSet"],
      ["Widget", "Job", "Pod"],
    ]);
  });
});
