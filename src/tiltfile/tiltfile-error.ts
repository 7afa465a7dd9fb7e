import { RunError } from "../errors.ts";
import type { ReadEnvironment } from "../model/plan.ts";
import type { Position } from "../model/position.ts";
import type { ReasonCode } from "../model/reason.ts";
import { EXIT } from "../model/result.ts";

type TiltfileErrorCode = Extract<ReasonCode, "TiltfileError" | "DependencyNeverStarts">;

/** What a `TiltfileError` knows beside its message. */
export interface TiltfileErrorDetails {
  /** Where it went wrong: the frames of the traceback, outermost first, or the places a message names. */
  readonly positions?: readonly Position[];
  /** The resource that it is about, when it is about one. */
  readonly resource?: string | undefined;
  /** `TiltfileError` unless there is a better word for it. */
  readonly code?: TiltfileErrorCode | undefined;
  /** The source line with a caret, for terminals. */
  readonly excerpt?: string | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The Tiltfile is wrong: exit 2. `message` is Tilt's text to the letter (the traceback, if the error arose while the
 * file ran, then the reason).
 */
export class TiltfileError extends RunError {
  readonly positions: readonly Position[];
  readonly resource: string | undefined;
  readonly code: TiltfileErrorCode;
  readonly excerpt: string | undefined;
  /** What evaluation had read until then, when it got that far. */
  environment: ReadEnvironment | undefined;

  constructor(message: string, details: TiltfileErrorDetails = {}) {
    super(message, EXIT.badInput, { hint: details.hint, cause: details.cause });
    this.positions = details.positions ?? [];
    this.resource = details.resource;
    this.code = details.code ?? "TiltfileError";
    this.excerpt = details.excerpt;
  }

  /** For annotations: the innermost place, or the first that an error about a resource names, which is the resource's. */
  get position(): Position | undefined {
    return this.positions.at(this.resource === undefined ? -1 : 0);
  }
}
