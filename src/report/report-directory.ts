import {
  existsSync,
  lstatSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../host/make-directory.ts";

/** In each directory that we made: only what has this file may be removed by a later run. */
const MARKER = ".tilt-ci-report";
const FILES = ["report.json", "junit.xml", "report.html", "events.ndjson"];

/**
 * Makes the report directory ready: reports of an earlier run go, so that they are never taken for this one's; `logs/` and
 * `bundle/` too, but only where we made them, since `--report-dir .` may have folders of these names. Throws the file
 * system's error.
 */
export function prepareDirectory(directory: string): void {
  makeDirectory(directory);
  for (const name of ["logs", "bundle"]) {
    const path = join(directory, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) unlinkSync(path);
    else if (found?.isDirectory() && existsSync(join(path, MARKER)))
      rmSync(path, { recursive: true, force: true });
  }
  for (const name of readdirSync(directory))
    if (FILES.some((file) => name === file || isTemporary(name, file)))
      rmSync(join(directory, name), { force: true });
  makeOwnDirectory(join(directory, "logs"));
}

/** Makes a directory that a later run may remove; one that is already there stays whose it is. */
export function makeOwnDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  makeDirectory(path);
  writeFileSync(join(path, MARKER), "Written by tilt-ci, replaced by its next run\n");
}

/**
 * Makes the folder of a resource. Throws when something has planted a symbolic link in its place: what is written there
 * would leave the report directory.
 */
export function makeOwnFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Error(`${path} is a symbolic link`);
  makeDirectory(path);
}

/** What a run that was killed while writing left (see `writeAtomically`). */
function isTemporary(name: string, file: string): boolean {
  return name.startsWith(`.${file}.`) && name.endsWith(".tmp");
}
