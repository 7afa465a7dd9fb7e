import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { kindTool, TILTFILE_TOOLS, type Tool } from "../../../src/action/tools/catalogue.ts";
import { checksumIn, installTool } from "../../../src/action/tools/install.ts";
import { archOf, provideTools } from "../../../src/action/tools/provide.ts";
import { CancelledError } from "../../../src/errors.ts";
import { createHost } from "../../../src/host/node-host.ts";

const sha256 = (data: Uint8Array | string) => createHash("sha256").update(data).digest("hex");
const PROGRAM = "#!/bin/sh\necho 'tool v9.9.9'\n";
const TOOL: Tool = {
  name: "tool",
  version: "1.2.3",
  argv: ["tool", "version"],
  url: (arch) => `https://example.com/dl/tool-linux-${arch}`,
  checksumUrl: (arch) => `https://example.com/dl/tool-linux-${arch}.sha256sum`,
};

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tci-tools-"));
});
afterEach(() => rmSync(home, { recursive: true }));

type Content = string | Buffer;
/** A status, an answer that is cut short, or one that never comes. */
type Trouble = number | { readonly location: string } | { readonly half: Content } | "never";

/** Publishers' servers on loopback, as a mirror: path → content, or a function of how often it was asked for. */
async function publisher(
  files: Readonly<Record<string, Content | ((times: number) => Content | Trouble)>>,
) {
  const asked: string[] = [];
  const server = createServer(({ url = "" }: IncomingMessage, response: ServerResponse) => {
    asked.push(url);
    const file = files[url];
    const times = asked.filter((one) => one === url).length;
    const answer = typeof file === "function" ? file(times) : (file ?? 404);
    if (answer === "never") return;
    if (answer === 0) return void response.socket?.destroy();
    if (typeof answer === "number") return void response.writeHead(answer).end("no");
    if (typeof answer === "string" || Buffer.isBuffer(answer))
      return void response.writeHead(200).end(answer);
    if ("location" in answer) return void response.writeHead(302, answer).end();
    response.writeHead(200, { "content-length": answer.half.length });
    response.write(answer.half.slice(0, answer.half.length / 2), () => response.socket?.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return {
    asked,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const host = () => createHost({ env: { PATH: process.env.PATH }, cwd: home });
const install = (mirror: string, tool: Tool = TOOL) =>
  installTool(
    tool,
    {
      cache: join(home, "cache"),
      arch: "amd64",
      locate: (url) => url.replace("https://", `${mirror}/`),
      retryDelayMs: 1,
    },
    host(),
  );

const BINARY = "/example.com/dl/tool-linux-amd64";
const good = {
  [BINARY]: PROGRAM,
  [`${BINARY}.sha256sum`]: `${sha256(PROGRAM)}  tool-linux-amd64\n`,
};

describe("installTool()", () => {
  test("puts a program into the tool cache, once its checksum is right", async () => {
    await using server = await publisher(good);
    const directory = await install(server.url);
    expect(directory).toBe(join(home, "cache/tool/1.2.3/x64"));
    expect(execFileSync(join(directory, "tool"), { encoding: "utf8" })).toBe("tool v9.9.9\n");
    expect(readdirSync(join(home, "cache/tool/1.2.3")).sort()).toEqual(["x64", "x64.complete"]);
  });

  test("uses what is in the cache without asking anybody", async () => {
    await using server = await publisher(good);
    const first = await install(server.url);
    const asked = server.asked.length;
    expect(await install(server.url)).toBe(first);
    expect(server.asked).toHaveLength(asked);
  });

  test("replaces a half of an installation that was killed", async () => {
    mkdirSync(join(home, "cache/tool/1.2.3/x64"), { recursive: true });
    writeFileSync(join(home, "cache/tool/1.2.3/x64/tool"), "half");
    await using server = await publisher(good);
    expect(readFileSync(join(await install(server.url), "tool"), "utf8")).toBe(PROGRAM);
  });

  test.each([
    ["another program", { [BINARY]: "#!/bin/sh\nevil\n" }, /is not what its publisher states/],
    [
      "a checksum file about others",
      { [`${BINARY}.sha256sum`]: `${sha256(PROGRAM)}  other\n` },
      /not in its checksum file/,
    ],
    ["no checksum file", { [`${BINARY}.sha256sum`]: () => 404 }, /HTTP status 404/],
  ])("keeps nothing of a download with %s", async (_what, files, message) => {
    await using server = await publisher({ ...good, ...files });
    await expect(install(server.url)).rejects.toThrow(message);
    expect(readdirSync(join(home, "cache/tool/1.2.3"))).toEqual([]);
  });

  test.each([
    ["HTTP 503", 503],
    ["HTTP 429", 429],
    ["a connection that is cut", 0],
  ])("tries again after %s", async (_what, answer) => {
    await using server = await publisher({
      ...good,
      [BINARY]: (times) => (times < 3 ? answer : PROGRAM),
    });
    await install(server.url);
    expect(server.asked.filter((url) => url === BINARY)).toHaveLength(3);
  });

  test("follows a redirect to where the publisher keeps its files", async () => {
    await using server = await publisher({
      ...good,
      [BINARY]: () => ({ location: "/elsewhere/asset?token=1" }),
      "/elsewhere/asset?token=1": PROGRAM,
    });
    expect(readFileSync(join(await install(server.url), "tool"), "utf8")).toBe(PROGRAM);
  });

  test("tries a download again that ended too soon, and takes nothing of the first half", async () => {
    const long = PROGRAM + "#".repeat(1_000_000);
    await using server = await publisher({
      [BINARY]: (times) => (times < 3 ? { half: long } : long),
      [`${BINARY}.sha256sum`]: sha256(long),
    });
    expect(readFileSync(join(await install(server.url), "tool"), "utf8")).toBe(long);
    await using broken = await publisher({ ...good, [BINARY]: () => ({ half: PROGRAM }) });
    rmSync(join(home, "cache"), { recursive: true });
    await expect(install(broken.url)).rejects.toThrow(/^Cannot download http:.*tool-linux-amd64: /);
    expect(readdirSync(join(home, "cache/tool/1.2.3"))).toEqual([]);
  });

  test("gives up on a server that never answers well, and does not retry a missing file", async () => {
    await using failing = await publisher({ ...good, [BINARY]: () => 500 });
    await expect(install(failing.url)).rejects.toThrow(/Cannot download http.*HTTP status 500/);
    expect(failing.asked.filter((url) => url === BINARY)).toHaveLength(4);
    await using missing = await publisher({ ...good, [BINARY]: () => 404 });
    await expect(install(missing.url)).rejects.toThrow(/HTTP status 404/);
    expect(missing.asked.filter((url) => url === BINARY)).toHaveLength(1);
  });

  test("takes the program out of an archive, its sum from a list of several", async () => {
    mkdirSync(join(home, "linux-amd64"));
    writeFileSync(join(home, "linux-amd64/tool"), PROGRAM, { mode: 0o644 });
    const archive = execFileSync("tar", ["-czf", "-", "-C", home, "linux-amd64/tool"]);
    await using server = await publisher({
      "/example.com/tool_linux_amd64.tar.gz": archive,
      "/example.com/checksums.txt": `${"0".repeat(64)}  tool_darwin.tar.gz\n${sha256(archive)}  tool_linux_amd64.tar.gz\n`,
    });
    const directory = await install(server.url, {
      ...TOOL,
      url: (arch) => `https://example.com/tool_linux_${arch}.tar.gz`,
      checksumUrl: () => "https://example.com/checksums.txt",
      inArchive: (arch) => `linux-${arch}/tool`,
    });
    expect(execFileSync(join(directory, "tool"), { encoding: "utf8" })).toBe("tool v9.9.9\n");
  });

  test("may be done by two jobs at once", async () => {
    await using server = await publisher(good);
    const [a, b] = await Promise.all([install(server.url), install(server.url)]);
    expect(a).toBe(b);
    expect(existsSync(join(a, "tool"))).toBe(true);
  });
});

describe("checksumIn()", () => {
  const sum = "a".repeat(64);

  test.each([
    ["the sum alone", sum.toUpperCase(), sum],
    ["sha256sum's format", `${sum}  kind-linux-amd64\n`, sum],
    ["binary mode and a path", `${sum} *./bin/kind-linux-amd64\n`, sum],
    ["another file", `${sum}  kind-darwin-amd64\n`, undefined],
    ["an error page", "<html>not found</html>", undefined],
    ["a bare sum among others", `${sum}\n${sum}  other\n`, undefined],
  ])("reads %s", (_what, text, expected) => {
    expect(checksumIn(text, "kind-linux-amd64")).toBe(expected);
  });
});

describe("provideTools()", () => {
  const provide = async (
    path: string,
    mirror: string,
    platform: NodeJS.Platform = "linux",
    signal: AbortSignal = new AbortController().signal,
    kindVersion = "",
  ) => {
    const told = { paths: [] as string[], infos: [] as string[], warnings: [] as string[] };
    const env = { PATH: path, RUNNER_TOOL_CACHE: join(home, "cache"), TILT_CI_TOOL_MIRROR: mirror };
    await provideTools(
      { ...createHost({ env, cwd: home }), platform },
      {
        kind: kindTool(kindVersion),
        retryDelayMs: 1,
        signal,
        addPath: (directory) => told.paths.push(directory),
        info: (message) => told.infos.push(message),
        warn: (message) => told.warnings.push(message),
      },
    );
    return told;
  };

  /** A folder for PATH with programs that print a version. */
  const programs = (versions: Readonly<Record<string, string>>) => {
    const directory = mkdtempSync(join(home, "bin-"));
    for (const [name, version] of Object.entries(versions))
      writeFileSync(join(directory, name), `#!/bin/sh\necho 'v${version}'\n`, { mode: 0o755 });
    return directory;
  };
  const all = { kind: "0.33.0", kubectl: "1.34.0", helm: "3.1.0", kustomize: "5.0.0" };

  test("does nothing where everything is there", async () => {
    await using server = await publisher({});
    expect(await provide(programs(all), server.url)).toEqual({
      paths: [],
      infos: [],
      warnings: [],
    });
    expect(server.asked).toEqual([]);
  });

  test("installs what is too old, from the publisher's address on the mirror", async () => {
    const kind = "/github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-linux-";
    const arch = archOf("linux", process.arch)!;
    await using server = await publisher({
      [`${kind}${arch}`]: PROGRAM,
      [`${kind}${arch}.sha256sum`]: `${sha256(PROGRAM)}  kind-linux-${arch}\n`,
    });
    const { paths, warnings } = await provide(programs({ ...all, kind: "0.20.0" }), server.url);
    expect(warnings).toEqual([]);
    expect(existsSync(join(paths[0]!, "kind"))).toBe(true);
  });

  test.each(["0.32.0", "v0.32.0"])(
    "installs the kind of version %s that is asked for",
    async (wanted) => {
      const arch = archOf("linux", process.arch)!;
      const kind = `/github.com/kubernetes-sigs/kind/releases/download/v0.32.0/kind-linux-${arch}`;
      await using server = await publisher({
        [kind]: PROGRAM,
        [`${kind}.sha256sum`]: `${sha256(PROGRAM)}  kind-linux-${arch}\n`,
      });
      const bring = (path: string) => provide(path, server.url, "linux", undefined, wanted);
      expect((await bring(programs(all))).paths).toEqual([join(home, "cache/kind/0.32.0/x64")]);
      const asked = server.asked.length;
      expect((await bring(programs({ ...all, kind: "0.32.0" }))).paths).toEqual([]);
      expect(server.asked).toHaveLength(asked);
    },
  );

  test("takes what is no version of kind for none, and makes no path of it", () => {
    expect(kindTool("../../x")).toMatchObject({ version: kindTool().version });
  });

  test("warns of what cannot be had, and goes on", async () => {
    await using server = await publisher({});
    const { kind, kubectl } = all;
    const { paths, warnings } = await provide(programs({ kind, kubectl }), server.url);
    expect(paths).toEqual([]);
    expect(warnings.sort()).toEqual([
      expect.stringMatching(/^Cannot install helm .*HTTP status 404/),
      expect.stringMatching(/^Cannot install kustomize .*HTTP status 404/),
    ]);
  });

  test("ends at once when it is cancelled, and leaves no half of anything", async () => {
    const cancel = new AbortController();
    const hang = (path: string) => ({
      [path]: () => {
        if (server.asked.length === 2) setTimeout(() => cancel.abort(), 20);
        return "never" as const;
      },
    });
    const { version } = TILTFILE_TOOLS[1]!;
    await using server = await publisher({
      ...hang(
        `/get.helm.sh/helm-v${version}-linux-${archOf("linux", process.arch)}.tar.gz.sha256sum`,
      ),
      ...hang(
        "/github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/checksums.txt",
      ),
    });
    const { kind, kubectl } = all;
    const providing = provide(programs({ kind, kubectl }), server.url, "linux", cancel.signal);
    await expect(providing).rejects.toThrow(CancelledError);
    expect(readdirSync(join(home, "cache/helm", version))).toEqual([]);
  });

  test("brings nothing to other systems, and says so", async () => {
    const { warnings } = await provide(
      programs({ kubectl: "1.34.0" }),
      "http://127.0.0.1:9",
      "darwin",
    );
    expect(warnings).toEqual([expect.stringMatching(/kind, helm, kustomize.*Linux runners/)]);
  });
});

describe("the catalogue", () => {
  test.each([
    ["kind", "sigs.k8s.io/kind"],
    ["helm", "helm.sh/helm/v3"],
    ["kustomize", "sigs.k8s.io/kustomize/kustomize/v5"],
  ])("pins the %s that the tests on a cluster use", (name, module) => {
    const modules = new URL(`../../rig/modules/${name}/go.mod`, import.meta.url);
    const [, tested] = new RegExp(`${module} v(\\S+)`).exec(readFileSync(modules, "utf8")) ?? [];
    const tool = [kindTool(), ...TILTFILE_TOOLS].find((one) => one.name === name);
    expect(tool?.version).toBe(tested);
  });

  test.each([kindTool(), ...TILTFILE_TOOLS])(
    "has HTTPS addresses with the pinned version: $name",
    (tool) => {
      for (const arch of ["amd64", "arm64"] as const)
        for (const url of [tool.url(arch), tool.checksumUrl(arch)]) {
          expect(url).toMatch(/^https:\/\//);
          expect(url).toContain(tool.version);
        }
      expect(tool.url("arm64")).toContain("arm64");
    },
  );
});
