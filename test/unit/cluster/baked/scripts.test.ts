import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EMPTY_CONTAINERD } from "../../../../src/cluster/baked/scripts.ts";

/** A `ctr` whose tasks, containers and sandboxes are files of a folder; `sandboxes` says what it does when asked for those. */
const ctr = (state: string, sandboxes: string) => `#!/bin/sh
case "$1 $2" in
  "tasks ls" | "containers ls") ls ${state}/$1 ;;
  "tasks kill") ;;
  "tasks rm") rm "${state}/tasks/$4" ;;
  "containers rm") shift 2; for id; do rm "${state}/containers/$id"; done ;;
  "sandboxes "*) ${sandboxes} ;;
esac
`;

const ID = (digit: string) => digit.repeat(64);
const LIST = (state: string) =>
  `echo "ID CREATED RUNTIME "; for id in $(ls ${state}/sandboxes); do echo "$id now runc "; done`;

describe("EMPTY_CONTAINERD", () => {
  /** What it leaves in the folder, and how it ends. */
  function leaves(sandboxes: (state: string) => string) {
    const state = mkdtempSync(join(tmpdir(), "tci-ctr-"));
    const folders = ["tasks", "containers", "sandboxes"];
    const make = folders.map((name) => `mkdir ${state}/${name}`).join(" && ");
    const ids = [ID("a"), ID("b")];
    const files = folders.flatMap((name) => ids.map((id) => `touch ${state}/${name}/${id}`));
    spawnSync("sh", ["-c", [make, ...files].join(" && ")]);
    writeFileSync(join(state, "ctr"), ctr(state, sandboxes(state)), { mode: 0o755 });
    const env = { ...process.env, PATH: `${state}:${process.env.PATH}` };
    const { status, stderr } = spawnSync("sh", ["-ec", EMPTY_CONTAINERD], {
      env,
      encoding: "utf8",
    });
    const left = folders.map((name) => readdirSync(join(state, name)).length);
    rmSync(state, { recursive: true });
    return { status, stderr, left };
  }

  test("removes sandboxes, which containerd 2 keeps beside containers", () => {
    const remove = (state: string) =>
      `if [ "$2" = rm ]; then shift 3; for id; do rm "${state}/sandboxes/$id"; done; else ${LIST(state)}; fi`;
    expect(leaves(remove)).toEqual({ status: 0, stderr: "", left: [0, 0, 0] });
  });

  test("does without them where containerd knows none", () => {
    const unknown = () => `echo "No help topic for 'sandboxes'"; exit 3`;
    expect(leaves(unknown)).toEqual({ status: 0, stderr: "", left: [0, 0, 2] });
  });

  test("fails when one stays", () => {
    const stays = (state: string) => `[ "$2" = rm ] || { ${LIST(state)}; }`;
    const { status, stderr } = leaves(stays);
    expect([status, stderr.trim()]).toEqual([1, "a pod of the cluster would be baked"]);
  });
});
