import { closeSync, openSync, readSync } from "node:fs";
import { basename, resolve } from "node:path";

/** A tool by its name or its path; a folder or a file that is called like one is none. */
const CLUSTER_WORDS =
  /(?<![\w.-])(kubectl|helm|kubectx|kubens|k9s|istioctl|linkerd|cilium|argocd|skaffold|stern|kapp)(?![\w./-])|\bKUBECONFIG\b/;
/** The rest of a simple command in a shell's words: what is quoted ends nothing. */
const REST = String.raw`(?:'[^']*'|"(?:\\.|[^"\\$${"`"}])*"|\\.|[^;&|\n'"\\$${"`"}()])*`;
/** What those tools do without a cluster, with its arguments. */
const LOCAL_WORK = new RegExp(
  String.raw`\bhelm\s+(?:template|version|repo|registry|dependency|dep|lint|package|pull|fetch|show|search|create|env|plugin|completion)\b${REST}` +
    String.raw`|\bkubectl\s+(?:kustomize\b|version\s+--client\b)${REST}` +
    String.raw`|\bkubectl\s+create\b${REST}--dry-run=client${REST}`,
  "g",
);
/** Files that say what there is to be, and do nothing. */
const DATA =
  /\.(?:md|ya?ml|json|jsonc|toml|ini|env|properties|tpl|txt|lock|tgz|tar|gz|pem|crt|key)$/i;
const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "zsh", "ksh"]);
const SCRIPT_BYTES = 64 << 10;

/**
 * Whether a command speaks to the cluster as far as its text tells: it, or a script file that it names, mentions a
 * tool that needs one. Commands that hide it are run again once the cluster is there if they fail (docs/running.md).
 */
export function mentionsCluster(argv: readonly string[], dir: string): boolean {
  const text = remaining(argv);
  if (CLUSTER_WORDS.test(text)) return true;
  return text
    .split(/[\s;&|]+/)
    .filter((word) => /[./]/.test(word) && !DATA.test(word))
    .some((word) => CLUSTER_WORDS.test(headOf(resolve(dir, word)).replaceAll(LOCAL_WORK, "")));
}

/** The text of a command without what needs no cluster. */
function remaining(argv: readonly string[]): string {
  const [program = "", ...args] = argv;
  if (SHELLS.has(basename(program))) return argv.join(" ").replaceAll(LOCAL_WORK, "");
  // No shell reads these words: whatever stands in them, they belong to the one program.
  const quoted = args.map((word) => (/^[\w./:=@%+,-]*$/.test(word) ? word : "''"));
  const isLocal = [basename(program), ...quoted].join(" ").replace(LOCAL_WORK, "") === "";
  return isLocal ? "" : argv.join(" ");
}

/** The first 64 KiB of a text file; nothing for what cannot be read or is binary. */
function headOf(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(SCRIPT_BYTES);
      const head = buffer.subarray(0, readSync(file, buffer, 0, SCRIPT_BYTES, 0));
      return head.includes(0) ? "" : head.toString("utf8");
    } finally {
      closeSync(file);
    }
  } catch {
    return ""; // a word that is no readable file says nothing about the command
  }
}
