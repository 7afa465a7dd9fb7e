import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the planted bug says. */
export const BUG = "planted by a test";

/**
 * Plants a bug in the program: on SIGUSR2 it throws where nobody catches, or rejects a promise that nobody has. Returns
 * the environment that makes Node load it.
 */
export function crashOnSignal(
  directory: string,
  how: "exception" | "rejection",
): Readonly<Record<string, string>> {
  const path = join(directory, "crash-on-signal.cjs");
  const thrown = `new Error(${JSON.stringify(BUG)})`;
  const act = how === "exception" ? `throw ${thrown}` : `Promise.reject(${thrown})`;
  writeFileSync(
    path,
    `if (require("node:worker_threads").isMainThread) process.on("SIGUSR2", () => { ${act}; });\n`,
  );
  return { NODE_OPTIONS: `--require=${path}` };
}
