import { describe, expect, test } from "vitest";
import { containerEngine } from "../../../src/cluster/container-engine.ts";
import { ensureNetwork, networkArgs, removeNetwork, ulaOf } from "../../../src/cluster/network.ts";
import { fakeHost, on } from "../../fake-host.ts";

const missing = on(/^docker network inspect kind /, { exitCode: 1, stderr: "not found\n" });
const bridge = on(/^docker network inspect bridge /, { stdout: "1400\n" });

describe("ensureNetwork()", () => {
  test("makes nothing when it is there", async () => {
    const host = fakeHost([on(/^docker network inspect kind /, { stdout: "kind\n" })]);
    await ensureNetwork("kind", containerEngine(host), undefined);
    expect(host.commands).toHaveLength(1);
  });

  test("makes it with the MTU of Docker's bridge, with IPv6 if the machine has it", async () => {
    const host = fakeHost([missing, bridge, on(/^docker network create/, {})]);
    await ensureNetwork("kind", containerEngine(host), undefined);
    expect(host.commands.at(-1)).toBe(
      [
        ...["docker", ...networkArgs("kind", 1400)],
        "--ipv6",
        "--subnet",
        ulaOf("kind"),
        "kind",
      ].join(" "),
    );
    const without = fakeHost([
      missing,
      bridge,
      on(/--ipv6/, { exitCode: 1, stderr: "Cannot read IPv6 setup for bridge\n" }),
      on(/^docker network create/, {}),
    ]);
    await ensureNetwork("kind", containerEngine(without), undefined);
    expect(without.commands.at(-1)).toBe(
      ["docker", ...networkArgs("kind", 1400), "kind"].join(" "),
    );
  });

  test("does not mind that another run was quicker", async () => {
    const stderr = "Error response from daemon: network with name kind already exists\n";
    const host = fakeHost([missing, bridge, on(/create/, { exitCode: 1, stderr })]);
    await ensureNetwork("kind", containerEngine(host), undefined);
    expect(host.commands).toHaveLength(3);
  });

  test("says what it cannot do", async () => {
    const stderr =
      "Error response from daemon: could not find an available, non-overlapping IPv4 address pool\n";
    const host = fakeHost([missing, bridge, on(/create/, { exitCode: 1, stderr })]);
    await expect(ensureNetwork("kind", containerEngine(host), undefined)).rejects.toMatchObject({
      exitCode: 3,
      hint: expect.stringContaining("default-address-pools"),
    });
  });
});

test("ulaOf() is a range of its own for every name", () => {
  expect(ulaOf("kind")).toMatch(/^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::\/64$/);
  expect(ulaOf("a")).not.toBe(ulaOf("b"));
});

describe("removeNetwork()", () => {
  test("leaves a network that tilt-ci did not make", async () => {
    const host = fakeHost([on(/inspect/, { stdout: "<no value>\n" })]);
    expect(await removeNetwork("kind", containerEngine(host))).toEqual([]);
    expect(host.commands).toHaveLength(1);
  });

  test("leaves one that is used, and tells of other troubles", async () => {
    const ours = on(/inspect/, { stdout: "kind\n" });
    const used = fakeHost([ours, on(/rm/, { exitCode: 1, stderr: "has active endpoints\n" })]);
    expect(await removeNetwork("kind", containerEngine(used))).toEqual([]);
    const broken = fakeHost([ours, on(/rm/, { exitCode: 1, stderr: "Error: disk on fire\n" })]);
    expect(await removeNetwork("kind", containerEngine(broken))).toEqual([
      "Cannot remove the network kind: disk on fire",
    ]);
  });
});
