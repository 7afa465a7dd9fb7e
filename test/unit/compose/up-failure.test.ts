import { describe, expect, test } from "vitest";
import { upFailure } from "../../../src/compose/up-failure.ts";

describe("upFailure()", () => {
  test.each([
    [
      "Error response from daemon: driver failed programming external connectivity on endpoint p-db-1 (3f): Bind for 0.0.0.0:5432 failed: port is already allocated",
      "PortTaken",
    ],
    [
      "Error response from daemon: pull access denied for nope, repository does not exist or may require 'docker login'",
      "ImagePull",
    ],
    [
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host',
      "ImagePull",
    ],
    ["container p-db-1 is unhealthy", "ProbeFailed"],
    [
      'Error response from daemon: failed to create task for container: exec: "nope": executable file not found in $PATH: unknown',
      "ContainerConfig",
    ],
    ["container p-db-1 exited (3)", "CrashLoop"],
  ])("knows %s for %s", (line, code) => {
    const failure = upFailure("db", 1, [" Container p-db-1  Creating", line]);
    expect(failure).toMatchObject({ code, object: "compose service db" });
    expect(failure.message).not.toContain("Error response from daemon");
  });

  test("takes the line that complains, not what is printed after it", () => {
    const lines = [" db Error manifest unknown", " db Pulling"];
    expect(upFailure("db", 18, lines).message).toBe(
      "compose service db: db Error manifest unknown",
    );
  });

  test("has only the status of a silent command", () => {
    expect(upFailure("db", 18, [])).toEqual({
      code: "PodFailed",
      object: "compose service db",
      message: "compose service db: exit status 18",
    });
  });
});
