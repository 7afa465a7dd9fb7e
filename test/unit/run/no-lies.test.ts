import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import type { Refusal, SeenRequest } from "../../fake-api-server/answers.ts";
import { rollOut } from "../../fake-api-server/controllers.ts";
import type { FakeApiServer } from "../../fake-api-server/fake-api-server.ts";
import type { StoredObject } from "../../fake-api-server/object-table.ts";
import { ALLOWED, openStage, type RunOutcome } from "../../fake-api-server/whole-run.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls back once, at the first event that fits. */
function once(fits: (event: RunEvent) => boolean, act: () => void): (event: RunEvent) => void {
  let done = false;
  return (event) => {
    if (done || !fits(event)) return;
    done = true;
    act();
  };
}

const isDeployed = (name: string) => (event: RunEvent) =>
  event.type === "phase-finished" && event.phase === "deploy" && event.resource === name;
const isReady = (name: string) => (event: RunEvent) =>
  event.type === "observed" && event.resource === name && event.observation.state === "ready";

function deployment(server: FakeApiServer, name: string): StoredObject {
  const found = server.table.get("apps/v1 deployments", "default", name);
  if (found === undefined) throw new Error(`no Deployment ${name}`);
  return found;
}

function expectPassed({ code, report, output }: RunOutcome): void {
  expect({ code, verdict: report.verdict, output: code === 0 ? "" : output }).toEqual({
    code: 0,
    verdict: "passed",
    output: "",
  });
}

/** Refuses the first requests of a sort. */
function refuseFirst(
  server: FakeApiServer,
  count: number,
  fits: (request: SeenRequest) => boolean,
  refusal: Refusal,
): void {
  let left = count;
  server.refuse = (request) => {
    if (left === 0 || !fits(request)) return undefined;
    left -= 1;
    return refusal;
  };
}

const isApply = ({ method }: SeenRequest) => method === "PATCH";

/** The whole program on an API server that misbehaves: the verdict is right, or exit 3 says why there is none. */
describe.concurrent("run() never says what is not so", () => {
  test("passes when all is ready", async () => {
    await using stage = await openStage();
    expectPassed(await stage.run());
  });

  test("passes when watches break and their versions are gone (410), again and again", async () => {
    await using stage = await openStage({ readyAfterMs: 900 });
    const breaking = setInterval(() => {
      stage.server.table.compact();
      stage.server.breakWatches();
    }, 150);
    expectPassed(await stage.run());
    clearInterval(breaking);
  });

  test.each([
    { code: 429, reason: "TooManyRequests", message: "too many", retryAfterSecs: 1 },
    { code: 500, reason: "InternalError", message: "Internal error occurred: it stumbled" },
    { code: 503, reason: "ServiceUnavailable", message: "apiserver not ready" },
  ])(
    "passes after a burst of $code while it applies, and calls the deploy flaky",
    async (refusal) => {
      await using stage = await openStage();
      refuseFirst(stage.server, 3, isApply, refusal);
      const outcome = await stage.run();
      expectPassed(outcome);
      const retried = outcome.events.filter(({ type }) => type === "phase-retried");
      expect(retried).toHaveLength(3);
      expect(retried[0]).toMatchObject({ phase: "deploy", failure: { code: "Infra" } });
      const flaky = outcome.report.resources
        .flatMap(({ phases }) => phases)
        .filter((phase) => phase.flaky);
      expect(flaky.length).toBeGreaterThan(0);
    },
  );

  test.each([429, 500, 503])("passes after bursts of %d while it watches", async (code) => {
    await using stage = await openStage({ readyAfterMs: 1200 });
    const { server } = stage;
    stage.onEvent = once(isDeployed("web"), () => {
      server.refuse = ({ query }) =>
        query.watch === "true" || query.limit ? { code, message: "busy" } : undefined;
      server.breakWatches();
      setTimeout(() => {
        server.refuse = () => undefined;
      }, 1500);
    });
    expectPassed(await stage.run());
  });

  test("passes when the server goes away for a while, connections and all", async () => {
    await using stage = await openStage({ readyAfterMs: 1000 });
    const { server } = stage;
    stage.onEvent = once(isDeployed("web"), () => {
      void server.down().then(async () => {
        await pause(2500);
        await server.up();
      });
    });
    expectPassed(await stage.run());
  });

  test("passes when connections are reset in the middle of applying", async () => {
    await using stage = await openStage();
    let resets = 2;
    stage.server.reset = (request) => isApply(request) && resets-- > 0;
    expectPassed(await stage.run());
  });

  test("passes on a slow server", async () => {
    await using stage = await openStage();
    stage.server.delayMs = 700;
    expectPassed(await stage.run());
  });

  test.each([-3_600_000, 3_600_000])(
    "passes when the cluster's clock is %d ms off",
    async (offMs) => {
      await using stage = await openStage({ readyAfterMs: 300 });
      stage.server.table.clockOffsetMs = offMs;
      expectPassed(await stage.run(["--stable-for", "1s"]));
    },
  );

  /** A Deployment that is ready before a command ends: nothing happens in the cluster when the run could pass. */
  const BESIDE_A_COMMAND = {
    workloads: ["db"],
    tiltfile: `${ALLOWED}k8s_yaml('app.yaml')\nlocal_resource('last', 'sleep 2', resource_deps=['db'])\n`,
  };
  const listsOf = (server: FakeApiServer, kind: string) =>
    server.requests.filter(
      ({ method, path, query }) =>
        method === "GET" && path.endsWith(`/${kind}`) && query.watch !== "true",
    );

  test("does not pass when half-open watches hide that something was lost", async () => {
    await using stage = await openStage(BESIDE_A_COMMAND);
    const { server } = stage;
    stage.onEvent = once(isReady("db"), () => {
      server.abandonWatches();
      rollOut(server, deployment(server, "db"), false);
    });
    const { code, report } = await stage.run(["--readiness-timeout", "3s"]);
    expect({ code, verdict: report.verdict }).toEqual({ code: 1, verdict: "failed" });
    expect(report.firstCause).toMatchObject([{ resource: "db", phase: "ready" }]);
  });

  test("passes without delay when half-open watches hide nothing", async () => {
    await using stage = await openStage(BESIDE_A_COMMAND);
    stage.onEvent = once(isReady("db"), () => stage.server.abandonWatches());
    const outcome = await stage.run();
    expectPassed(outcome);
    expect(outcome.durationMs).toBeLessThan(15_000);
    expect(listsOf(stage.server, "deployments")).toHaveLength(2);
    expect(listsOf(stage.server, "events")).toHaveLength(1);
  });

  test("passes when the question whether all is still so is refused at first", async () => {
    await using stage = await openStage(BESIDE_A_COMMAND);
    const { server } = stage;
    let asked = 0;
    stage.onEvent = once(isReady("db"), () => {
      server.refuse = ({ path, query }) => {
        if (!path.endsWith("/pods") || query.watch === "true") return undefined;
        asked += 1;
        return asked <= 2 ? { code: 500, message: "etcdserver: leader changed" } : undefined;
      };
    });
    expectPassed(await stage.run());
    expect(asked).toBe(3);
  });

  test("does not pass while what was ready is not ready any more", async () => {
    await using stage = await openStage({ readyAfterMs: 1500 });
    const { server } = stage;
    // db is ready at once and is lost while no watch tells of it; web becomes ready meanwhile.
    stage.onEvent = once(isDeployed("db"), () => rollOut(server, deployment(server, "db"), true));
    const lose = once(isReady("db"), () => {
      server.breakWatches();
      rollOut(server, deployment(server, "db"), false);
    });
    const first = stage.onEvent;
    stage.onEvent = (event) => {
      first(event);
      lose(event);
    };
    server.stayUnready.add("db");
    const { code, report } = await stage.run(["--readiness-timeout", "4s"]);
    expect({ code, verdict: report.verdict }).toEqual({ code: 1, verdict: "failed" });
    expect(report.firstCause).toMatchObject([{ resource: "db" }]);
  });
});
