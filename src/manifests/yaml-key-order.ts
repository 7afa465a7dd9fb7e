const LETTER = /\p{L}/u;

/** goyaml's order of keys: digits compare as numbers, and what is no letter comes before letters. */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  const a = Array.from(left);
  const b = Array.from(right);
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    if (a[i] === b[i]) continue;
    const aLetter = LETTER.test(a[i]!);
    const bLetter = LETTER.test(b[i]!);
    if (aLetter && bLetter) return compareCodePoints(a[i]!, b[i]!);
    if (aLetter || bLetter) return bLetter ? -1 : 1;
    return compareDigits(a, b, i);
  }
  return a.length - b.length;
}

function compareDigits(a: readonly string[], b: readonly string[], at: number): number {
  // Zeros behind another digit are no leading zeros.
  const inNumber = (a[at] === "0" || b[at] === "0") && hasDigitBefore(a, at) ? 1n : 0n;
  const [aNumber, aEnd] = readDigits(a, at, inNumber);
  const [bNumber, bEnd] = readDigits(b, at, inNumber);
  if (aNumber !== bNumber) return aNumber < bNumber ? -1 : 1;
  return aEnd === bEnd ? compareCodePoints(a[at]!, b[at]!) : aEnd - bEnd;
}

function hasDigitBefore(characters: readonly string[], at: number): boolean {
  for (let i = at - 1; i >= 0 && isDigit(characters[i]); i -= 1) {
    if (characters[i] !== "0") return true;
  }
  return false;
}

function readDigits(
  characters: readonly string[],
  from: number,
  start: bigint,
): [value: bigint, end: number] {
  let value = start;
  let at = from;
  for (; isDigit(characters[at]); at += 1) {
    value = BigInt.asIntN(64, value * 10n + BigInt(characters[at]!));
  }
  return [value, at];
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9" && char.length === 1;
}

function compareCodePoints(a: string, b: string): number {
  return a.codePointAt(0)! - b.codePointAt(0)!;
}
