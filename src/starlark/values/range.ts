import { fault } from "./fault.ts";
import {
  addInts,
  divideInts,
  moduloInts,
  multiplyInts,
  type StarlarkInt,
  subtractInts,
} from "./int.ts";
import { ascii, type StarlarkString } from "./text.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** The number of terms; the step is not zero. */
function rangeLength(start: StarlarkInt, stop: StarlarkInt, step: StarlarkInt): StarlarkInt {
  const span = step > 0 ? subtractInts(stop, start) : subtractInts(start, stop);
  if (span <= 0) return 0;
  const stride = step > 0 ? step : subtractInts(0, step);
  return addInts(divideInts(subtractInts(span, 1), stride), 1);
}

/** The lazy sequence of ints that `range` returns. */
export class StarlarkRange extends StarlarkObject {
  readonly start: StarlarkInt;
  readonly stop: StarlarkInt;
  readonly step: StarlarkInt;
  /** The number of terms, exactly. */
  readonly count: StarlarkInt;
  /** The number of terms as a number: rounded where it is no safe integer. */
  readonly size: number;

  /** The step is not zero. */
  constructor(start: StarlarkInt, stop: StarlarkInt, step: StarlarkInt) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.count = rangeLength(start, stop, step);
    this.size = Number(this.count);
  }

  get typeName(): string {
    return "range";
  }

  override repr(): StarlarkString {
    const { start, stop, step } = this;
    if (step !== 1) return ascii(`range(${start}, ${stop}, ${step})`);
    return ascii(start === 0 ? `range(${stop})` : `range(${start}, ${stop})`);
  }

  override truth(): boolean {
    return this.size > 0;
  }

  override length(): number {
    return this.size;
  }

  /** The term at a valid index, counted from the start. */
  at(index: StarlarkInt): StarlarkInt {
    return addInts(this.start, multiplyInts(index, this.step));
  }

  /** The terms from one index to another, stepping: the indices are within the range. */
  slice(start: StarlarkInt, end: StarlarkInt, step: number): StarlarkRange {
    return new StarlarkRange(this.at(start), this.at(end), multiplyInts(this.step, step));
  }

  override *iterate(): Iterable<Value> {
    let term = this.start;
    for (let i = 0; i < this.size; i++, term = addInts(term, this.step)) yield term;
  }

  /** Whether an int is a term; other ints are not, however large. */
  has(n: StarlarkInt): boolean {
    const delta = subtractInts(n, this.start);
    if (moduloInts(delta, this.step) !== 0) return false;
    const index = divideInts(delta, this.step);
    return index >= 0 && index < this.count;
  }

  override equals(other: Value): boolean {
    if (!(other instanceof StarlarkRange) || other.count !== this.count) return false;
    if (this.count === 0) return true;
    return other.start === this.start && (this.count === 1 || other.step === this.step);
  }

  override hash(): number {
    throw fault("unhashable: range");
  }

  override get goTypeName(): string {
    return "starlark.rangeValue";
  }
}
