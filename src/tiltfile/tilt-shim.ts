import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../host/make-directory.ts";
import type { EvaluateOptions } from "./options.ts";

/** The version of Tilt whose behaviour this is: what extensions ask for. */
export const TILT_VERSION = "0.37.0";

/**
 * What extensions ask of Tilt's command line. The answers are those of a session that has deployed nothing yet: lists
 * are empty, an object that is asked for by name is not there, and what is applied has no effect.
 */
function shimScript(version: string): string {
  return `#!/bin/sh
# Answers for Tilt's command line within tilt-ci.
command=$1
case "$command" in
  version) echo "v${version}, built 2026-01-01"; exit ;;
  apply|create|patch|replace) cat >/dev/null 2>&1 </dev/stdin; exit 0 ;;
  delete|edit|args|logs|api-resources|explain|analytics|doctor|docker-prune|verify-install) exit ;;
  dump) echo '{}'; exit ;;
  trigger|enable|disable) echo "tilt $command has no effect within tilt-ci" >&2; exit ;;
  get|describe) shift ;;
  wait) echo "tilt wait is not available within tilt-ci: use resource_deps" >&2; exit 1 ;;
  *) echo "tilt $command is not available within tilt-ci" >&2; exit 1 ;;
esac
kind='' name='' format='' watch='' lenient=''
while [ $# -gt 0 ]; do
  case "$1" in
    -o|--output) [ $# -gt 1 ] && shift; format=$1 ;;
    -o*) format=\${1#-o} ;;
    --output=*) format=$1 ;;
    -w|--watch|--watch=true|--watch-only) watch=1 ;;
    --ignore-not-found|--ignore-not-found=true) lenient=1 ;;
    -[Lfln]|--field-selector|--filename|--host|--label-columns|--namespace|--port|--selector|--sort-by|--template)
      [ $# -gt 1 ] && shift ;;
    -*) ;;
    *) if [ -z "$kind" ]; then kind=$1; else name=$1; fi ;;
  esac
  shift
done
case "$kind" in */*) name=\${kind#*/}; kind=\${kind%%/*} ;; esac
[ -n "$watch" ] && exec sleep 2147483647
if [ -n "$name" ]; then
  [ -n "$lenient" ] && exit
  echo "Error from server (NotFound): $kind.tilt.dev \\"$name\\" not found" >&2
  echo "tilt-ci keeps no objects of Tilt's API" >&2
  exit 1
fi
case "\${format#*=}" in
  json) echo '{"apiVersion":"v1","kind":"List","items":[]}' ;;
  yaml) printf 'apiVersion: v1\\nkind: List\\nitems: []\\n' ;;
  ''|name|wide) echo "No resources found" >&2 ;;
esac
`;
}

/** The stand-in for the `tilt` program. */
export interface TiltShim {
  /** To be put first on PATH. */
  readonly directory: string;
  readonly executable: string;
}

/**
 * Writes the stand-in to the directory that the options name, made if need be, unless it is there. Undefined when they
 * name none.
 */
export function tiltShim({
  shimDirectory: directory,
  tiltVersion = TILT_VERSION,
}: Pick<EvaluateOptions, "shimDirectory" | "tiltVersion">): TiltShim | undefined {
  if (directory === undefined) return undefined;
  const executable = join(directory, "tilt");
  if (!existsSync(executable)) {
    makeDirectory(directory, 0o700);
    writeFileSync(executable, shimScript(tiltVersion), { mode: 0o755 });
  }
  return { directory, executable };
}

/** A PATH on which the stand-in comes first. */
export function pathWithShim(options: EvaluateOptions, path: string | undefined): string {
  return [tiltShim(options)?.directory, path].filter(Boolean).join(":");
}
