import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHost } from "../../../src/host/node-host.ts";
import { type Server, startServer } from "../../../src/local/index.ts";
import type { Observation } from "../../../src/model/event.ts";
import type { Probe } from "../../../src/model/plan.ts";
import { isRunning } from "./liveness.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });
const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop(100))));

async function start(script: string, probe?: Probe) {
  const observations: Observation[] = [];
  const lines: string[] = [];
  const server = await startServer(
    { command: { argv: ["sh", "-c", script], dir: "/", env: { OWN: "yes" } }, probe },
    { env: host.env, color: false },
    host,
    {
      onLine: (line) => void lines.push(line),
      onObservation: (observation) => void observations.push(observation),
    },
  );
  servers.push(server);
  const states = () => observations.map(({ state }) => state);
  return { server, observations, states, lines };
}

const probe = (action: Probe["action"], extra: Partial<Probe> = {}): Probe => ({
  initialDelaySecs: 0,
  timeoutSecs: 1,
  periodSecs: 1,
  successThreshold: 1,
  failureThreshold: 1,
  ...extra,
  action,
});

describe("startServer()", () => {
  test("is ready as soon as its process runs, without a probe", async () => {
    const { states } = await start("sleep 30");
    expect(states()).toEqual(["ready"]);
  });

  test.each([0, 3])(
    "fails when it ends, with status %d too, and tells its last words",
    async (status) => {
      const { observations } = await start(`echo "bye $OWN"; exit ${status}`);
      await expect.poll(() => observations.at(-1)?.state).toBe("failed");
      expect(observations.at(-1)?.failure).toMatchObject({
        code: "ServeExited",
        message: `Server "echo "bye $OWN"; exit ${status}" exited with status ${status}`,
        detail: "bye yes",
      });
    },
  );

  test("names the port when another process has it", async () => {
    const { observations } = await start(
      "echo 'listen EADDRINUSE: address already in use :::8080'; exit 1",
    );
    await expect
      .poll(() => observations.at(-1)?.failure)
      .toMatchObject({
        code: "ServeExited",
        message: expect.stringContaining("address already in use :::8080"),
        hint: expect.stringContaining("ss -ltnp"),
      });
  });

  test("waits for its probe, and is not ready any more when that fails", async () => {
    let status = 503;
    const listener = createServer((_, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    const action = { type: "http", host: "127.0.0.1", port, path: "/", scheme: "http" } as const;
    try {
      const { observations, states, lines } = await start("sleep 30", probe(action));
      await expect.poll(() => observations.at(-1)?.failure?.message).toContain("HTTP status 503");
      expect(states()).not.toContain("ready");
      status = 200;
      await expect.poll(() => states().at(-1), { timeout: 5000 }).toBe("ready");
      status = 500;
      await expect.poll(() => states().at(-1), { timeout: 5000 }).toBe("pending");
      expect(observations.at(-1)?.failure).toMatchObject({ code: "ProbeFailed" });
      expect(lines).toEqual([
        "[readiness probe: failure] HTTP status 503",
        "[readiness probe: success] HTTP status 200",
        "[readiness probe: failure] HTTP status 500",
      ]);
    } finally {
      listener.close();
    }
  });

  test("begins to probe after its delay", async () => {
    const startedAt = performance.now();
    const { states } = await start(
      "sleep 30",
      probe({ type: "exec", argv: ["true"] }, { initialDelaySecs: 1 }),
    );
    await expect.poll(() => states().at(-1), { timeout: 5000 }).toBe("ready");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1000);
  });

  test("fails by its end, not by its probe, when it dies while it is probed", async () => {
    const { observations } = await start(
      "sleep 0.3; exit 5",
      probe({ type: "exec", argv: ["false"] }),
    );
    await expect.poll(() => observations.at(-1)?.failure?.code).toBe("ServeExited");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(observations.at(-1)?.failure?.code).toBe("ServeExited");
  });

  test("ends with its whole process group, and that is no failure", async () => {
    const { server, states, lines } = await start("sleep 777 & echo $!; wait");
    await expect.poll(() => lines.length).toBe(1);
    await server.stop();
    await expect.poll(() => isRunning(Number(lines[0]))).toBe(false);
    expect(states()).toEqual(["ready"]);
  });

  test("is killed after its grace when it ignores SIGTERM", async () => {
    const { server, lines } = await start("trap '' TERM; echo up; while :; do sleep 0.1; done");
    await expect.poll(() => lines).toEqual(["up"]);
    await server.stop(200);
    expect(isRunning(server.pid)).toBe(false);
  });

  test("throws for a program that does not exist", async () => {
    const starting = startServer(
      { command: { argv: ["no-such-server"], dir: "/", env: {} }, probe: undefined },
      { env: host.env, color: false },
      host,
      { onLine: () => {}, onObservation: () => {} },
    );
    await expect(starting).rejects.toMatchObject({ failure: { code: "CommandFailed" } });
  });
});
