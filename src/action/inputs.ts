import semver from "semver";

/** How an input is read: trimmed, empty when it was not given. */
export type GetInput = (name: string) => string;

/** Inputs that are flags of the same name with a value. */
const VALUE_INPUTS = [
  "tiltfile",
  "cluster",
  "context",
  "kubeconfig",
  "namespace",
  "node-image",
  "k8s-version",
  "kind-config",
  "kind-version",
  "warm",
  "warm-node",
  "registry",
  "registry-image",
  "builder",
  "cache",
  "timeout",
  "readiness-timeout",
  "stable-for",
  "failure-window",
  "crash-policy",
  "semantics",
  "report-dir",
  "export-logs",
] as const;

/** Inputs of several lines: each line is the flag once more. */
const LIST_INPUTS = ["cache-to", "cache-from", "secret-env"] as const;

/** Inputs of true or false: what is said when the value is not the default. */
const SWITCH_INPUTS = [
  { name: "create-namespaces", said: true, flag: "--create-namespaces" },
  { name: "fail-fast", said: false, flag: "--keep-going" },
  { name: "annotations", said: false, flag: "--no-annotations" },
  { name: "summary", said: false, flag: "--no-summary" },
] as const;

/**
 * The command line that the inputs mean, for somebody to repeat it elsewhere: what is the flag's default (`defaults`)
 * is left out, so that the Tiltfile's own settings count as they do there. Throws for a switch that is neither true
 * nor false.
 */
export function argvOf(input: GetInput, defaults: ReadonlyMap<string, string>): string[] {
  const argv = ["ci"];
  for (const name of VALUE_INPUTS) {
    const value = input(name);
    const preset = defaults.get(name === "tiltfile" ? "file" : name);
    if (value !== "" && value !== preset)
      argv.push(name === "tiltfile" ? `--file=${value}` : `--${name}=${value}`);
  }
  for (const name of LIST_INPUTS)
    for (const line of linesOf(input(name))) argv.push(`--${name}=${line}`);
  for (const { name, said, flag } of SWITCH_INPUTS)
    if (input(name) !== "" && switchOf(name, input) === said) argv.push(flag);
  // a token is no word of a command that people repeat, unless it has a use
  if (input("cache") === "gha" && input("github-token") !== "")
    argv.push(`--github-token=${input("github-token")}`);
  const words = [...linesOf(input("resources")), ...linesOf(input("args"))];
  return words.length > 0 ? [...argv, "--", ...words] : argv;
}

/** An input that is true or false, in YAML's spellings; empty counts as false. */
export function switchOf(name: string, input: GetInput): boolean {
  const text = input(name);
  if (["true", "True", "TRUE"].includes(text)) return true;
  if (["", "false", "False", "FALSE"].includes(text)) return false;
  throw new Error(`Input "${name}" is "${text}": want true or false`);
}

/** The non-empty lines of an input, trimmed. */
export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/**
 * Refuses to go on when the Action is not the version that the workflow asks for: which one runs is decided by
 * `uses: …@REF`. Throws for that, and for what is no range of versions.
 */
export function checkVersion(wanted: string, actual: string): void {
  if (wanted === "") return;
  if (semver.validRange(wanted) === null)
    throw new Error(`Input "version" is "${wanted}": want a version or a range of versions`);
  if (!semver.satisfies(actual, wanted, { includePrerelease: true }))
    throw new Error(
      `This is tilt-ci ${actual}, and input "version" wants ${wanted}: choose it with uses: tilt-ci/tilt-ci@vVERSION`,
    );
}
