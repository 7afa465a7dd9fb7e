import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  CORE_DIALECT,
  type Dialect,
  execFile,
  formatError,
  type Globals,
  makeLoader,
  StarlarkError,
  stringToBytes,
  Thread,
  TILT_DIALECT,
} from "../starlark/index.ts";

export interface StarlarkIo {
  writeError(bytes: Uint8Array | string): void;
}

export async function runStarlark(argv: readonly string[], io: StarlarkIo): Promise<number> {
  let dialect: Dialect = TILT_DIALECT;
  const files: string[] = [];
  for (const a of argv) {
    if (a === "--core") dialect = CORE_DIALECT;
    else files.push(a);
  }
  const loader = makeLoader((thread, path) => run(thread, path));
  const thread = new Thread({
    print: (m) => io.writeError(Buffer.concat([stringToBytes(m), Buffer.from("\n")])),
    load: (t, module, position) => loader.load(t, join(dirname(position.file), module)),
  });
  function run(t: Thread, path: string): Globals {
    return execFile(t, { filename: path, source: readFileSync(path), dialect });
  }
  try {
    for (const file of files) run(thread, file);
    return 0;
  } catch (error) {
    if (!(error instanceof StarlarkError)) throw error;
    io.writeError(`${formatError(error)}\n`);
    return 1;
  }
}
