import { RunError } from "../errors.ts";
import type { ReadEnvironment } from "../model/plan.ts";
import type { Position } from "../model/position.ts";
import { EXIT } from "../model/result.ts";

/** What a `TiltfileError` knows beside its message. */
export interface TiltfileErrorDetails {
  /** Where it went wrong: the frames of the traceback, outermost first, or the places a message names. */
  readonly positions?: readonly Position[];
  /** The resource that it is about, when it is about one. */
  readonly resource?: string | undefined;
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
  readonly excerpt: string | undefined;
  /** What evaluation had read until then, when it got that far. */
  environment: ReadEnvironment | undefined;

  constructor(message: string, details: TiltfileErrorDetails = {}) {
    super(message, EXIT.badInput, { hint: details.hint, cause: details.cause });
    this.positions = details.positions ?? [];
    this.resource = details.resource;
    this.excerpt = details.excerpt;
  }

  /** The innermost place, for annotations. */
  get position(): Position | undefined {
    return this.positions.at(-1);
  }
}
