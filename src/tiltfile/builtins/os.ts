import { realpathSync } from "node:fs";
import {
  fromJsString,
  isString,
  reprText,
  toJsString,
  types,
  type Value,
} from "../../starlark/index.ts";
import { kinds } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { osReason } from "../go/os-error.ts";
import { basename, clean, dirname, join, relative } from "../go/path.ts";
import { exists } from "../read-text.ts";

/** os and os.path; their constants are in modules.ts. */
export function osBuiltins(evaluation: Evaluation): BuiltinTable {
  const pathArgument = (call: Call) => call.unpack({ path: types.string }).path;
  return {
    "os.getcwd"(call) {
      call.unpack({});
      return fromJsString(evaluation.directory);
    },
    "os.getenv"(call) {
      const { key, default: fallback } = call.unpack({ key: kinds.text, "default?": types.value });
      evaluation.recordVariable(key);
      const value = evaluation.env.get(key);
      return value === undefined ? (fallback ?? null) : fromJsString(value);
    },
    "os.putenv"(call) {
      const { key, value } = call.unpack({ key: kinds.text, value: kinds.text });
      evaluation.setVariable(key, value);
      return null;
    },
    "os.unsetenv"(call) {
      evaluation.env.delete(call.unpack({ key: kinds.text }).key);
      return null;
    },
    "os.path.abspath": (call) => fromJsString(evaluation.absolute(pathArgument(call))),
    "os.path.basename": (call) => fromJsString(basename(pathArgument(call))),
    "os.path.dirname": (call) => fromJsString(dirname(pathArgument(call))),
    "os.path.exists": (call) => exists(evaluation.absolute(pathArgument(call))),
    "os.path.join": (call) => fromJsString(join(...call.args.map(pathPart))),
    "os.path.realpath": (call) => fromJsString(realPath(evaluation.absolute(pathArgument(call)))),
    "os.path.relpath"(call) {
      const { targpath, basepath } = call.unpack({
        targpath: types.string,
        "basepath?": types.string,
      });
      return fromJsString(relative(basepath ?? evaluation.directory, targpath));
    },
  };
}

function pathPart(value: Value, index: number): string {
  if (isString(value)) return toJsString(value);
  throw new Error(`os.path.join() only accepts strings. Argument #${index}: ${reprText(value)}`);
}

/** filepath.EvalSymlinks. */
function realPath(path: string): string {
  try {
    return realpathSync.native(clean(path));
  } catch (error) {
    throw new Error(`lstat ${firstMissing(clean(path))}: ${osReason(error)}`, { cause: error });
  }
}

/** The part of a path that does not exist. */
function firstMissing(path: string): string {
  let missing = path;
  for (
    let parent = dirname(path);
    !exists(parent) && parent !== missing;
    parent = dirname(parent)
  ) {
    missing = parent;
  }
  return missing;
}
