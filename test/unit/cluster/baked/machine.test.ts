import { describe, expect, test } from "vitest";
import { machineArgs, setsProxies } from "../../../../src/cluster/baked/machine.ts";

const info = (value: object) => machineArgs(JSON.stringify({ Driver: "overlay2", ...value }));

describe("machineArgs()", () => {
  test("adds nothing on an ordinary machine", () => {
    expect(
      info({ DriverStatus: [["Backing Filesystem", "extfs"]], SecurityOptions: null }),
    ).toEqual([]);
  });

  test.each(["xfs", "btrfs"])("gives the device mapper where Docker is on %s", (name) => {
    expect(info({ DriverStatus: [["Backing Filesystem", name]] })).toEqual([
      "--volume",
      "/dev/mapper:/dev/mapper",
    ]);
  });

  test("leaves the user namespace where Docker remaps users", () => {
    expect(info({ SecurityOptions: ["name=seccomp", "name=userns"] })).toEqual(["--userns=host"]);
  });

  test.each([
    [{ SecurityOptions: ["name=rootless"] }, "Docker is rootless"],
    [{ Driver: "zfs" }, "Docker is on ZFS"],
    [{ DriverStatus: [["Backing Filesystem", "zfs"]] }, "Docker is on ZFS"],
  ])("refuses a machine whose nodes unpack images otherwise: %j", (value, reason) => {
    expect(info(value)).toBe(reason);
  });
});

describe("setsProxies()", () => {
  test.each([
    ['{"proxies":{"default":{"httpProxy":"http://p"}}}', true],
    ['{"proxies":{}}', false],
    ['{"auths":{}}', false],
    ["", false],
    ["no JSON", false],
  ])("%s → %s", (text, expected) => {
    expect(setsProxies(text)).toBe(expected);
  });
});
