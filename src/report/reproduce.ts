import type { RunResult } from "../model/run-result.ts";
import { plainLine } from "./plain-text.ts";

/**
 * Flags that change where a run tells what, or what stays after it, but not what comes of it: whoever runs it again at
 * home is better off without. Those of the first list have a value.
 */
export const IMMATERIAL_FLAGS = {
  withValue: [
    "--report-dir",
    "--junit",
    "--json",
    "--events",
    "--ctrf",
    "--junit-prefix",
    "--export-logs",
    "--log-level",
    "--log-source",
    "--log-resource",
    "--cluster-name",
    "--cache",
    "--cache-to",
    "--cache-from",
    "--github-token",
    "--port",
    "--web-mode",
    "--webdev-port",
    "--output-snapshot-on-exit",
    "--klog",
  ],
  alone: [
    "-q",
    "--quiet",
    "-d",
    "--debug",
    "-v",
    "--verbose",
    "--no-annotations",
    "--no-summary",
    "--report-deselected",
    "--keep",
    "--keep-cluster",
    "--keep-on-failure",
    "--fail-fast",
    "--logactions",
  ],
} as const;

const WITH_VALUE: ReadonlySet<string> = new Set(IMMATERIAL_FLAGS.withValue);
const ALONE: ReadonlySet<string> = new Set(IMMATERIAL_FLAGS.alone);

/** One word as a POSIX shell reads it back. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command that runs the same again, without flags that do not matter to that: from where it ran; for a run of CI,
 * which nobody sat before, from the top of the repository.
 */
export function reproduceCommand({ run }: RunResult): string {
  const { command, argv, ci } = run;
  const words = material(argv[0] === command ? argv : [command, ...argv]);
  const line = ["tilt-ci", ...words].map((word) => shellQuote(plainLine(word))).join(" ");
  const folder = ci === null ? undefined : startFolder(run);
  return folder === undefined ? line : `cd ${shellQuote(plainLine(folder))} && ${line}`;
}

function material(argv: readonly string[]): string[] {
  const flags = beforeDashes(argv);
  const kept = flags.filter((word, index) => {
    const previous = flags[index - 1] ?? "";
    if (WITH_VALUE.has(previous)) return false;
    return !ALONE.has(word) && !WITH_VALUE.has(word.replace(/=.*$/s, ""));
  });
  return [...kept, ...argv.slice(flags.length)];
}

/** Where a run was started, relative to the repository, as its Tiltfile tells; undefined for the top. */
function startFolder({ argv, tiltfile }: RunResult["run"]): string | undefined {
  const flags = beforeDashes(argv);
  const at = flags.findLastIndex((word) => /^(-f|--file|--tiltfile)(=|$)/.test(word));
  const given = flags[at]?.includes("=") ? flags[at].replace(/^[^=]*=/, "") : flags[at + 1];
  const file = (at < 0 ? undefined : given) ?? "Tiltfile";
  const folder = tiltfile.endsWith(`/${file}`) ? tiltfile.slice(0, -file.length - 1) : "";
  return folder === "" || flags.some((word) => word.startsWith("--working-directory"))
    ? undefined
    : folder;
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf("--");
  return dashes < 0 ? argv : argv.slice(0, dashes);
}
