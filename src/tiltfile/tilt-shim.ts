import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../host/make-directory.ts";
import type { EvaluateOptions } from "./options.ts";

/** The version of Tilt whose behaviour this is: what extensions ask for. */
export const TILT_VERSION = "0.37.0";

/**
 * What extensions ask of Tilt's command line from within `local()`. Questions about a running session get an empty
 * answer, changes to one are accepted and have no effect: there is no session in a run that ends.
 */
function shimScript(version: string): string {
  return `#!/bin/sh
# Answers for Tilt's command line while tilt-ci evaluates a Tiltfile.
case "$1" in
  version) echo "v${version}, built 2026-01-01" ;;
  apply|create|patch|replace) cat >/dev/null 2>&1 </dev/stdin || : ;;
  get|describe)
    case " $* " in
      *" json "*|*"=json "*|*"-ojson "*) echo '{"apiVersion":"v1","kind":"List","items":[]}' ;;
    esac ;;
  trigger|delete|edit|enable|disable|wait|args|dump|logs|api-resources|explain|analytics|alpha) ;;
  *) echo "tilt $1 is not available within tilt-ci" >&2; exit 1 ;;
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
