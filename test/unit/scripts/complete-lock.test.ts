import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { missingEntries, platformOf } from "../../../scripts/complete-lock.mjs";

test.each([
  ["@biomejs/cli-darwin-arm64", { cpu: ["arm64"], os: ["darwin"] }],
  ["@biomejs/cli-linux-x64-musl", { cpu: ["x64"], libc: ["musl"], os: ["linux"] }],
  ["@oxc-parser/binding-linux-arm-gnueabihf", { cpu: ["arm"], libc: ["glibc"], os: ["linux"] }],
  ["@oxc-parser/binding-win32-x64-msvc", { cpu: ["x64"], os: ["win32"] }],
  ["fsevents", undefined],
])("platformOf() reads %s", (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

test("missingEntries() finds the packages of platforms that a lock file leaves out", () => {
  const packages = {
    "node_modules/tool": {
      dev: true,
      optionalDependencies: { "@tool/linux-x64": "1.0.0", "@tool/darwin-x64": "1.0.0" },
    },
    "node_modules/@tool/linux-x64": { dev: true },
  };
  const entry = { version: "1.0.0", dev: true, optional: true, cpu: ["x64"], os: ["darwin"] };
  expect(missingEntries(packages)).toEqual([["node_modules/@tool/darwin-x64", entry]]);
});

test("package-lock.json leaves no platform out, so that `npm ci` accepts it", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  expect(missingEntries(packages)).toEqual([]);
});
