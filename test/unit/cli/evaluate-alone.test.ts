import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { evaluateAlone, futureContext } from "../../../src/cli/evaluate-alone.ts";
import { createHost } from "../../../src/host/node-host.ts";

// One for all: from sources the Worker's bundle is made in it once, and is there until the process ends.
const temporary = mkdtempSync(join(tmpdir(), "tci-alone-"));
beforeAll(() => void vi.stubEnv("TMPDIR", temporary));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

test.each([
  ["ends well", 'local("tilt version")', "0 resources"],
  ["fails", 'local("tilt version")\nfail("enough")', "enough"],
])(
  "evaluateAlone() leaves nothing in the temporary folder when the Tiltfile %s",
  async (_, text, expected) => {
    const directory = mkdtempSync(join(temporary, "project-"));
    const tiltfile = join(directory, "Tiltfile");
    writeFileSync(tiltfile, text);
    const host = createHost({
      env: { PATH: process.env.PATH!, HOME: directory },
      cwd: directory,
    });
    const printed: string[] = [];
    const request = { tiltfile, args: [], kubeContext: futureContext(), allowLocalExec: true };
    const { signal } = new AbortController();
    const outcome = await evaluateAlone(request, host, {
      signal,
      log: (line) => void printed.push(line),
    }).then(
      ({ resources }) => `${resources.length} resources`,
      (error: Error) => error.message,
    );
    expect(outcome).toContain(expected);
    expect(printed.join("\n")).toMatch(/ v[\d.]+, built/);
    const others = /^(project|tilt-ci-worker)-/;
    expect(readdirSync(temporary).filter((name) => !others.test(name))).toEqual([]);
  },
);
