import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { builtinNames } from "../../src/tiltfile/builtin-names.ts";
import { evaluate } from "../../src/tiltfile/evaluate.ts";
import { TiltfileError } from "../../src/tiltfile/tiltfile-error.ts";
import { optionsFor, withFiles } from "./answer.ts";
import { compactPlan, formatCompact } from "./compact-plan.ts";
import { RecordingSyncHost } from "./sync-host.ts";
import { formatTxtar, parseTxtar } from "./txtar.ts";

/*
 * A Tiltfile and what it needs in, the log and the plan or error out. `testdata/golden` has a file for a builtin (or a
 * few that go together), `testdata/documentation` what Tilt's documentation shows people, written anew.
 * `UPDATE_GOLDEN=1` writes what comes out; read the difference before you commit it.
 */

const TESTDATA = new URL("testdata/", import.meta.url);
const filesOf = (directory: string) =>
  readdirSync(new URL(`${directory}/`, TESTDATA))
    .filter((name) => name.endsWith(".txtar"))
    .map((name) => `${directory}/${name}`);
const GOLDEN = filesOf("golden");
const FILES = [...GOLDEN, ...filesOf("documentation")];
const OUTPUTS = ["log", "plan", "error"];
/** Files that need a program, and the command that shows whether it is there. */
const NEEDS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "golden/docker_compose.txtar": ["docker", "compose", "version"],
  "golden/docker_compose-blobs.txtar": ["docker", "compose", "version"],
  "golden/kustomize.txtar": ["kustomize", "version"],
};

function isMissing(name: string): boolean {
  const [program, ...args] = NEEDS[name] ?? [];
  return program !== undefined && spawnSync(program, args).status !== 0;
}

function evaluateFiles(files: Readonly<Record<string, string>>): Record<string, string> {
  return withFiles(files, (directory) => {
    const host = new RecordingSyncHost();
    const show = (text: string) => text.replaceAll(directory, "$D");
    const log = () =>
      show(host.text)
        .replace(/^Loading .*\n/, "")
        .replace(/Successfully loaded .*\n$/, "");
    const args = files.args?.trim().split("\n") ?? [];
    const env = {
      PATH: process.env.PATH ?? "",
      HOME: directory,
      ...(files.env ? JSON.parse(files.env) : {}),
    };
    try {
      const plan = evaluate(optionsFor(directory, { args, env, subcommand: "ci" }), host);
      const logged = log();
      return {
        ...(logged === "" ? {} : { log: logged }),
        // before it is formatted: where lines break must not depend on how long the directory's name is
        plan: `${formatCompact(JSON.parse(show(JSON.stringify(compactPlan(plan)))))}\n`,
      };
    } catch (error) {
      if (!(error instanceof TiltfileError)) throw error;
      const logged = log();
      return { ...(logged === "" ? {} : { log: logged }), error: `${show(error.message)}\n` };
    }
  });
}

describe("evaluate()", () => {
  for (const name of FILES) {
    test.skipIf(isMissing(name))(`gives what testdata/${name} holds`, () => {
      const url = new URL(name, TESTDATA);
      const archive = parseTxtar(readFileSync(url, "utf8"));
      const inputs = Object.fromEntries(
        Object.entries(archive.files).filter(([file]) => !OUTPUTS.includes(file)),
      );
      const outputs = evaluateFiles(inputs);
      const actual = formatTxtar({ comment: archive.comment, files: { ...inputs, ...outputs } });
      if (process.env.UPDATE_GOLDEN) writeFileSync(url, actual);
      expect(actual).toBe(readFileSync(url, "utf8"));
    });
  }

  test("has a golden file for every builtin", () => {
    const texts = GOLDEN.map((name) =>
      Object.values(parseTxtar(readFileSync(new URL(name, TESTDATA), "utf8")).files).join("\n"),
    ).join("\n");
    const missing = builtinNames().filter(
      (name) => !new RegExp(`(?<![\\w.])${name.replaceAll(".", "\\.")}\\b`).test(texts),
    );
    expect(missing).toEqual([]);
  });
});
