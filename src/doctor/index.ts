/** `tilt-ci doctor`: what is here, what is missing, how to get it. */
import type { Host } from "../host/host.ts";
import type { Check } from "./check.ts";
import { checkMachine, checkRegistries } from "./machine.ts";
import { checkTools } from "./tools.ts";

export type { Check } from "./check.ts";

export async function examine(host: Host): Promise<Check[]> {
  const parts = await Promise.all([
    checkTools(host),
    checkMachine(host),
    checkRegistries(host.env),
  ]);
  return parts.flat();
}

const MARKS = { ok: "ok", warning: "warning", missing: "MISSING" } as const;

/** The checks as an aligned table with hints below the lines that need one, and a last line with the outcome. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, version, detail, hint }) => [
    `${MARKS[status].padEnd(8)}${name.padEnd(width + 2)}${[version, detail].filter(Boolean).join("  ")}`.trimEnd(),
    ...(hint ? [`${" ".repeat(8 + width + 2)}→ ${hint}`] : []),
  ]);
  const missing = checks.filter(({ status }) => status === "missing").map(({ name }) => name);
  lines.push(
    "",
    missing.length === 0
      ? "tilt-ci can run here."
      : `tilt-ci cannot run here yet: ${missing.join(", ")} missing.`,
  );
  return `${lines.join("\n")}\n`;
}
