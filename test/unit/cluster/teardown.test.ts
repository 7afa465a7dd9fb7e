import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Owned, openRecord } from "../../../src/cluster/record.ts";
import { teardown } from "../../../src/cluster/teardown.ts";
import { fakeHost, on } from "../../fake-host.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tci-teardown-"));
});
afterEach(() => rm(dir, { recursive: true }));

const cli = "docker";
const owned: readonly Owned[] = [
  { type: "cluster", name: "tci-a", cli },
  { type: "container", name: "tci-a-registry", cli },
  { type: "volume", name: "tci-a-registry", cli },
  { type: "network", name: "kind", cli },
];

/** An engine with one node and a registry. */
const engine = () => [
  on(/^docker ps .*label=io.x-k8s.kind.cluster=tci-a$/, { stdout: "id1\n" }),
  on(/^docker ps .*name=\^\/\?tci-a-registry\$$/, { stdout: "id2\n" }),
  on(/^docker rm --force --volumes id[12]$/, {}),
  on(/^docker volume rm --force tci-a-registry$/, {}),
  on(/^docker network inspect kind /, { stdout: "kind\n" }),
  on(/^docker network rm kind$/, {}),
];

async function recordOf(...entries: readonly Owned[]) {
  const record = await openRecord(dir, "tci-a", fakeHost());
  await record.add(...entries);
  return record;
}

describe("teardown()", () => {
  test("removes nodes and registry, then its volume, then the network, then the record", async () => {
    const kubeconfig = join(dir, "kubeconfig");
    await writeFile(kubeconfig, "secret");
    const record = await recordOf(...owned, { type: "path", path: kubeconfig });
    const host = fakeHost(engine());
    expect(await teardown(record, host)).toEqual({ failures: [] });
    const commands = host.commands.filter((line) => !line.startsWith("docker ps"));
    expect(commands).toEqual(
      expect.arrayContaining([
        "docker rm --force --volumes id1",
        "docker rm --force --volumes id2",
      ]),
    );
    expect(commands.indexOf("docker volume rm --force tci-a-registry")).toBeGreaterThan(
      commands.indexOf("docker rm --force --volumes id2"),
    );
    expect(commands.at(-1)).toBe("docker network rm kind");
    expect(existsSync(kubeconfig)).toBe(false);
    expect(existsSync(record.path)).toBe(false);
  });

  test("takes the names under the run's registry from the image store, and no others", async () => {
    const record = await recordOf({ type: "tags", name: "localhost:3000", cli });
    const images = [
      "localhost:3000/app:tilt-1",
      "localhost:30001/app:tilt-1",
      "app:tilt-1",
      "localhost:3000/web:2",
    ];
    const host = fakeHost([
      on(/^docker ps /, {}),
      on(/^docker images /, { stdout: images.join("\n") }),
      on(/^docker rmi /, {}),
    ]);
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(host.commands.filter((line) => line.includes("rmi"))).toEqual([
      "docker rmi localhost:3000/app:tilt-1 localhost:3000/web:2",
    ]);
    expect(existsSync(record.path)).toBe(false);
  });

  test("says which image tag is left", async () => {
    const record = await recordOf({ type: "tags", name: "localhost:3000", cli });
    const host = fakeHost([
      on(/^docker ps /, {}),
      on(/^docker images /, { stdout: "localhost:3000/app:1" }),
      on(/^docker rmi /, { exitCode: 1, stderr: "Error response from daemon: conflict" }),
    ]);
    expect((await teardown(record, host)).failures).toEqual([
      "Cannot remove image tags: response from daemon: conflict",
    ]);
  });

  test("asks more than once when the making of the cluster was cut off", async () => {
    const record = await recordOf(
      { type: "cluster", name: "tci-a", cli },
      {
        type: "making",
        name: "tci-a",
        attempt: 1,
      },
    );
    let asked = 0;
    const host = fakeHost([
      // a docker run that was under way: the container shows up at the third look
      on(/^docker ps/, () => ({ stdout: ++asked === 3 ? "late\n" : "" })),
      on(/^docker rm --force --volumes late$/, {}),
    ]);
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(host.commands).toContain("docker rm --force --volumes late");
  });

  test("leaves a reused cluster alone unless told otherwise", async () => {
    const record = await recordOf({ type: "cluster", name: "tci-a", cli, reuse: true });
    const host = fakeHost([]);
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(host.commands).toEqual([]);
  });

  test("tries every step, tells what failed and keeps the record for another try", async () => {
    const record = await recordOf(...owned);
    const host = fakeHost([
      on(/^docker ps .*label/, { stdout: "id1\n" }),
      on(/^docker ps/, {}),
      on(/^docker rm/, { exitCode: 1, stderr: "Error response from daemon: device is busy\n" }),
      on(/^docker volume rm/, {}),
      on(/^docker network inspect kind /, { stdout: "kind\n" }),
      on(/^docker network rm/, { exitCode: 1, stderr: "permission denied\n" }),
    ]);
    expect(await teardown(record, host)).toEqual({
      failures: [
        "Cannot remove containers: response from daemon: device is busy",
        "Cannot remove the network kind: permission denied",
      ],
    });
    expect(existsSync(record.path)).toBe(true);
  });

  test("retries what is being removed, and leaves a network to those who use it", async () => {
    const record = await recordOf(...owned);
    let tries = 0;
    const host = fakeHost([
      on(/^docker ps .*label/, () => ({ stdout: tries < 2 ? "id1\n" : "" })),
      on(/^docker ps/, {}),
      on(/^docker rm/, () =>
        ++tries < 2
          ? { exitCode: 1, stderr: "Error: removal of container id1 is already in progress\n" }
          : {},
      ),
      on(/^docker volume rm/, {}),
      on(/^docker network inspect kind /, { stdout: "kind\n" }),
      on(/^docker network rm/, { exitCode: 1, stderr: "network kind has active endpoints\n" }),
    ]);
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(tries).toBe(2);
  });

  test("collects logs before it removes, unless they are skipped", async () => {
    const record = await recordOf({ type: "cluster", name: "tci-a", cli });
    const host = fakeHost([on(/^kind export logs/, {}), on(/^docker ps/, {})]);
    await teardown(record, host, { logsDir: "/logs" });
    expect(host.commands[0]).toBe("kind export logs /logs --name tci-a");
    const again = fakeHost([on(/^docker ps/, {})]);
    await teardown(record, again, { logsDir: "/logs", skipLogs: true });
    expect(again.commands).not.toContain("kind export logs /logs --name tci-a");
  });

  test("uses kind for podman, whose nodes have volumes that only kind knows", async () => {
    const record = await recordOf({ type: "cluster", name: "tci-a", cli: "podman" });
    const host = fakeHost([on(/^kind delete/, {}), on(/^podman ps/, {})]);
    expect(await teardown(record, host)).toEqual({ failures: [] });
    expect(host.commands[0]).toBe("kind delete cluster --name tci-a");
  });

  describe("of a Compose project", () => {
    const compose: Owned = { type: "compose", name: "shop", cli, standing: ["shop_old"] };
    const label = "--filter label=com.docker.compose.project=shop";

    /** Containers, volumes and networks of the project, until they are removed. */
    const project = () => {
      const there = {
        containers: ["c1", "c2"],
        volumes: ["shop_old", "shop_new"],
        net: ["shop_default"],
      };
      const take = (list: string[], gone: readonly string[]) => () => {
        for (const name of gone) list.splice(list.indexOf(name), 1);
        return {};
      };
      return [
        on(new RegExp(`^docker ps .*${label}$`), () => ({ stdout: there.containers.join("\n") })),
        on(/^docker volume ls /, () => ({ stdout: there.volumes.join("\n") })),
        on(/^docker network ls /, () => ({ stdout: there.net.join("\n") })),
        on(/^docker stop -t 2 c1 c2$/, {}),
        on(/^docker rm --force --volumes c1 c2$/, take(there.containers, ["c1", "c2"])),
        on(/^docker volume rm shop_new$/, take(there.volumes, ["shop_new"])),
        on(/^docker network rm shop_default$/, take(there.net, ["shop_default"])),
      ];
    };

    test("removes its containers, and its volumes and networks but those from before the run", async () => {
      const record = await recordOf(compose);
      const host = fakeHost(project());
      expect(await teardown(record, host)).toEqual({ failures: [] });
      const removals = host.commands.filter((line) => / (stop|rm) /.test(line));
      expect(removals).toEqual([
        "docker stop -t 2 c1 c2",
        "docker rm --force --volumes c1 c2",
        "docker volume rm shop_new",
        "docker network rm shop_default",
      ]);
      expect(existsSync(record.path)).toBe(false);
    });

    test("waits for the container of an up that was cut off", async () => {
      const late = { looks: 0, gone: false };
      const host = fakeHost([
        on(/^docker ps /, () => ({ stdout: ++late.looks === 3 && !late.gone ? "c9\n" : "" })),
        on(/^docker (volume|network) ls /, {}),
        on(/^docker stop -t 2 c9$/, {}),
        on(/^docker rm --force --volumes c9$/, () => {
          late.gone = true;
          return {};
        }),
      ]);
      const record = await recordOf(compose, { type: "making", name: "shop", attempt: 1 });
      expect(await teardown(record, host)).toEqual({ failures: [] });
      expect(late.gone).toBe(true);
    });

    test("says what is left", async () => {
      const host = fakeHost([
        on(/^docker network rm/, { exitCode: 1, stderr: "network has active endpoints" }),
        ...project(),
      ]);
      const { failures } = await teardown(await recordOf(compose), host);
      expect(failures).toEqual([
        "Cannot remove Compose project shop: network has active endpoints",
      ]);
    });
  });
});
