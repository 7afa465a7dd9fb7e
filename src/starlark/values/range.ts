import { fault } from "./fault.ts";
import { makeInt } from "./int.ts";
import { ascii, type StarlarkString } from "./text.ts";
import { StarlarkObject, type Value } from "./value.ts";

/** The number of terms; the step is not zero. */
function rangeLength(start: number, stop: number, step: number): number {
  const span = step > 0 ? stop - start : start - stop;
  return span > 0 ? Math.floor((span - 1) / Math.abs(step)) + 1 : 0;
}

/** The lazy sequence of ints that `range` returns. */
export class StarlarkRange extends StarlarkObject {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly size: number;

  /** All three are safe integers, and the step is not zero. */
  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.size = rangeLength(start, stop, step);
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

  /** The term at a valid index. */
  at(index: number): Value {
    return makeInt(this.start + index * this.step);
  }

  /** The terms from one index to another, stepping: the indices are within the range. */
  slice(start: number, end: number, step: number): StarlarkRange {
    const { start: origin, step: unit } = this;
    return new StarlarkRange(origin + unit * start, origin + unit * end, unit * step);
  }

  override *iterate(): Iterable<Value> {
    for (let i = 0; i < this.size; i++) yield this.at(i);
  }

  /** Whether an int is a term; other ints are not, however large. */
  has(n: number | bigint): boolean {
    if (typeof n === "bigint") return false;
    const delta = n - this.start;
    const index = delta / this.step;
    return delta % this.step === 0 && index >= 0 && index < this.size;
  }

  override equals(other: Value): boolean {
    if (!(other instanceof StarlarkRange) || other.size !== this.size) return false;
    if (this.size === 0) return true;
    return other.start === this.start && (this.size === 1 || other.step === this.step);
  }

  override hash(): number {
    throw fault("unhashable: range");
  }

  override get goTypeName(): string {
    return "starlark.rangeValue";
  }
}
