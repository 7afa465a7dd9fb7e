import { readFileSync } from "node:fs";

/** Whether a process runs: a dead one that nobody has collected yet does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
