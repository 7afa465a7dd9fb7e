import { readFileSync } from "node:fs";
import type { ContextFilter } from "../model/plan.ts";
import { goPathError, isNotExist } from "./go/os-error.ts";
import { basename, clean, dirname, join } from "./go/path.ts";
import { exists, isDirectory } from "./read-text.ts";

/** What decides which files of a build context are sent. */
export interface ContextFilterSources {
  readonly context: string;
  /** Absent when the Dockerfile's text was given. */
  readonly dockerfile: string | undefined;
  readonly tiltfile: string;
  readonly ignore: readonly string[];
  readonly only: readonly string[];
  /** For messages: `docker_build("ref")`. */
  readonly label: string;
}

/**
 * The matchers of a build context (tiltfile-api.md §2): a file goes if any excludes it.
 * @throws Error when the .dockerignore cannot be read
 */
export function contextFilters(sources: ContextFilterSources): ContextFilter[] {
  const { context, tiltfile, ignore, only, label } = sources;
  const filters: ContextFilter[] = [
    {
      directory: dirname(tiltfile),
      patterns: [literalPattern(basename(tiltfile))],
      source: "the Tiltfile",
    },
  ];
  if (isDirectory(join(context, ".git"))) {
    filters.push({ directory: context, patterns: [".git"], source: ".git" });
  }
  if (!isDirectory(context)) return filters;
  if (ignore.length > 0) {
    filters.push({ directory: context, patterns: [...ignore], source: `${label} ignores=` });
  }
  if (only.length > 0) {
    const patterns = ["**", ...only.map((path) => `!${path}`)];
    filters.push({ directory: context, patterns, source: `${label} only=` });
  }
  const file = dockerignoreFile(context, sources.dockerfile);
  const patterns = readDockerignore(file);
  if (patterns !== undefined) filters.push({ directory: context, patterns, source: file });
  return filters;
}

/** The .dockerignore that counts for a directory: the one named after the Dockerfile, if it exists. */
export function dockerignoreFile(directory: string, dockerfile: string | undefined): string {
  if (dockerfile !== undefined && exists(`${dockerfile}.dockerignore`)) {
    return `${dockerfile}.dockerignore`;
  }
  return join(directory, ".dockerignore");
}

function readDockerignore(path: string): string[] | undefined {
  try {
    return parseDockerignore(readFileSync(path, "utf8"));
  } catch (error) {
    if (isNotExist(error)) return undefined;
    throw goPathError("open", path, error);
  }
}

/** The patterns of a .dockerignore as Docker reads them: cleaned, comments and empty lines left out. */
export function parseDockerignore(text: string): string[] {
  const patterns: string[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split("\n")) {
    if (line.startsWith("#")) continue;
    let pattern = line.trim();
    if (pattern === "") continue;
    const negated = pattern.startsWith("!");
    if (negated) pattern = pattern.slice(1).trim();
    if (pattern !== "") {
      pattern = clean(pattern);
      if (pattern.length > 1 && pattern.startsWith("/")) pattern = pattern.slice(1);
    }
    patterns.push(negated ? `!${pattern}` : pattern);
  }
  return patterns;
}

function literalPattern(name: string): string {
  return name.replace(/[\\*?[\]!#]/g, "\\$&");
}
