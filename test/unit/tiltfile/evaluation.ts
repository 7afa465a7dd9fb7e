import type { Plan } from "../../../src/model/plan.ts";
import { evaluate } from "../../../src/tiltfile/evaluate.ts";
import type { EvaluateOptions } from "../../../src/tiltfile/options.ts";
import { TiltfileError } from "../../../src/tiltfile/tiltfile-error.ts";
import { optionsFor, withFiles } from "../../tiltfile/answer.ts";
import { RecordingSyncHost } from "../../tiltfile/sync-host.ts";

export interface Evaluated {
  readonly plan: Plan | undefined;
  readonly error: TiltfileError | undefined;
  /** Without the lines that Tilt begins and ends its log with. */
  readonly log: string;
  readonly sync: RecordingSyncHost;
}

/** Evaluates a Tiltfile in a folder of its own, which `$D` stands for in what comes back. */
export function evaluateFiles(
  files: Readonly<Record<string, string>>,
  overrides: (directory: string) => Partial<EvaluateOptions> = () => ({}),
): Evaluated {
  return withFiles(files, (directory) => {
    const host = new RecordingSyncHost();
    const show = (text: string) => text.replaceAll(directory, "$D");
    const outcome = attempt(() => evaluate(optionsFor(directory, overrides(directory)), host));
    const log = show(host.text)
      .replace(/^Loading Tiltfile at: .*\n/, "")
      .replace(/Successfully loaded Tiltfile .*\n/, "");
    if (!(outcome instanceof TiltfileError))
      return { plan: outcome, error: undefined, log, sync: host };
    outcome.message = show(outcome.message);
    return { plan: undefined, error: outcome, log, sync: host };
  });
}

/** An outcome whose plan has `$D` for its folder too. */
export function withShortPaths(outcome: Evaluated): Evaluated {
  const { plan } = outcome;
  if (plan === undefined) return outcome;
  const text = JSON.stringify(plan).replaceAll(plan.directory, "$D");
  return { ...outcome, plan: JSON.parse(text) as Plan };
}

function attempt(body: () => Plan): Plan | TiltfileError {
  try {
    return body();
  } catch (error) {
    if (error instanceof TiltfileError) return error;
    throw error;
  }
}

/** The log of a Tiltfile that is right. */
export function logOf(tiltfile: string): string {
  const { log, error } = evaluateFiles({ Tiltfile: tiltfile });
  if (error !== undefined) throw error;
  return log.trimEnd();
}

/** The last line of the message of a Tiltfile that is wrong. */
export function failureOf(
  tiltfile: string,
  files: Readonly<Record<string, string>> = {},
): string | undefined {
  return evaluateFiles({ ...files, Tiltfile: tiltfile })
    .error?.message.split("\n")
    .at(-1);
}
