import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import type { Artifact } from "../model/run-result.ts";
import { appliedPath } from "./log-path.ts";
import type { LogStore } from "./log-store.ts";

/** What of a run's reports is on disk, or will be. */
export interface ReportFiles {
  readonly directory: string;
  /** Asked for by name, absolute. */
  readonly junit?: string | undefined;
  readonly json?: string | undefined;
  readonly ctrf?: string | undefined;
  readonly bundle: string;
  readonly logs: ReturnType<LogStore["entries"]>;
  /** Path → SHA-256, as far as it is known. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Resource → YAML. */
  readonly applied: ReadonlyMap<string, string>;
}

/** The list of files in a report; paths are relative to the directory. */
export function listArtifacts(files: ReportFiles): Artifact[] {
  const { directory, junit, json, ctrf, bundle, logs, hashes, applied } = files;
  const file = (path: string, mime: string): Artifact => ({
    path,
    mime,
    bytes: null,
    sha256: null,
  });
  const extra = (path: string | undefined, mime: string) =>
    path === undefined ? [] : [file(relative(directory, path).replaceAll("\\", "/"), mime)];
  return [
    file("report.json", "application/json"),
    file("junit.xml", "application/xml"),
    file("report.html", "text/html"),
    file("events.ndjson", "application/x-ndjson"),
    ...extra(junit, "application/xml"),
    ...extra(json, "application/json"),
    ...extra(ctrf, "application/json"),
    ...logs.map(({ id, path, bytes }) => ({
      path,
      mime: "text/plain",
      bytes,
      sha256: hashes.get(path) ?? null,
      resource: id.resource,
    })),
    ...[...applied].map(([resource, text]) => ({
      path: appliedPath(resource),
      mime: "application/yaml",
      bytes: Buffer.byteLength(text),
      sha256: createHash("sha256").update(text).digest("hex"),
      resource,
    })),
    ...(existsSync(bundle) ? [file("bundle/", "inode/directory")] : []),
  ];
}
