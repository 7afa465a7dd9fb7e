import { EnvironmentError } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { CommandOptions, CommandOutcome, Host } from "../host/host.ts";
import { errorLine, symptomOf } from "./symptoms.ts";

/** The program that kind makes its nodes with: docker, podman or nerdctl, all with Docker's command line. */
export interface ContainerEngine {
  readonly cli: string;
  /** Runs `CLI args…`; any exit code is an outcome. Throws `EnvironmentError` when there is no such program. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
  /** Its stdout, trimmed. Throws `EnvironmentError` that says what `what` could not do. */
  must(what: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

const ENGINE_NAMES: Readonly<Record<string, string>> = {
  docker: "Docker",
  podman: "Podman",
  nerdctl: "nerdctl",
};

/** The engine that kind itself will use (`KIND_EXPERIMENTAL_PROVIDER`), or the one of a record. */
export function containerEngine(
  host: Pick<Host, "env" | "run">,
  cli = host.env.KIND_EXPERIMENTAL_PROVIDER || "docker",
): ContainerEngine {
  const run: ContainerEngine["run"] = async (args, options = {}) => {
    try {
      return await host.run([cli, ...args], { maxBuffer: 1 << 20, ...options });
    } catch (error) {
      if (!(error instanceof CommandNotFoundError)) throw error;
      throw new EnvironmentError(`Cannot run "${cli}": it is not installed`, {
        hint: `Install ${ENGINE_NAMES[cli] ?? cli}, or set KIND_EXPERIMENTAL_PROVIDER to docker, podman or nerdctl`,
        cause: error,
      });
    }
  };
  return {
    cli,
    run,
    async must(what, args, options) {
      const outcome = await run(args, options);
      if (outcome.exitCode === 0 && !outcome.timedOut) return outcome.stdout.trim();
      throw commandError(what, outcome);
    },
  };
}

/** A failed command as the sentence it comes down to. */
export function commandError(what: string, outcome: CommandOutcome): CommandFailedError {
  return new CommandFailedError(what, outcome);
}

/** A container or kind command failed. `retry` says that the cause is known to pass. */
export class CommandFailedError extends EnvironmentError {
  readonly retry: boolean;
  /** It was ended because it took too long. */
  readonly timedOut: boolean;
  /** The command's own words. */
  readonly output: string;
  constructor(what: string, outcome: CommandOutcome) {
    const output = `${outcome.stdout}\n${outcome.stderr}`.trim();
    const symptom = symptomOf(output);
    const cause = outcome.timedOut
      ? `no answer after ${Math.round(outcome.durationMs / 1000)} s`
      : errorLine(outcome);
    super(
      symptom && !outcome.timedOut
        ? `${what}: ${lowerFirst(symptom.message)}: ${cause}`
        : `${what}: ${cause}`,
      { hint: symptom?.hint },
    );
    this.retry = symptom?.retry ?? false;
    this.timedOut = outcome.timedOut;
    this.output = output;
  }
}

/** The sentence as a clause; names and acronyms keep their capitals. */
function lowerFirst(sentence: string): string {
  return /^(A|The|This)\b/.test(sentence)
    ? `${sentence[0]?.toLowerCase()}${sentence.slice(1)}`
    : sentence;
}
