import { describe, expect, test } from "vitest";
import type { ReasonCode } from "../../../src/model/reason.ts";
import type { PhaseName } from "../../../src/model/result.ts";
import {
  attribute,
  type FailedPhase,
  normalise,
  type Peer,
} from "../../../src/report/first-cause.ts";
import { phaseKey } from "../../../src/report/log-path.ts";

function failed(
  resource: string,
  evidenceAt: number,
  options: {
    code?: ReasonCode;
    phase?: PhaseName;
    subject?: string;
    message?: string;
    lines?: string[];
    detail?: string;
    error?: boolean;
    object?: string;
  } = {},
): FailedPhase {
  const {
    code = "CrashLoop",
    phase = "ready",
    message = `${resource}: exit 1`,
    lines = [],
    detail,
  } = options;
  return {
    id: { resource, phase, ...(options.subject !== undefined && { subject: options.subject }) },
    status: options.error ? "error" : "failed",
    failure: {
      code,
      message,
      ...(detail !== undefined && { detail }),
      ...(options.object !== undefined && { object: options.object }),
    },
    evidenceAt,
    lines: [message, ...(detail?.split("\n") ?? []), ...lines],
  };
}

function peer(name: string, options: Partial<Peer> = {}): [string, Peer] {
  return [
    name,
    { deps: [], usesCluster: true, addresses: [name, `${name}.default`], mentions: [], ...options },
  ];
}

function culpritsOf(failures: FailedPhase[], peers: [string, Peer][] = []) {
  const names = new Set(failures.map((f) => f.id.resource));
  const known = new Map([...[...names].map((name) => peer(name)), ...peers]);
  const { culprits, echoes } = attribute(failures, known);
  return {
    culprits: culprits.map((c) => c.id.resource),
    echoes: Object.fromEntries(
      failures.flatMap((f) => {
        const echo = echoes.get(phaseKey(f.id));
        return echo === undefined ? [] : [[f.id.resource, echo.culprit.id.resource]];
      }),
    ),
  };
}

describe("attribute()", () => {
  test("tells of an object without a resource under the resource that needs it", () => {
    const object = "PersistentVolumeClaim/default/data";
    const why = `${object}: storageclass "gone" not found`;
    const claim = failed("uncategorized", 1, { code: "VolumePending", message: why, object });
    const app = failed("app", 2, {
      code: "VolumePending",
      message: `Pod default/app-1 waits for its volume: ${why}`,
    });
    expect(culpritsOf([claim, app])).toEqual({
      culprits: ["app"],
      echoes: { uncategorized: "app" },
    });
    const other = failed("web", 2, { code: "VolumePending", message: "no disk" });
    expect(culpritsOf([claim, other]).culprits).toEqual(["uncategorized", "web"]);
  });

  test("calls a crash after a peer an echo when its last lines name the peer", () => {
    const result = culpritsOf([
      failed("db", 1),
      failed("api", 5, { lines: ["dial tcp: lookup db on 10.96.0.10:53: no such host"] }),
    ]);
    expect(result).toEqual({ culprits: ["db"], echoes: { api: "db" } });
  });

  test("keeps two independent failures apart", () => {
    const result = culpritsOf([
      failed("db", 1),
      failed("api", 5, { lines: ["KeyError: 'TOKEN'"] }),
    ]);
    expect(result.culprits).toEqual(["db", "api"]);
  });

  test("finds one failure and its four echoes by log, argument, environment, message and dependency", () => {
    const result = culpritsOf(
      [
        failed("db", 1),
        failed("a", 2, { lines: ["connect ECONNREFUSED db:5432"] }),
        failed("b", 3),
        failed("c", 4),
        failed("d", 5, {
          code: "ProbeFailed",
          message: 'd: Get "http://10.0.0.1/health": upstream db unavailable',
        }),
        failed("e", 6),
      ],
      [
        peer("b", { mentions: ["--database=db"] }),
        peer("c", { mentions: ["DB_URL=postgres://db/app"] }),
        peer("e", { deps: ["db"] }),
      ],
    );
    expect(result).toEqual({
      culprits: ["db"],
      echoes: { a: "db", b: "db", c: "db", d: "db", e: "db" },
    });
  });

  test.each<ReasonCode>([
    "BuildFailed",
    "ImagePull",
    "ContainerConfig",
    "Unschedulable",
    "VolumePending",
    "OOMKilled",
    "PortTaken",
    "DependencyNeverStarts",
  ])("never takes %s for an echo, whatever it names", (code) => {
    const result = culpritsOf([
      failed("db", 1),
      failed("api", 5, { code, message: "api: cannot pull db:5432/img, connection refused" }),
    ]);
    expect(result.culprits).toEqual(["db", "api"]);
  });

  test("takes a rejected apply for an echo only by what the API server said", () => {
    const said = failed("crd", 5, {
      code: "ApplyRejected",
      phase: "deploy",
      message: 'failed calling webhook: Post "https://hook.default.svc:443/": connection refused',
    });
    const unsaid = failed("other", 6, {
      code: "ApplyRejected",
      phase: "deploy",
      message: "spec.replicas: Invalid value",
      lines: ["connect to hook refused"],
    });
    expect(
      culpritsOf(
        [failed("hook", 1), said, unsaid],
        [peer("other", { mentions: ["http://hook:80"] })],
      ),
    ).toEqual({
      culprits: ["hook", "other"],
      echoes: { crd: "hook" },
    });
  });

  test("takes a complaint about a peer that never came up for an echo, even if the peer's failure is told later", () => {
    const failures = [
      failed("api", 2, { lines: ["Error: connect ECONNREFUSED db:5432"] }),
      failed("db", 30, { code: "Timeout", message: "db: not ready after 30s" }),
    ];
    expect(culpritsOf(failures)).toEqual({ culprits: ["db"], echoes: { api: "db" } });
    // Once db had been ready, the same complaint came too early to be about its failure.
    expect(culpritsOf(failures, [peer("db", { availableAt: 1 })]).culprits).toEqual(["api", "db"]);
  });

  test("takes a complaint about a peer that had begun to crash for an echo, even if it looked ready in between", () => {
    const api = failed("web", 5, { lines: ["upstream api:80 unavailable"] });
    const ready: [string, Peer] = peer("api", { availableAt: 2 });
    const told = (troubleSince: number) => ({ ...failed("api", 9), troubleSince });
    expect(culpritsOf([api, told(3)], [ready]).echoes).toEqual({ web: "api" });
    expect(culpritsOf([api, told(7)], [ready]).echoes).toEqual({});
  });

  test("goes by settings when the peer began to crash first, even if its loop was told later", () => {
    const api = (troubleSince: number) => ({ ...failed("api", 5), troubleSince });
    const cache = (troubleSince: number) => ({ ...failed("cache", 15), troubleSince });
    const named = peer("api", { mentions: ["CACHE_URL=redis://cache:6379/0"] });
    const mutual = peer("cache", { mentions: ["NOTIFY=http://api:80"] });
    expect(culpritsOf([api(4), cache(3)], [named])).toEqual({
      culprits: ["cache"],
      echoes: { api: "cache" },
    });
    expect(culpritsOf([api(4), cache(3)], [named, mutual]).culprits).toEqual(["cache"]);
    expect(culpritsOf([api(3), cache(4)], [named]).echoes).toEqual({});
    expect(culpritsOf([api(3), cache(4)], [named, mutual]).culprits).toEqual(["api"]);
  });

  test("does not go by settings or plain mentions when the peer failed later", () => {
    const failures = [failed("api", 2, { lines: ["using http://db:5432"] }), failed("db", 30)];
    expect(culpritsOf(failures, [peer("api", { mentions: ["DB=db"] })]).culprits).toEqual([
      "api",
      "db",
    ]);
  });

  describe("a connection that failed, to nobody by name, before the only peer that the settings name was up", () => {
    const api = (line: string) => failed("api", 2, { lines: [line] });
    const named = peer("api", { mentions: ["DATABASE_URL=postgres://app@db:5432/app"] });
    const oom = failed("db", 30, { code: "OOMKilled" });

    test.each([
      "could not connect to server",
      "dial tcp 10.96.3.4:5432: connect: connection refused",
      "Error: getaddrinfo EAI_AGAIN",
      "psycopg2.OperationalError: connection to server failed: timed out",
    ])("is an echo of what is wrong with that peer itself: %s", (line) => {
      expect(culpritsOf([api(line), oom], [named])).toEqual({
        culprits: ["db"],
        echoes: { api: "db" },
      });
    });

    test.each<[string, FailedPhase[], [string, Peer][]]>([
      ["the output tells of something else", [api("KeyError: 'TOKEN'"), oom], [named]],
      ["the settings name nobody", [api("connection refused"), oom], []],
      [
        "the peer had been up by then",
        [api("connection refused"), oom],
        [named, peer("db", { availableAt: 1 })],
      ],
      [
        "the peer may have failed for want of another",
        [api("connection refused"), failed("db", 30)],
        [named],
      ],
    ])("is none if %s", (_, failures, peers) => {
      expect(culpritsOf(failures, peers).culprits).toEqual(["api", "db"]);
    });
  });

  test("gives two that blame each other one culprit, the earlier one", () => {
    const failures = [
      failed("a", 1, { lines: ["cannot reach b:80: connection refused"] }),
      failed("b", 2, { lines: ["cannot reach a:80: connection refused"] }),
    ];
    const result = culpritsOf(failures);
    expect(result.culprits).toHaveLength(1);
    expect(Object.keys(result.echoes)).toHaveLength(1);
  });

  test("follows a chain to its root", () => {
    const result = culpritsOf([
      failed("db", 1),
      failed("api", 2, { lines: ["db: connection refused"] }),
      failed("web", 3, { lines: ["upstream api:80 timed out"] }),
    ]);
    expect(result).toEqual({ culprits: ["db"], echoes: { api: "db", web: "api" } });
  });

  test.each([
    ["a file of the name", "opened /data/db"],
    ["a database file", "using db.sqlite3: error"],
    ["a longer name", "mydb-replica connection refused"],
    ["a part of a path", "error in src/db/index.js"],
    ["a longer host", "lookup db-replica: no such host"],
  ])("does not take %s for the peer", (_, line) => {
    expect(culpritsOf([failed("db", 1), failed("api", 5, { lines: [line] })]).culprits).toEqual([
      "db",
      "api",
    ]);
  });

  test.each([
    'could not translate host name "db" to address: Name or service not known',
    "getaddrinfo EAI_AGAIN db",
    "redis.exceptions.ConnectionError: Error -2 connecting to db:6379. Name does not resolve.",
    "java.net.UnknownHostException: db.default.svc.cluster.local: Name or service not known",
    "waiting for db...",
    "postgres://user@db:5432/x",
    "Can't reach database server at `db`:`5432`",
    "cannot reach db.",
    "dial tcp: lookup db.default on 10.96.0.10:53: server misbehaving",
  ])("takes %j for the peer", (line) => {
    expect(culpritsOf([failed("db", 1), failed("api", 5, { lines: [line] })]).culprits).toEqual([
      "db",
    ]);
  });

  test("explains what breaks after the cluster by the cluster, not what broke before", () => {
    const cluster = failed("(cluster)", 10, { code: "Infra", phase: "create", error: true });
    const result = culpritsOf([
      cluster,
      failed("early", 5),
      failed("late", 12),
      failed("image", 12, { code: "ImagePull" }),
      failed("push", 13, { code: "Infra", phase: "push", subject: "i" }),
    ]);
    expect(result.culprits).toEqual(["early", "(cluster)", "image"]);
    expect(result.echoes).toEqual({ late: "(cluster)", push: "(cluster)" });
  });

  test("folds the same infrastructure failure of many resources into one", () => {
    const failures = [1, 2, 3].map((n) =>
      failed(`r${n}`, n, {
        code: "Infra",
        phase: "push",
        subject: `i${n}`,
        error: true,
        message: `registry: dial tcp 127.0.0.1:500${n}: connection refused`,
      }),
    );
    expect(culpritsOf(failures).culprits).toEqual(["r1"]);
  });

  test("counts two images of one resource that fail to build as two causes, but not the phase after", () => {
    const failures = [
      failed("a", 1, { code: "BuildFailed", phase: "build", subject: "x" }),
      failed("a", 2, { code: "BuildFailed", phase: "build", subject: "y" }),
      failed("a", 3, { phase: "ready" }),
    ];
    const { culprits } = attribute(failures, new Map([peer("a")]));
    expect(culprits.map((c) => c.id.subject)).toEqual(["x", "y"]);
  });

  test("normalise() drops what differs from run to run", () => {
    expect(normalise("Pod default/api-6d4cf56db6-x2x7k: exit 1 after 12.5s")).toBe(
      normalise("Pod default/api-7f5dd8c9b-abcde: exit 2 after 3s"),
    );
  });
});
