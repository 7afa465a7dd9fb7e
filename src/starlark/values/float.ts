import { ascii, type StarlarkString } from "./text.ts";
import { StarlarkObject } from "./value.ts";

/** A float. Boxed, so that ints can be plain numbers. */
export class StarlarkFloat extends StarlarkObject {
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }

  get typeName(): string {
    return "float";
  }

  override repr(): StarlarkString {
    return ascii(formatFloat(this.value, "g"));
  }

  override truth(): boolean {
    return this.value !== 0;
  }

  override get goTypeName(): string {
    return "starlark.Float";
  }
}

/** The conversions of `%` that take a float. */
export type FloatConversion = "e" | "f" | "g" | "E" | "F" | "G";

function nonFinite(x: number): string | undefined {
  if (Number.isFinite(x)) return undefined;
  if (Number.isNaN(x)) return "nan";
  return x > 0 ? "+inf" : "-inf";
}

/** The shortest digits that read back as the number; with an exponent below 1e-4 and from 1e6, as Go's `%g`. */
function shortest(x: number): string {
  const [mantissa, exponentText] = Math.abs(x).toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  if (exponent < -4 || exponent >= 6) return `${sign}${mantissa}e${exponentDigits(exponent)}`;
  const digits = mantissa.replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1)
    return `${sign}${digits}${"0".repeat(exponent + 1 - digits.length)}`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function exponentDigits(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${`${Math.abs(exponent)}`.padStart(2, "0")}`;
}

/** The digits of `%f` with six decimals, exact also from 1e21, where JavaScript gives up. */
function fixed(x: number): string {
  if (Math.abs(x) < 1e21) return Object.is(x, -0) ? "-0.000000" : x.toFixed(6);
  return `${BigInt(x)}.000000`;
}

/** A float as `str` ("g") or a `%` conversion writes it, in Go's formats. */
export function formatFloat(x: number, conversion: FloatConversion): string {
  const special = nonFinite(x);
  if (special !== undefined) return special;
  const upper = conversion < "a";
  let text: string;
  if (conversion === "g" || conversion === "G") {
    text = shortest(x);
    if (!/[.e]/.test(text)) text += ".0";
  } else if (conversion === "f" || conversion === "F") {
    text = fixed(x);
  } else {
    const [mantissa, exponent] = x.toExponential(6).split("e") as [string, string];
    text = `${Object.is(x, -0) ? "-" : ""}${mantissa}e${exponentDigits(Number(exponent))}`;
  }
  return upper ? text.toUpperCase() : text;
}
