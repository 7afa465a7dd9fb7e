import { DURATION_UNITS_MS } from "../../model/duration.ts";
import { goQuote } from "./quote.ts";

/**
 * Go's time.ParseDuration, in milliseconds.
 * @throws Error in Go's words.
 */
export function parseDuration(text: string): number {
  const invalid = () => new Error(`time: invalid duration ${goQuote(text)}`);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0;
  if (rest === "") throw invalid();
  let total = 0;
  while (rest !== "") {
    const number = /^(\d*)(\.(\d*))?/.exec(rest)!;
    if (!number[1] && !number[3]) throw invalid();
    rest = rest.slice(number[0].length);
    const unit = /^[^.\d]*/.exec(rest)![0];
    if (unit === "") throw new Error(`time: missing unit in duration ${goQuote(text)}`);
    const factor = DURATION_UNITS_MS[unit];
    if (factor === undefined) {
      throw new Error(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`);
    }
    rest = rest.slice(unit.length);
    total += Number(number[0]) * factor;
  }
  // 2^63 ns: about 292 years.
  if (total > 9223372036854.775) throw invalid();
  return sign * total;
}
