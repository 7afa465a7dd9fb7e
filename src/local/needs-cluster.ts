import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";

/** A tool by its name or its path; a folder or a file that is called like one is none. */
const CLUSTER_WORDS =
  /(?<![\w.-])(kubectl|helm|kubectx|kubens|k9s|istioctl|linkerd|cilium|argocd|skaffold|stern|kapp)(?![\w./-])|\bKUBECONFIG\b/;
/** What those tools do without a cluster. */
const LOCAL_WORK =
  /\bhelm\s+(template|version|repo|registry|dependency|dep|lint|package|pull|fetch|show|search|create|env|plugin|completion)\b|\bkubectl\s+(kustomize\b|version\s+--client|create\b[^;&|\n]*--dry-run=client)/g;
const SCRIPT_BYTES = 64 << 10;

/**
 * Whether a command speaks to the cluster as far as its text tells: it, or a script file that it names, mentions a
 * tool that needs one. Commands that hide it are run again once the cluster is there if they fail (docs/tiltfile.md).
 */
export function mentionsCluster(argv: readonly string[], dir: string): boolean {
  const text = argv.join(" ");
  if (speaksToCluster(text)) return true;
  return text
    .split(/[\s;&|]+/)
    .filter((word) => /[./]/.test(word))
    .some((word) => speaksToCluster(headOf(resolve(dir, word))));
}

function speaksToCluster(text: string): boolean {
  return CLUSTER_WORDS.test(text.replaceAll(LOCAL_WORK, ""));
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
