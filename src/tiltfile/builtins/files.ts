import { lstatSync, readdirSync } from "node:fs";
import {
  bytesToString,
  fromJsString,
  goTypeName,
  isString,
  StarlarkList,
  type StarlarkString,
  types,
  type Value,
} from "../../starlark/index.ts";
import { pathTypes } from "../arguments.ts";
import type { BuiltinTable } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { isNotExist, osReason } from "../go/os-error.ts";
import { join } from "../go/path.ts";
import { compareBytes } from "../go/quote.ts";
import { exists, readRecorded } from "../read-text.ts";
import { Blob } from "../values/blob.ts";
import { GitRepo } from "../values/git-repo.ts";

/** read_file, listdir and the like. */
export function fileBuiltins(evaluation: Evaluation): BuiltinTable {
  const { path } = pathTypes(evaluation);
  return {
    read_file(call) {
      const { paths: file, default: fallback } = call.unpack({
        paths: path,
        "default?": optionalString,
      });
      const source = `file: ${file}`;
      try {
        return new Blob(bytesToString(readRecorded(evaluation, file)), source);
      } catch (error) {
        if (fallback === undefined || !isNotExist(error)) throw error;
        return new Blob(fallback, source);
      }
    },

    watch_file(call) {
      evaluation.recordFile(call.unpack({ paths: path }).paths);
      return null;
    },

    listdir(call) {
      const { dir, recursive } = call.unpack({ dir: path, "recursive?": types.bool });
      if (recursive) evaluation.recordFile(dir);
      return new StarlarkList(filesUnder(dir, recursive ?? false).map(fromJsString));
    },

    blob(call) {
      return new Blob(call.unpack({ input: types.byteString }).input, "Tiltfile blob() call");
    },

    local_git_repo(call) {
      const directory = evaluation.absolute(call.unpack({ paths: types.string }).paths);
      if (!exists(directory)) {
        throw new Error(`Reading paths ${directory}: stat ${directory}: ${whyNot(directory)}`);
      }
      if (!exists(join(directory, ".git"))) {
        throw new Error(`${directory} isn't a valid git repo: it doesn't have a .git/ directory`);
      }
      return new GitRepo(directory);
    },
  };
}

function optionalString(value: Value): StarlarkString | undefined {
  if (value === null) return undefined;
  if (isString(value)) return value;
  throw new Error(`expected starlark.String or None, got ${goTypeName(value)}`);
}

function whyNot(path: string): string {
  try {
    readdirSync(path);
    return "";
  } catch (error) {
    return osReason(error);
  }
}

/** The files of a directory (no directories) in the order of a walk; none when it does not exist. */
function filesUnder(directory: string, recursive: boolean): string[] {
  const files: string[] = [];
  const visit = (current: string) => {
    for (const entry of entriesOf(current)) {
      const path = join(current, entry.name);
      if (!entry.isDirectory()) files.push(path);
      else if (recursive) visit(path);
    }
  };
  // As in Tilt, whose walk follows no links: a link to a directory is no directory to start from.
  if (!isLink(directory)) visit(directory);
  return files;
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false; // what is not there, or cannot be, holds nothing anyway
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
      compareBytes(a.name, b.name),
    );
  } catch {
    // As in Tilt: a directory that cannot be read holds nothing.
    return [];
  }
}
