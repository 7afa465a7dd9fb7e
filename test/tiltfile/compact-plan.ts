import type { Plan } from "../../src/model/plan.ts";

/** Fields whose values differ between machines or runs. */
const LEFT_OUT = new Set(["tiltfile", "directory", "environment", "position"]);
const DEFAULTS: Readonly<Record<string, unknown>> = {
  enabled: true,
  autoInit: true,
  triggerMode: "auto",
  allowParallel: false,
  isTest: false,
  discoveryStrategy: "default",
  matchInEnvVars: false,
  exactTag: false,
  pull: false,
  disablePush: false,
  skipsLocalDocker: false,
  scrubSecrets: true,
  wait: false,
};

/** A plan without positions, environment, and all that is empty or as usual: for golden files. */
export function compactPlan(plan: Plan): unknown {
  return compact(plan);
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value)
    .filter(([key]) => !LEFT_OUT.has(key))
    .map(([key, item]) => [key, compact(item)] as const)
    .filter(([key, item]) => !isUsual(key, item));
  return Object.fromEntries(entries);
}

function isUsual(key: string, value: unknown): boolean {
  if (value === undefined || DEFAULTS[key] === value) return true;
  // No arguments at all are others than those of the manifest.
  if (key === "containerArgs") return false;
  return value !== null && typeof value === "object" && Object.keys(value).length === 0;
}

/** JSON of some width: what fits a line stays on one. */
export function formatCompact(value: unknown, indent = ""): string {
  const flat = JSON.stringify(value);
  if (flat.length + indent.length <= 100 || value === null || typeof value !== "object")
    return flat;
  const inner = `${indent} `;
  const items = Array.isArray(value)
    ? value.map((item) => `${inner}${formatCompact(item, inner)}`)
    : Object.entries(value).map(
        ([key, item]) => `${inner}${JSON.stringify(key)}: ${formatCompact(item, inner)}`,
      );
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}
