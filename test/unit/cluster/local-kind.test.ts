import { describe, expect, test } from "vitest";
import { findLocalKind } from "../../../src/cluster/local-kind.ts";
import { fakeHost, on } from "../../fake-host.ts";

const NODES = [
  "dev-control-plane\tUp 3 hours\t127.0.0.1:34851->6443/tcp",
  "dev-worker\tUp 3 hours\t",
  "dev-worker2\tExited (137) 2 seconds ago\t",
].join("\n");
const RULES = "-A KUBE-SERVICES -d 10.96.7.3/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-A";
const { signal } = new AbortController();
const find = (host: ReturnType<typeof fakeHost>, server = "https://127.0.0.1:34851") =>
  findLocalKind("dev", new URL(server), host, signal);

describe("findLocalKind()", () => {
  test("finds the nodes of the cluster whose API server they publish, and asks those that run", async () => {
    const host = fakeHost([
      on(/^docker ps .*label=io\.x-k8s\.kind\.cluster=dev /, { stdout: NODES }),
      on(/^docker exec dev-(control-plane|worker) sh -c /, { stdout: RULES }),
    ]);
    const local = await find(host);
    await local?.routes(["10.96.7.3"], 1500, signal);
    const asked = host.commands.filter((line) => line.startsWith("docker exec"));
    expect(asked.map((line) => line.split(" ")[2])).toEqual(["dev-control-plane", "dev-worker"]);
  });

  test.each([
    ["another server has that name", { stdout: NODES }, "https://127.0.0.1:40000"],
    ["there are no nodes", { stdout: "" }, undefined],
    ["the engine does not answer", { exitCode: 1, stderr: "no" }, undefined],
    ["there is no engine", { notFound: true }, undefined],
  ])("finds none when %s", async (_, outcome, server) => {
    expect(await find(fakeHost([on(/^docker ps /, outcome)]), server)).toBeUndefined();
  });

  test("waits no longer for nodes that cannot be asked", async () => {
    const host = fakeHost([on(/^docker ps /, { stdout: NODES })]);
    const local = await find(host);
    await expect(local?.routes(["10.96.7.3"], 1500, signal)).resolves.toBeUndefined();
  });
});
