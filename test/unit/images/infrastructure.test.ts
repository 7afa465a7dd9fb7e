import { describe, expect, test } from "vitest";
import { CancelledError, EnvironmentError, PhaseFailure } from "../../../src/errors.ts";
import { DockerError } from "../../../src/images/docker.ts";
import {
  asInfrastructure,
  InfrastructureError,
  isInfrastructureText,
  withRetry,
} from "../../../src/images/infrastructure.ts";
import type { Failure } from "../../../src/model/result.ts";

describe("isInfrastructureText()", () => {
  test.each([
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "rpc error: code = Unavailable desc = error reading from server: EOF",
    'failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
    "dial tcp 127.0.0.1:1: connect: connection refused",
    "net/http: TLS handshake timeout",
    "unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 503 Service Unavailable",
    "unexpected status code 500",
    "toomanyrequests: You have reached your pull rate limit",
    'failed commit on ref "unknown-sha256:b72f": failed size validation: 80941 != 80929: failed precondition',
    "write /var/lib/docker/x: no space left on device",
  ])("is true for %s", (text) => {
    expect(isInfrastructureText(text)).toBe(true);
  });

  test.each([
    '"/nope": not found',
    "nope:1: pull access denied, repository does not exist or may require authorization",
    "dockerfile parse error on line 1: unknown instruction: FRM",
    "unexpected status from HEAD request to https://ghcr.io/v2/x: 403 Forbidden",
    "target stage release could not be found",
  ])("is false for %s", (text) => {
    expect(isInfrastructureText(text)).toBe(false);
  });
});

describe("withRetry()", () => {
  const attempts = (...outcomes: (Error | string)[]) => {
    const retries: [Failure, number][] = [];
    let count = 0;
    const run = (signal = new AbortController().signal) =>
      withRetry(
        async () => {
          const outcome = outcomes[count]!;
          count += 1;
          if (outcome instanceof Error) throw outcome;
          return outcome;
        },
        {
          policy: { retries: 2, minTimeoutMs: 1 },
          subject: 'Cannot build "x"',
          signal,
          onRetry: (failure, attempt) => retries.push([failure, attempt]),
        },
      );
    return { run, retries, count: () => count };
  };

  test("tries again after infrastructure failures and tells each", async () => {
    const { run, retries } = attempts(
      new InfrastructureError("i/o timeout"),
      new InfrastructureError("EOF"),
      "built",
    );
    expect(await run()).toBe("built");
    expect(retries.map(([{ code, message }, attempt]) => [code, message, attempt])).toEqual([
      ["Infra", 'Cannot build "x": i/o timeout', 1],
      ["Infra", 'Cannot build "x": EOF', 2],
    ]);
  });

  test("ends as Infra with a hint after the last try", async () => {
    const fault = new InfrastructureError("Cannot connect to the Docker daemon");
    const { run, retries, count } = attempts(fault, fault, fault);
    const error = await run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PhaseFailure);
    expect((error as PhaseFailure).failure).toMatchObject({
      code: "Infra",
      hint: "Check that Docker runs: docker info",
    });
    expect([retries.length, count()]).toEqual([2, 3]);
  });

  test("ends as what it lastingly is after the last try", async () => {
    const lasting = new PhaseFailure({ code: "BuildFailed", message: "no such host" });
    const fault = new InfrastructureError("no such host", { lasting });
    const { run, count } = attempts(fault, fault, fault);
    await expect(run()).rejects.toBe(lasting);
    expect(count()).toBe(3);
    expect(await attempts(fault, "built").run()).toBe("built");
  });

  test("passes the user's failures at once", async () => {
    const failure = new PhaseFailure({ code: "BuildFailed", message: "no" });
    const { run, count } = attempts(failure);
    await expect(run()).rejects.toBe(failure);
    expect(count()).toBe(1);
  });

  test("passes our own bugs at once", async () => {
    const { run, count } = attempts(new TypeError("x is undefined"));
    await expect(run()).rejects.toBeInstanceOf(TypeError);
    expect(count()).toBe(1);
  });

  test("does not wait for a full disk to empty itself", async () => {
    const { run, count } = attempts(new InfrastructureError("no space left on device"));
    await expect(run()).rejects.toMatchObject({ failure: { code: "Infra" } });
    expect(count()).toBe(1);
  });

  test("is cancelled while it waits", async () => {
    const controller = new AbortController();
    const waiting = withRetry(() => Promise.reject(new InfrastructureError("EOF")), {
      policy: { retries: 2, minTimeoutMs: 60_000 },
      subject: "x",
      signal: controller.signal,
      onRetry: () => controller.abort(),
    });
    await expect(waiting).rejects.toBeInstanceOf(CancelledError);
  });
});

describe("asInfrastructure()", () => {
  test("takes Node's network errors by their code", () => {
    const error = Object.assign(new Error(""), { code: "ECONNREFUSED" });
    expect(asInfrastructure(error)).toBeInstanceOf(InfrastructureError);
  });
  test("leaves what is decided already", () => {
    for (const error of [
      new EnvironmentError("connection refused"),
      new CancelledError(),
      new PhaseFailure({ code: "BuildFailed", message: "EOF" }),
    ]) {
      expect(asInfrastructure(error)).toBe(error);
    }
  });
  test("takes what Docker refuses for the environment's, not to be tried again", () => {
    const error = asInfrastructure(new DockerError("docker tag a b", "Error: invalid tag"));
    expect(error).toMatchObject({ message: "Error: invalid tag", isTransient: false });
    expect((error as InfrastructureError).detail).toContain("docker tag a b");
  });
  test("leaves other errors", () => {
    const error = new Error("manifest invalid");
    expect(asInfrastructure(error)).toBe(error);
  });
});
