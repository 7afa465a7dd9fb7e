import type { Command } from "commander";
import type { ProcessIo } from "./io.ts";

/** A command's own code; `args` are its words before and after `--`. Returns the exit code. */
export type Action = (
  command: Command,
  args: readonly string[],
  io: ProcessIo,
  argv: readonly string[],
) => Promise<number>;

/** Ties an action to commander's callback. */
export type Attach = (action: Action) => (...words: unknown[]) => Promise<void>;
