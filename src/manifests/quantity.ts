/**
 * Kubernetes quantities in their canonical form, as `resource.Quantity` writes them: `1000m` is `1`, `1024Mi` is `1Gi`.
 */

const DECIMAL_SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"] as const;
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] as const;
const NANO = 10n ** 9n;

/** The canonical text of a quantity that checkQuantity() has nothing against. */
export function canonicalQuantity(text: string): string {
  const match = /^([-+]?)([0-9]*)(?:\.([0-9]*))?(.*)$/s.exec(text.trim());
  if (match === null) return text;
  const [, sign = "", integer = "", fraction = "", suffix = ""] = match;
  const digits = BigInt(`0${integer}${fraction}`);
  const [numerator, denominator] = scaleOf(suffix);
  const divisor = 10n ** BigInt(fraction.length) * denominator;
  // Finer than a billionth is rounded away from zero.
  const nanos = ceilingDivide(digits * numerator * NANO, divisor);
  if (nanos === 0n) return "0";
  return (sign === "-" ? "-" : "") + format(nanos, suffix);
}

function scaleOf(suffix: string): [numerator: bigint, denominator: bigint] {
  const binary = BINARY_SUFFIXES.indexOf(suffix as "Ki");
  if (suffix !== "" && binary >= 0) return [1024n ** BigInt(binary), 1n];
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  const power =
    exponent !== undefined ? Number(exponent) : 3 * DECIMAL_SUFFIXES.indexOf(suffix as "m") - 9;
  return power >= 0 ? [10n ** BigInt(power), 1n] : [1n, 10n ** BigInt(-power)];
}

function format(nanos: bigint, suffix: string): string {
  if (/^[KMGTPE]i$/.test(suffix) && nanos >= 1024n * NANO) return formatBinary(nanos);
  const [mantissa, exponent] = withoutTens(nanos);
  if (/^[eE][-+]?[0-9]/.test(suffix)) return `${mantissa}${exponent === 0 ? "" : `e${exponent}`}`;
  return `${mantissa}${DECIMAL_SUFFIXES[exponent / 3 + 3] ?? `e${exponent}`}`;
}

function formatBinary(nanos: bigint): string {
  let mantissa = ceilingDivide(nanos, NANO);
  let power = 0;
  while (mantissa % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    mantissa /= 1024n;
    power += 1;
  }
  return `${mantissa}${BINARY_SUFFIXES[power]}`;
}

/** Splits a number of billionths into a mantissa without trailing zeros and an exponent that is a multiple of 3. */
function withoutTens(nanos: bigint): [mantissa: bigint, exponent: number] {
  let mantissa = nanos;
  let exponent = -9;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0) {
    mantissa *= 10n;
    exponent -= 1;
  }
  return [mantissa, exponent];
}

function ceilingDivide(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
