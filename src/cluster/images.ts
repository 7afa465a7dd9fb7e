import { EnvironmentError } from "../errors.ts";
import type { ContainerEngine } from "./container-engine.ts";
import { errorLine, symptomOf } from "./symptoms.ts";

const NODE_REPOSITORY = "kindest/node";
const PULL_TIMEOUT_MS = 5 * 60_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** Newest patch versions with a published node image, for `--k8s-version 1.35` on a machine that has none. */
const PUBLISHED: Readonly<Record<string, string>> = {
  "1.37": "1.37.0",
  "1.36": "1.36.4",
  "1.35": "1.35.8",
  "1.34": "1.34.11",
};

/**
 * The node image of `--k8s-version`: one that is on the machine already if its version fits, else the published
 * one. `undefined` when no version is asked for: kind then knows its own. Throws `EnvironmentError`.
 */
export async function nodeImageOf(
  version: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<string> {
  const wanted = version.replace(/^v/, "");
  if (!/^\d+\.\d+(\.\d+)?$/.test(wanted))
    throw new EnvironmentError(`"${version}" is no Kubernetes version`, {
      hint: "Write it like 1.34 or v1.34.4",
    });
  const tags = await engine.must(
    "Cannot list node images",
    ["images", NODE_REPOSITORY, "--format", "{{.Tag}}"],
    { timeoutMs: ANSWER_TIMEOUT_MS, signal },
  );
  const tag = newestTag(tags.split("\n"), wanted);
  if (tag) return `${NODE_REPOSITORY}:${tag}`;
  const published = /^\d+\.\d+$/.test(wanted) ? PUBLISHED[wanted] : wanted;
  if (!published)
    throw new EnvironmentError(`No node image of Kubernetes ${wanted} is known`, {
      hint: `Give --k8s-version with its patch number, or --node-image`,
    });
  return `${NODE_REPOSITORY}:v${published}`;
}

/** Of image tags like `v1.34.4`, the newest of that version (`1.34` or `1.34.4`). */
export function newestTag(tags: readonly string[], version: string): string | undefined {
  return tags
    .filter((tag) => tag === `v${version}` || tag.startsWith(`v${version}.`))
    .sort((a, b) => Number(b.split(".")[2] ?? 0) - Number(a.split(".")[2] ?? 0))[0];
}

/** The engine's id of an image, if it is on the machine. Throws `EnvironmentError` when the engine does not answer. */
export async function imageIdOf(
  image: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const inspected = await engine.run(["image", "inspect", "--format", "{{.Id}}", image], {
    timeoutMs: ANSWER_TIMEOUT_MS,
    signal,
  });
  if (inspected.exitCode === 0) return inspected.stdout.trim();
  const symptom = symptomOf(inspected.stderr);
  if (inspected.timedOut || symptom)
    throw new EnvironmentError(
      symptom?.message ?? `The container engine does not answer (${engine.cli} image inspect)`,
      { hint: symptom?.hint ?? `Check it with: ${engine.cli} info` },
    );
  return undefined;
}

export interface PullOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onPull?: () => void;
  readonly pullTimeoutMs?: number;
  /** How long a registry may take to name the image's layers (Docker only); unlimited when absent. */
  readonly answerTimeoutMs?: number;
}

/**
 * Sees to it that an image is on the machine, pulling it at most for five minutes.
 * Throws `EnvironmentError` naming the option that gives another one.
 */
export async function ensureImage(
  image: string,
  option: string,
  engine: ContainerEngine,
  options: PullOptions = {},
): Promise<void> {
  if ((await imageIdOf(image, engine, options.signal)) !== undefined) return;
  options.onPull?.();
  const problem = await pull(image, engine, options);
  if (problem === undefined) return;
  throw new EnvironmentError(
    `The image ${image} is not on this machine and cannot be pulled: ${problem}`,
    { hint: `Pull it beforehand (${engine.cli} pull ${image}), or give another with ${option}` },
  );
}

/** Why an image could not be pulled, as a clause. */
async function pull(
  image: string,
  engine: ContainerEngine,
  { signal, pullTimeoutMs = PULL_TIMEOUT_MS, answerTimeoutMs }: PullOptions,
): Promise<string | undefined> {
  const silence = new AbortController();
  const timer =
    answerTimeoutMs === undefined ? undefined : setTimeout(() => silence.abort(), answerTimeoutMs);
  try {
    const outcome = await engine.run(["pull", image], {
      timeoutMs: pullTimeoutMs,
      signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      onLine: (line) => {
        if (line.includes(": Pulling from ")) clearTimeout(timer);
      },
    });
    if (outcome.timedOut) return `no end after ${Math.round(pullTimeoutMs / 1000)} s`;
    return outcome.exitCode === 0 ? undefined : errorLine(outcome);
  } catch (error) {
    if (signal?.aborted || !silence.signal.aborted) throw error;
    return `its registry has not answered after ${Math.round((answerTimeoutMs ?? 0) / 1000)} s`;
  } finally {
    clearTimeout(timer);
  }
}
