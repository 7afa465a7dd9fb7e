import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { downloadText, proxiedBy } from "../../../src/action/tools/download.ts";

async function listening(server: ReturnType<typeof createServer>) {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A publisher that answers its path, and sends those who ask for /moved to another host. */
const publisher = () =>
  listening(
    createServer(({ url = "", headers }, response) => {
      const port = headers.host?.split(":")[1];
      if (url === "/moved")
        response.writeHead(302, { location: `http://files.invalid:${port}/file` }).end();
      else response.end(`content of ${url}`);
    }),
  );

/** A proxy that takes every connection to one port here, whatever host was named. */
async function proxy(port: number) {
  const asked: string[] = [];
  const server = createServer().on("connect", ({ url = "" }, client) => {
    asked.push(url);
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on("error", () => other.destroy());
  });
  return Object.assign(await listening(server), { asked });
}

describe("proxiedBy()", () => {
  test("downloads through the proxy that the environment names, every hop", async () => {
    using server = await publisher();
    using through = await proxy(server.port);
    const connections = proxiedBy({ http_proxy: through.url });
    const text = await downloadText(`http://publisher.invalid:${server.port}/moved`, connections);
    await connections.destroy();
    expect(text).toBe("content of /file");
    expect(through.asked).toEqual([
      `publisher.invalid:${server.port}`,
      `files.invalid:${server.port}`,
    ]);
  });

  test("goes past it where no_proxy says so", async () => {
    using server = await publisher();
    using through = await proxy(server.port);
    const connections = proxiedBy({ http_proxy: through.url, no_proxy: "elsewhere, .invalid" });
    const options = { ...connections, retryDelayMs: 1 };
    const asking = downloadText(`http://publisher.invalid:${server.port}/file`, options);
    await expect(asking).rejects.toThrow(/^Cannot download .*publisher\.invalid/);
    expect(await downloadText(`${server.url}/file`, options)).toBe("content of /file");
    await connections.destroy();
    expect(through.asked).toEqual([]);
  });

  test.each(["http://127.0.0.1:1", "nonsense://x"])(
    "says what is wrong with the proxy %s",
    async (http_proxy) => {
      const connections = proxiedBy({ http_proxy });
      const options = { ...connections, retryDelayMs: 1 };
      await expect(downloadText("http://publisher.invalid/", options)).rejects.toThrow(
        /^Cannot download http:\/\/publisher\.invalid\/: \S/,
      );
      await connections.destroy();
    },
  );
});
