import { createHash } from "node:crypto";
import type { PhaseName } from "../model/result.ts";

/** A phase of a resource; builds and pushes of several images differ by `subject`. */
export interface PhaseId {
  readonly resource: string;
  readonly phase: PhaseName;
  readonly subject?: string | undefined;
}

/** The identity of a phase as a map key. NUL cannot be part of a Tiltfile's names on any host. */
export function phaseKey({ resource, phase, subject }: PhaseId): string {
  return `${resource}\0${phase}\0${subject ?? ""}`;
}

/** The phase that an event or a line of output is about. */
export function phaseIdOf({ resource, phase, subject }: PhaseId): PhaseId {
  return subject === undefined ? { resource, phase } : { resource, phase, subject };
}

/** Longest file name part we make: well under 255 bytes, with room for suffixes of temporary files. */
const MAX_NAME = 80;
// Device names on Windows, whatever their extension.
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * A file or directory name that stands for `name`: only `a-z 0-9 . _ -` and `( )`, never `.` or `..`, never hidden, at most 80 characters.
 * Names that had to be changed (case counts: some file systems ignore it) get a hash, so that two names never share a file.
 */
export function safeFileName(name: string): string {
  const safe = name
    .replace(/[^A-Za-z0-9._()-]+/g, "_")
    .replace(/^\.+/, "_")
    .replace(/\.+$/, "_");
  const unchanged =
    safe === name && safe.length > 0 && safe.length <= MAX_NAME && !/[A-Z]/.test(safe);
  if (unchanged && !RESERVED.test(safe)) return safe;
  if (WELL_KNOWN.has(name)) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${safe.slice(0, MAX_NAME - 9).toLowerCase() || "_"}-${hash}`;
}

const WELL_KNOWN: ReadonlySet<string> = new Set(["(Tiltfile)"]);

/** Where the whole log of a phase is, relative to the report directory, with `/`: `logs/api/build.example_api-1a2b3c4d.log`. */
export function logPath({ resource, phase, subject }: PhaseId): string {
  const file = subject === undefined ? phase : `${phase}.${safeFileName(subject)}`;
  return `logs/${safeFileName(resource)}/${file}.log`;
}

/** Where the objects applied for a resource are kept, Secrets masked, relative to the report directory. */
export function appliedPath(resource: string): string {
  return `logs/${safeFileName(resource)}/applied.yaml`;
}
