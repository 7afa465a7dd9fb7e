/** Inputs that are flags of the same name with a value, as action.yml lists them. */
export const VALUE_INPUTS = [
  "cluster",
  "context",
  "kubeconfig",
  "namespace",
  "node-image",
  "k8s-version",
  "kind-config",
  "registry",
  "registry-image",
  "builder",
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
export const LIST_INPUTS = ["cache-to", "cache-from"] as const;

/** How an input is read: trimmed, empty when it was not given. */
export type GetInput = (name: string) => string;

/**
 * The command line that the inputs mean. The cluster stays up for the steps that follow: `post` removes it.
 * `context` implies `cluster: current`, whatever the default of `cluster` says.
 */
export function argvOf(input: GetInput): string[] {
  const argv = ["ci", "--file", input("tiltfile") || "Tiltfile"];
  for (const name of VALUE_INPUTS) {
    const value = input(name);
    if (value === "" || (name === "cluster" && value === "kind" && input("context") !== ""))
      continue;
    argv.push(`--${name}=${value}`);
  }
  for (const name of LIST_INPUTS)
    for (const line of linesOf(input(name))) argv.push(`--${name}=${line}`);
  if (isTrue(input("create-namespaces"))) argv.push("--create-namespaces");
  if (input("fail-fast") !== "" && !isTrue(input("fail-fast"))) argv.push("--keep-going");
  if (input("cluster") !== "current" && input("context") === "") argv.push("--keep");
  const words = [...linesOf(input("resources")), ...linesOf(input("args"))];
  return words.length > 0 ? [...argv, "--", ...words] : argv;
}

/** The non-empty lines of an input, trimmed. */
export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** YAML's true, as the toolkit's getBooleanInput reads it. */
export function isTrue(text: string): boolean {
  return ["true", "True", "TRUE"].includes(text);
}
