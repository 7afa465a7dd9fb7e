import { describe, expect, test } from "vitest";
import { type ContainerState, observeService } from "../../../src/compose/observe.ts";

const STRICT = { mustComplete: false, semantics: "strict" } as const;

function container(
  state: Partial<ContainerState["State"]>,
  restarts = 0,
  Id = "abc",
): ContainerState {
  return {
    Id,
    Name: "/p-db-1",
    RestartCount: restarts,
    State: {
      Status: "running",
      ExitCode: 0,
      OOMKilled: false,
      Error: "",
      StartedAt: "2026-11-23T06:00:00Z",
      FinishedAt: "0001-01-01T00:00:00Z",
      ...state,
    },
  };
}

const health = (Status: string, ...outputs: string[]) => ({
  Health: { Status, Log: outputs.map((Output) => ({ Output })) },
});

describe("observeService()", () => {
  test.each([
    ["created", { Status: "created" }, "pending", "created"],
    ["running without a healthcheck", {}, "ready", "running"],
    ["running, health starting", health("starting"), "pending", "health: starting"],
    ["running and healthy", health("healthy"), "ready", "running"],
    ["ended with 0", { Status: "exited" }, "ready", "completed"],
    ["ended with 3", { Status: "exited", ExitCode: 3 }, "failed", "exited with 3"],
    ["dead", { Status: "dead" }, "failed", "exited with 0"],
    ["restarting", { Status: "restarting", ExitCode: 1 }, "crashing", "restarting"],
  ])("takes a service that is %s for what it is", (_, state, verdict, summary) => {
    expect(observeService("db", [container(state)], STRICT)).toMatchObject({
      state: verdict,
      summary,
    });
  });

  test("waits for a container", () => {
    expect(observeService("db", [], STRICT)).toMatchObject({
      state: "pending",
      summary: "no container yet",
    });
  });

  test("is not satisfied by running where another service needs the end", () => {
    const rules = { ...STRICT, mustComplete: true };
    expect(observeService("setup", [container({})], rules).state).toBe("pending");
    expect(observeService("setup", [container({ Status: "exited" })], rules).state).toBe("ready");
  });

  test("names the healthcheck's last words", () => {
    const { failure } = observeService(
      "db",
      [container(health("unhealthy", "early", "Traceback\nOSError: connection refused\n"))],
      STRICT,
    );
    expect(failure).toMatchObject({
      code: "ProbeFailed",
      message: "compose service db: its healthcheck fails: OSError: connection refused",
      detail: "Traceback\nOSError: connection refused",
    });
  });

  test("says when and how a container ended", () => {
    const end = { Status: "exited", ExitCode: 137, FinishedAt: "2026-11-23T06:00:05Z" };
    expect(observeService("db", [container({ ...end, OOMKilled: true })], STRICT).failure).toEqual({
      code: "OOMKilled",
      object: "compose service db",
      message: "compose service db was killed for using too much memory",
      evidenceAt: Date.parse("2026-11-23T06:00:05Z"),
    });
    expect(observeService("db", [container(end, 2)], STRICT).failure).toMatchObject({
      code: "CrashLoop",
      message: "compose service db exited with status 137, 2 restarts",
    });
  });

  test("is as good as the worst of several containers", () => {
    const two = [container({}, 1, "a"), container({ Status: "created" }, 2, "b")];
    expect(observeService("web", two, STRICT)).toMatchObject({ state: "pending", crashes: 3 });
  });

  test("judges as tilt ci does: healthchecks and conditions do not count", () => {
    const rules = { mustComplete: true, semantics: "tilt" } as const;
    expect(observeService("db", [container(health("unhealthy"))], rules).state).toBe("ready");
    expect(observeService("db", [container({ Status: "restarting" })], rules).state).toBe(
      "pending",
    );
    expect(
      observeService("db", [container({ Status: "exited", ExitCode: 2 })], rules),
    ).toMatchObject({
      state: "failed",
      failure: { message: "Container abc exited with 2" },
    });
  });
});
