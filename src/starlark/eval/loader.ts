import { EvaluationExit } from "../errors.ts";
import type { Globals, Thread } from "./thread.ts";

/** How a loader words its errors. */
export interface LoaderOptions {
  /** The error for a module that loads itself, directly or through others. */
  readonly onCycle?: (path: string) => Error;
}

/** Runs each module once. */
export interface Loader {
  /** The module's globals, or its error thrown again. */
  load(thread: Thread, path: string): Globals;
}

type Entry =
  | { state: "running" }
  | { state: "done"; globals: Globals }
  | { state: "failed"; error: unknown };

/**
 * A cache of modules by path, for load handlers: `execute` runs once for a path, and its globals or its error are
 * kept. A path that is asked for while it runs is a cycle. An EvaluationExit passes and is not kept.
 */
export function makeLoader(
  execute: (thread: Thread, path: string) => Globals,
  options: LoaderOptions = {},
): Loader {
  const entries = new Map<string, Entry>();
  const onCycle = options.onCycle ?? (() => new Error("cycle in load graph"));
  return {
    load(thread, path) {
      const known = entries.get(path);
      if (known?.state === "running") throw onCycle(path);
      if (known?.state === "failed") throw known.error;
      if (known?.state === "done") return known.globals;
      entries.set(path, { state: "running" });
      try {
        const globals = execute(thread, path);
        entries.set(path, { state: "done", globals });
        return globals;
      } catch (error) {
        if (error instanceof EvaluationExit) entries.delete(path);
        else entries.set(path, { state: "failed", error });
        throw error;
      }
    },
  };
}
