import type { Evaluation } from "./evaluation.ts";
import { inSemverRange } from "./go/semver-range.ts";
import { findProgram } from "./local-command.ts";

const MINIMUM = "1.28.3";
const RECOMMENDED = "2.2.0";

/** Compose as it is started on this machine. */
export interface ComposeCommand {
  readonly argv: readonly string[];
  /** It is Compose 1, the program of old, which writes YAML alone. */
  readonly isFirst: boolean;
}

/**
 * The command line of Compose on this machine: what TILT_DOCKER_COMPOSE_CMD names, else Docker's plugin, else the
 * program of old. Its version is checked, with a warning for one that Tilt warns of.
 * @throws Error in Tilt's words for a version that is too old
 */
export function composeCommand(evaluation: Evaluation): ComposeCommand {
  const chosen = evaluation.env.get("TILT_DOCKER_COMPOSE_CMD");
  const candidates = chosen ? [[chosen]] : [["docker", "compose"], ["docker-compose"]];
  for (const argv of candidates) {
    const answer = askVersion(evaluation, argv);
    if (answer === undefined) continue;
    const version = checkVersion(evaluation, answer);
    return { argv, isFirst: version?.startsWith("1.") === true };
  }
  return { argv: candidates.at(-1)!, isFirst: false };
}

/** What a command says when asked for its version; undefined when it cannot be asked. */
function askVersion(evaluation: Evaluation, argv: readonly string[]): string | undefined {
  if (findProgram(evaluation, argv[0]!) === undefined) return undefined;
  const { exitCode, stdout } = evaluation.sync.exec([...argv, "version"], {
    cwd: evaluation.directory,
    env: Object.fromEntries(evaluation.env),
  });
  return exitCode === 0 ? stdout : undefined;
}

/** The version, once it is found good enough; one that is not understood passes, as in Tilt. */
function checkVersion(evaluation: Evaluation, answer: string): string | undefined {
  const version = /^docker[ -]compose(?: version)?:? v?(\d+\.\d+\.\d+(?:[-+][^\s,]*)?)/im.exec(
    answer,
  )?.[1];
  if (version === undefined) return undefined;
  if (inSemverRange(version, `<${MINIMUM}`)) {
    throw new Error(
      `Tilt requires Docker Compose v${MINIMUM}+ (you have v${version}). Please upgrade and re-launch Tilt.`,
    );
  }
  if (!version.startsWith("2.") || inSemverRange(version, `>=${RECOMMENDED}`)) return version;
  const message =
    `Using Docker Compose v${version} (version < 2.2) may result in errors or broken functionality.\n` +
    `For best results, we recommend upgrading to Docker Compose >= v${RECOMMENDED}.`;
  if (evaluation.warnings.every((warning) => warning.message !== message)) evaluation.warn(message);
  return version;
}
