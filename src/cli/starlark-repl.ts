import type { StarlarkIo } from "./starlark.ts";
import type { StarlarkOptions } from "./starlark-options.ts";

export async function runRepl(_options: StarlarkOptions, _io: StarlarkIo): Promise<number> {
  return 0;
}
