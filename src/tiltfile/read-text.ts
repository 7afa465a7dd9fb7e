import { lstatSync, statSync } from "node:fs";
import type { Evaluation } from "./evaluation.ts";
import { goPathError, isNotExist } from "./go/os-error.ts";
import { readBytes } from "./read-bytes.ts";

/**
 * Records that evaluation depends on a file, whether it exists or not; directories are not recorded.
 * @throws Error in Go's words when it cannot be looked at
 */
export function recordFileOnly(evaluation: Evaluation, path: string): void {
  try {
    if (lstatSync(path).isDirectory()) return;
  } catch (error) {
    if (!isNotExist(error)) throw goPathError("lstat", path, error);
  }
  evaluation.recordFile(path);
}

/**
 * Reads and records a file.
 * @throws Error in Go's words; its `code` says why (`isNotExist`)
 */
export function readRecorded(evaluation: Evaluation, path: string): Buffer {
  recordFileOnly(evaluation, path);
  try {
    return readBytes(path);
  } catch (error) {
    throw goPathError("open", path, error);
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
