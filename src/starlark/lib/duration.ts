import { fault } from "../values/fault.ts";
import { StarlarkFloat } from "../values/float.ts";
import { hashText } from "../values/hash.ts";
import { isInt, makeInt } from "../values/int.ts";
import { quote } from "../values/quote.ts";
import { ascii, type StarlarkString } from "../values/text.ts";
import { type BinaryOperator, StarlarkObject, type Value } from "../values/value.ts";

/** Nanoseconds of each unit that Go's ParseDuration knows. */
const UNITS = new Map([
  ["ns", 1n],
  ["us", 1000n],
  ["\u00c2\u00b5s", 1000n],
  ["\u00ce\u00bcs", 1000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/** Nanoseconds of a text such as `1h30m`, as Go's time.ParseDuration reads it. */
export function parseDuration(text: string): bigint {
  const invalid = () => fault(`time: invalid duration ${quote(text, false)}`);
  const body = text.replace(/^[-+]/, "");
  if (body === "0") return 0n;
  if (body === "") throw invalid();
  let total = 0n;
  let at = 0;
  while (at < body.length) {
    const part = /(\d*)(?:\.(\d*))?([^\d.]*)/y;
    part.lastIndex = at;
    const [found, whole, fraction = "", unit] = part.exec(body) as unknown as [
      string,
      string,
      string?,
      string?,
    ];
    if (whole + fraction === "") throw invalid();
    if (!unit) throw fault(`time: missing unit in duration ${quote(text, false)}`);
    const size = UNITS.get(unit);
    if (size === undefined) {
      throw fault(`time: unknown unit ${quote(unit, false)} in duration ${quote(text, false)}`);
    }
    total += BigInt(whole || "0") * size;
    if (fraction !== "") total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    at += found.length;
  }
  if (total > 2n ** 63n - 1n) throw invalid();
  return text.startsWith("-") ? -total : total;
}

function trimFraction(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}

/** Go's Duration.String, such as `1h30m0s`. */
function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const n = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (n < 1000n) return `${sign}${n}ns`;
  if (n < 1_000_000n) return `${sign}${trimFraction(n, 3)}\u00c2\u00b5s`;
  if (n < 1_000_000_000n) return `${sign}${trimFraction(n, 6)}ms`;
  const minutes = n / 60_000_000_000n;
  const seconds = trimFraction(n % 60_000_000_000n, 9);
  if (minutes === 0n) return `${sign}${seconds}s`;
  const hours = minutes / 60n;
  return `${sign}${hours > 0n ? `${hours}h` : ""}${minutes % 60n}m${seconds}s`;
}

/** A span of time, as Go has it: 64 bits of nanoseconds. */
export class Duration extends StarlarkObject {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = BigInt.asIntN(64, nanoseconds);
  }

  get typeName(): string {
    return "time.duration";
  }

  override repr(): StarlarkString {
    return ascii(formatDuration(this.nanoseconds));
  }

  override truth(): boolean {
    return this.nanoseconds !== 0n;
  }

  override hash(): number {
    return hashText(this.nanoseconds.toString());
  }

  override equals(other: Value): boolean {
    return other instanceof Duration && other.nanoseconds === this.nanoseconds;
  }

  override compare(other: Value): number {
    const theirs = (other as Duration).nanoseconds;
    return this.nanoseconds < theirs ? -1 : this.nanoseconds > theirs ? 1 : 0;
  }

  override attrNames(): string[] {
    return ["hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"];
  }

  override getAttr(name: string): Value | undefined {
    switch (name) {
      case "hours":
        return new StarlarkFloat(Number(this.nanoseconds) / 3.6e12);
      case "minutes":
        return new StarlarkFloat(Number(this.nanoseconds) / 6e10);
      case "seconds":
        return new StarlarkFloat(Number(this.nanoseconds) / 1e9);
      case "milliseconds":
        return makeInt(this.nanoseconds / 1_000_000n);
      case "microseconds":
        return makeInt(this.nanoseconds / 1000n);
      case "nanoseconds":
        return makeInt(this.nanoseconds);
      default:
        return undefined;
    }
  }

  override noSuchAttr(name: string): string {
    return `unrecognized time.duration attribute ${JSON.stringify(name)}`;
  }

  override binary(op: BinaryOperator, other: Value, side: "left" | "right"): Value | undefined {
    switch (op) {
      case "+":
        return other instanceof Duration
          ? new Duration(this.nanoseconds + other.nanoseconds)
          : undefined;
      case "-":
        return other instanceof Duration
          ? new Duration(this.nanoseconds - other.nanoseconds)
          : undefined;
      case "*":
        return isInt(other) ? new Duration(this.nanoseconds * BigInt(other)) : undefined;
      case "/":
        return this.#divide(other, side);
      case "//":
        if (!(other instanceof Duration)) return undefined;
        return makeInt(this.nanoseconds / this.#nonZero(other.nanoseconds));
      default:
        return undefined;
    }
  }

  #nonZero(n: bigint): bigint {
    if (n === 0n) throw fault("time.duration division by zero");
    return n;
  }

  #divide(other: Value, side: "left" | "right"): Value | undefined {
    if (other instanceof Duration) {
      return new StarlarkFloat(Number(this.nanoseconds) / Number(this.#nonZero(other.nanoseconds)));
    }
    if (isInt(other)) {
      if (side === "right") throw fault("unsupported operation");
      return new Duration(this.nanoseconds / this.#nonZero(BigInt(other)));
    }
    if (!(other instanceof StarlarkFloat)) return undefined;
    if (other.value === 0) this.#nonZero(0n);
    return new Duration(BigInt(Math.trunc(Number(this.nanoseconds) / other.value)));
  }
}
