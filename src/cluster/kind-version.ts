import { EnvironmentError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";

/** From 0.27 on, kind's own node images have containerd read registries from certs.d. */
export const OLDEST_KIND = "0.27.0";
const ANSWER_TIMEOUT_MS = 20_000;

/** The version of the kind on PATH. Throws `EnvironmentError` when it is missing, too old or not the one that is `wanted`. */
export async function checkKind(
  host: Pick<Host, "run">,
  signal: AbortSignal | undefined,
  wanted?: string,
): Promise<string> {
  let text: string;
  try {
    const { stdout } = await host.run(["kind", "version"], {
      timeoutMs: ANSWER_TIMEOUT_MS,
      signal,
    });
    text = stdout;
  } catch (error) {
    if (!(error instanceof CommandNotFoundError)) throw error;
    throw new EnvironmentError('Cannot run "kind": it is not installed', {
      hint: `Install kind ${OLDEST_KIND} or newer, or use a cluster that is there with --cluster current`,
      cause: error,
    });
  }
  const version = parseKindVersion(text);
  if (!version)
    throw new EnvironmentError(`Cannot tell the version of kind from "${text.trim()}"`, {
      hint: "Check the kind on PATH: kind version",
    });
  if (wanted !== undefined && version !== parseKindVersion(wanted))
    throw new EnvironmentError(`kind is of version ${version}, --kind-version wants ${wanted}`, {
      hint: `Install kind ${wanted} and put it first on PATH`,
    });
  if (isOlder(version, OLDEST_KIND))
    throw new EnvironmentError(`kind ${version} is too old`, {
      hint: `Install kind ${OLDEST_KIND} or newer`,
    });
  return version;
}

/** `kind v0.33.0 go1.26.8 linux/amd64` → `0.33.0`; pre-release parts are dropped. */
export function parseKindVersion(text: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
