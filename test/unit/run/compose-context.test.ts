import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withoutPrivateFiles } from "../../../src/run/compose-context.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tci-context-"));
  mkdirSync(join(root, "app"));
  writeFileSync(join(root, "app", "Dockerfile"), "FROM scratch\nCOPY . .\n");
});
afterEach(() => rmSync(root, { recursive: true }));

const at = (...parts: string[]) => join(root, ...parts);

/** What Compose would read: the Dockerfile, and what is ignored. */
async function override(dockerfile = at("app", "Dockerfile"), reports = at("app", "re[p]orts")) {
  const around = { privatePaths: [reports, at("state")], temporaryDirectory: at("tmp") };
  const file = await withoutPrivateFiles(
    { service: "web", buildFiles: { context: at("app"), dockerfile } },
    around,
  );
  if (file === undefined) return undefined;
  const { services } = JSON.parse(readFileSync(file, "utf8"));
  const copy: string = services.web.build.dockerfile;
  return {
    dockerfile: readFileSync(copy, "utf8"),
    ignore: readFileSync(`${copy}.dockerignore`, "utf8").split("\n").filter(Boolean),
  };
}

describe("withoutPrivateFiles()", () => {
  test("leaves the reports out of a context that holds them, after all that the project leaves out", async () => {
    expect(await override()).toEqual({
      dockerfile: "FROM scratch\nCOPY . .\n",
      ignore: ["re\\[p\\]orts"],
    });
    writeFileSync(at("app", ".dockerignore"), "*\n!src");
    expect((await override())?.ignore).toEqual(["*", "!src", "re\\[p\\]orts"]);
    writeFileSync(at("app", "Dockerfile.dockerignore"), "node_modules\n");
    expect((await override())?.ignore).toEqual(["node_modules", "re\\[p\\]orts"]);
  });

  test("changes nothing where no report is inside, and where there is no Dockerfile", async () => {
    expect(await override(undefined, at("reports"))).toBeUndefined();
    expect(await override(at("app", "nowhere"))).toBeUndefined();
    expect(readdirSync(root)).toEqual(["app"]);
  });

  test("changes nothing for contexts from elsewhere", async () => {
    const around = { privatePaths: [at("app")], temporaryDirectory: at("tmp") };
    expect(await withoutPrivateFiles({ service: "web" }, around)).toBeUndefined();
  });
});
