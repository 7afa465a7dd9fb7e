import { expect, test } from "vitest";
import { isFarewell, StageReader } from "../../../src/cluster/kind-log.ts";
import { parseKindVersion } from "../../../src/cluster/kind-version.ts";

test("StageReader.read() gives stages with both their times", () => {
  const reader = new StageReader();
  const log: [number, string][] = [
    [0, 'Creating cluster "tci-a" ...'],
    [1, " • Ensuring node image (kindest/node:v1.34.4) 🖼  ..."],
    [2, " ✓ Ensuring node image (kindest/node:v1.34.4) 🖼"],
    [3, " • Preparing nodes 📦   ..."],
    [7, " ✓ Preparing nodes 📦 "],
    [8, " • Starting control-plane 🕹️  ..."],
    [20, " ✗ Starting control-plane 🕹️"],
  ];
  const stages = log.map(([at, line]) => reader.read(line, at)).filter((stage) => stage);
  expect(stages).toEqual([
    { name: "Ensuring node image", ok: true, startedAt: 1, at: 2 },
    { name: "Preparing nodes", ok: true, startedAt: 3, at: 7 },
    { name: "Starting control-plane", ok: false, startedAt: 8, at: 20 },
  ]);
});

test("StageReader.current is the stage under way", () => {
  const reader = new StageReader();
  expect(reader.current).toBeUndefined();
  reader.read(" • Preparing nodes 📦 📦   ...", 1);
  expect(reader.current).toBe("Preparing nodes");
  reader.read(" ✓ Preparing nodes 📦 📦", 2);
  expect(reader.current).toBeUndefined();
});

test.each([
  ["kind v0.33.0 go1.26.8 linux/amd64", "0.33.0"],
  ["kind v0.34.0-alpha+abc go1.27 darwin/arm64", "0.34.0"],
  ["what", undefined],
])("parseKindVersion() of %j is %j", (text, version) => {
  expect(parseKindVersion(text)).toBe(version);
});

test("isFarewell() knows what kind says when the cluster stands, and nothing else", () => {
  const farewell = [
    'Set kubectl context to "kind-tci-6s8s69vn"',
    "You can now use your cluster with:",
    "",
    "kubectl cluster-info --context kind-tci-6s8s69vn --kubeconfig /home/me/kubeconfig",
    "Not sure what to do next? 😅  Check out https://kind.sigs.k8s.io/docs/user/quick-start/",
    "Have a nice day! 👋",
  ];
  expect(farewell.filter((line) => !isFarewell(line))).toEqual([]);
  const others = [" ✓ Installing CNI 🔌", "ERROR: failed to create cluster: node(s) already exist"];
  expect(others.filter(isFarewell)).toEqual([]);
});
