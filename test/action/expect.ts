import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { FakeRunner, Phase } from "./fake-runner.ts";

const docker = (...argv: string[]) =>
  execFileSync("docker", argv, { encoding: "utf8", env: process.env }).split("\n").filter(Boolean);

/** Containers and volumes whose name holds the run's id. */
export function leftoversOf(run: string): string[] {
  return [
    ...docker("ps", "--all", "--format", "{{.Names}}"),
    ...docker("volume", "ls", "--format", "{{.Name}}"),
  ].filter((name) => name.includes(run));
}

/** Command lines of live processes that hold a text. */
export function processesWith(text: string): string[] {
  return execFileSync("ps", ["-axo", "command="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(text));
}

/** After post: no process, container or volume of the run, and no record of anything left to remove. */
export function expectClean(runner: FakeRunner, { state }: Phase): void {
  const run = state.run ?? "no run id was saved";
  expect(processesWith(run)).toEqual([]);
  if (hasDocker()) expect(leftoversOf(run)).toEqual([]);
  const records = join(runner.home, ".local/state/tilt-ci/runs");
  expect(existsSync(records) ? readdirSync(records) : []).toEqual([]);
}

function hasDocker(): boolean {
  try {
    docker("version");
    return true;
  } catch {
    return false;
  }
}

/** What GitHub asks of any step's output. */
export function expectWellFormed({ annotations, groups, unresumed, summary }: Phase): void {
  for (const level of ["error", "warning"])
    expect(
      annotations.filter((line) => line.startsWith(`::${level}`)).length,
      level,
    ).toBeLessThanOrEqual(10);
  expect(groups.open).toBe(0);
  expect(unresumed).toEqual([]);
  expect(Buffer.byteLength(summary)).toBeLessThan(1024 * 1024);
}
