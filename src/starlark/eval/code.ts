import type { Position } from "../errors.ts";
import type { StarlarkFunction } from "../values/function.ts";
import type { StarlarkString } from "../values/text.ts";
import type { Kwargs, Value } from "../values/value.ts";

/** What all functions made by one def statement or lambda share. */
export interface FunctionCode {
  readonly name: string;
  readonly position: Position;
  readonly doc: StarlarkString | undefined;
  readonly paramNames: readonly string[];
  readonly hasVarargs: boolean;
  readonly hasKwargs: boolean;
  /** Binds the arguments and runs the body; the caller has recorded its site. */
  call(fn: StarlarkFunction, args: readonly Value[], kwargs: Kwargs): Value;
}
