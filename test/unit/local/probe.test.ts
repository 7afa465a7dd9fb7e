import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHost } from "../../../src/host/node-host.ts";
import { countProbe, PROBE_START, probeOnce } from "../../../src/local/probe.ts";
import type { Probe } from "../../../src/model/plan.ts";

const host = createHost({ env: process.env, cwd: process.cwd() });
const base = {
  initialDelaySecs: 0,
  timeoutSecs: 1,
  periodSecs: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
const probe = (action: Probe["action"], extra: Partial<Probe> = {}): Probe => ({
  ...base,
  ...extra,
  action,
});
const exec = (script: string) => probe({ type: "exec", argv: ["sh", "-c", script] });
const http = (port: number, path = "/") =>
  probe({ type: "http", host: "127.0.0.1", port, path, scheme: "http" });
const ask = (wanted: Probe, signal?: AbortSignal) =>
  probeOnce(wanted, host, { ...host.env, WORD: "env" }, "/", signal);

const open: (Server | HttpServer)[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(
    open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))),
  );
});

async function listen<T extends Server | HttpServer>(server: T): Promise<number> {
  open.push(server);
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  open.length = 0;
  return port;
}

describe("probeOnce() of a command", () => {
  test("succeeds with status 0, in the server's environment and directory", async () => {
    expect(await ask(exec('echo "$WORD in $PWD"'))).toEqual({
      success: true,
      message: "env in /",
    });
  });

  test("fails with another status, and says what was printed", async () => {
    expect(await ask(exec("echo starting >&2; exit 3"))).toEqual({
      success: false,
      message: "exit status 3: starting",
    });
  });

  test("fails when it takes too long", async () => {
    const startedAt = performance.now();
    expect(await ask(exec("sleep 30"))).toEqual({ success: false, message: "timed out after 1s" });
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test("fails for a program that does not exist", async () => {
    const result = await ask(probe({ type: "exec", argv: ["no-such-program"] }));
    expect(result.success).toBe(false);
    expect(result.message).toContain("no-such-program");
  });

  test("ends with its signal", async () => {
    const stop = new AbortController();
    const asked = ask(
      probe({ type: "exec", argv: ["sleep", "30"] }, { timeoutSecs: 30 }),
      stop.signal,
    );
    stop.abort();
    expect((await asked).success).toBe(false);
  });
});

describe("probeOnce() over HTTP", () => {
  test.each([
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [503, false],
  ])("takes status %d for %s", async (status, success) => {
    const port = await listen(createHttpServer((_, response) => response.writeHead(status).end()));
    expect(await ask(http(port))).toEqual({ success, message: `HTTP status ${status}` });
  });

  test("sends path and headers", async () => {
    let seen = "";
    const port = await listen(
      createHttpServer(({ url, headers }, response) => {
        seen = `${url} ${headers["x-probe"]}`;
        response.end();
      }),
    );
    const action = { type: "http", host: "", port, path: "ready?x=1", scheme: "http" } as const;
    await ask(probe({ ...action, headers: [{ name: "X-Probe", value: "yes" }] }));
    expect(seen).toBe("/ready?x=1 yes");
  });

  test("says who refused", async () => {
    const port = await unusedPort();
    expect(await ask(http(port))).toMatchObject({
      success: false,
      message: expect.stringContaining(`ECONNREFUSED`),
    });
    const named = probe({ type: "http", host: "", port, path: "/", scheme: "http" });
    expect((await ask(named)).message).toContain("ECONNREFUSED");
  });

  test("fails when no answer comes, or only drop by drop", async () => {
    const silent = await listen(createHttpServer(() => {}));
    const slow = await listen(
      createServer((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nX-Drops: ");
        const timer = setInterval(() => socket.write("."), 200);
        socket.on("close", () => clearInterval(timer)).on("error", () => {});
      }),
    );
    for (const port of [silent, slow])
      expect(await ask(http(port))).toEqual({ success: false, message: "timed out after 1s" });
  });

  test("keeps no connection to an answer without end", async () => {
    let closed = false;
    const port = await listen(
      createHttpServer((_, response) => {
        response.writeHead(200).write("event: one\n");
        response.on("close", () => {
          closed = true;
        });
      }),
    );
    expect((await ask(http(port))).success).toBe(true);
    await expect.poll(() => closed).toBe(true);
  });
});

describe("probeOnce() over TCP", () => {
  test("succeeds when somebody listens", async () => {
    const port = await listen(createServer());
    expect(await ask(probe({ type: "tcp", host: "127.0.0.1", port }))).toEqual({
      success: true,
      message: "connected",
    });
    expect((await ask(probe({ type: "tcp", host: "", port }))).success).toBe(true);
  });

  test("fails when nobody does", async () => {
    const action = { type: "tcp", host: "", port: await unusedPort() } as const;
    const result = await ask(probe(action));
    expect(result.success).toBe(false);
    expect(result.message).toContain("ECONNREFUSED");
  });
});

describe("countProbe()", () => {
  const count = (results: string, extra: Partial<Probe>) =>
    [...results].reduce(
      (state, result) => countProbe(state, result === "+", { ...exec("true"), ...extra }),
      PROBE_START,
    ).ready;

  test.each([
    ["+", {}, true],
    ["--", {}, false],
    ["+-+", { successThreshold: 2 }, false],
    ["+-++", { successThreshold: 2 }, true],
    ["+--", {}, true],
    ["+---", {}, false],
    ["+--+--", {}, true],
    ["+---+", {}, true],
    ["+-", { failureThreshold: 1 }, false],
  ])("after %s with %j is ready: %s", (results, extra, ready) => {
    expect(count(results, extra)).toBe(ready);
  });
});
