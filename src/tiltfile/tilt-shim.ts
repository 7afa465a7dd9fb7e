import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** Writes the stand-in, once for each of its texts, to a directory named after the text. */
export function tiltShim({ tiltVersion = TILT_VERSION }: EvaluateOptions): TiltShim {
  const script = shimScript(tiltVersion);
  const digest = createHash("sha256").update(script).digest("hex").slice(0, 12);
  const shared = join(tmpdir(), `tilt-ci-shim-${process.getuid?.() ?? 0}-${digest}`);
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  const directory = isOwn(shared) ? shared : mkdtempSync(join(tmpdir(), "tilt-ci-shim-"));
  const executable = join(directory, "tilt");
  if (!existsSync(executable)) {
    const fresh = `${executable}.${process.pid}`;
    writeFileSync(fresh, script);
    chmodSync(fresh, 0o755);
    renameSync(fresh, executable);
  }
  return { directory, executable };
}

/** Whether nobody else can have put a program there: temporary directories belong to everybody. */
function isOwn(directory: string): boolean {
  const { uid, mode } = lstatSync(directory);
  return uid === (process.getuid?.() ?? uid) && (mode & 0o022) === 0;
}
