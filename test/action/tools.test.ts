import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TILTFILE_TOOLS } from "../../src/action/tools/catalogue.ts";
import { archOf } from "../../src/action/tools/provide.ts";
import { expectClean } from "./expect.ts";
import { Workspace } from "./jobs.ts";

const workspace = new Workspace();
afterAll(() => workspace[Symbol.dispose]());

/** Publishers of tools, on loopback. */
async function mirrored(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return {
    /** A runner with Docker and git, but without the programs that Tiltfiles call. */
    job: { path: "/usr/bin:/bin", env: { TILT_CI_TOOL_MIRROR: `http://127.0.0.1:${port}` } },
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe("tools of the bundle on an emulated runner", () => {
  test("brings a tool that the runner lacks to the Tiltfile's commands and to later steps", async () => {
    const files = join(workspace.path, "publisher");
    const { version, url, inArchive } = TILTFILE_TOOLS.find(({ name }) => name === "helm")!;
    const arch = archOf("linux", process.arch)!;
    mkdirSync(join(files, dirname(inArchive!(arch))), { recursive: true });
    writeFileSync(join(files, inArchive!(arch)), "#!/bin/sh\necho brought by the Action\n");
    const archive = execFileSync("tar", ["-czf", "-", "-C", files, inArchive!(arch)]);
    const name = basename(url(arch));
    const sum = createHash("sha256").update(archive).digest("hex");
    using publisher = await mirrored((request, response) => {
      const answer = {
        [`/get.helm.sh/${name}`]: archive,
        [`/get.helm.sh/${name}.sha256sum`]: `${sum}  ${name}\n`,
      }[request.url ?? ""];
      response.writeHead(answer ? 200 : 404).end(answer);
    });
    using job = workspace.job(
      workspace.project("tools", "local_resource('a', 'helm')\n"),
      publisher.job,
    );
    const main = await job.main();
    expect(main.exit, main.log).toBe(0);
    expect(main.log).toContain("brought by the Action");
    const nodeArch = arch === "amd64" ? "x64" : arch;
    expect(main.addedPaths).toEqual([join(job.home, "tool-cache/helm", version, nodeArch)]);
    expect(main.log).toContain(`helm ${version} is not on this runner`);
  });

  test("a job that is cancelled while they are downloaded has a report, and leaves no half of any", async () => {
    const name = workspace.project("cancel-tools", "local_resource('a', 'true')\n");
    using publisher = await mirrored(() => writeFileSync(join(workspace.path, name, "asked"), ""));
    using job = workspace.job(name, {
      ...publisher.job,
      end: { how: "cancel", when: "file:asked" },
    });
    const main = await job.main();
    expect(main.exit, main.log).toBe(130);
    expect(main.verdictAfterMs).toBeLessThan(1000);
    expect(main.outputs.result).toBe("cancelled");
    expect(job.report()).toMatchObject({ verdict: "cancelled", message: "Cancelled by SIGINT" });
    const cache = readdirSync(join(job.home, "tool-cache"), { recursive: true }).map(String);
    expect(cache.filter((path) => path.includes(".download-"))).toEqual([]);
    const post = await job.post(main, "cancelled");
    expect(post.exit, post.log).toBe(0);
    expectClean(job, main);
  });
});
