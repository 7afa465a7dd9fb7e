import { goQuote } from "./quote.ts";

/*
 * Version ranges as the Go library that Tilt uses reads them: comparators joined by spaces (and) and `||` (or), `x` as
 * a wildcard part. npm's ranges differ (no caret here, and a pre-release is compared like any other version).
 */

interface Version {
  readonly numbers: readonly [number, number, number];
  readonly pre: readonly string[];
}

type Test = (version: Version) => boolean;

const COMPARE: Readonly<Record<string, (order: number) => boolean>> = {
  "": (order) => order === 0,
  "=": (order) => order === 0,
  "==": (order) => order === 0,
  "!": (order) => order !== 0,
  "!=": (order) => order !== 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
};

/**
 * Whether a version lies in a range.
 * @throws Error in the library's words when the range is malformed
 */
export function inSemverRange(version: string, range: string): boolean {
  const parsed = parseVersion(version);
  const alternatives = splitAlternatives(range).map((parts) => parts.flatMap(parseComparator));
  return alternatives.some((tests) => tests.every((test) => test(parsed)));
}

/** Drops spaces after operators, then splits at `||` and spaces. */
function splitAlternatives(range: string): string[][] {
  const tokens = range
    .replace(/([<>=!]+)\s+/g, "$1")
    .split(/\s+/)
    .filter((token) => token !== "");
  const alternatives: string[][] = [[]];
  for (const [index, token] of tokens.entries()) {
    if (token !== "||") alternatives.at(-1)!.push(token);
    else if (index === 0) throw new Error("First element in range is '||'");
    else if (index === tokens.length - 1) throw new Error("Last element in range is '||'");
    else alternatives.push([]);
  }
  return alternatives;
}

function parseComparator(token: string): Test[] {
  const start = token.search(/[\d]/);
  if (start < 0) throw new Error(`Could not get version from string: ${goQuote(token)}`);
  const operator = token.slice(0, start);
  const compare = Object.hasOwn(COMPARE, operator) ? COMPARE[operator] : undefined;
  if (compare === undefined) {
    throw new Error(
      `Could not parse Range ${goQuote(token)}: Could not parse comparator ${goQuote(operator)} in ${goQuote(token)}`,
    );
  }
  const text = token.slice(start);
  if (/(^|\.)x(\.|$)/.test(text)) return wildcard(operator, text);
  const bound = boundVersion(text, token);
  return [(version) => compare(compareVersions(version, bound))];
}

function boundVersion(text: string, token: string): Version {
  try {
    return parseVersion(text);
  } catch (error) {
    throw new Error(
      `Could not parse Range ${goQuote(token)}: Could not parse version ${goQuote(text)} in ${goQuote(token)}: ${(error as Error).message}`,
    );
  }
}

/** `1.x` is `>=1.0.0 <2.0.0`; with `>`, `<` and the like the bound moves accordingly. */
function wildcard(operator: string, text: string): Test[] {
  const known = text
    .split(".")
    .filter((part) => part !== "x")
    .map(Number);
  const low = known.concat([0, 0, 0]).slice(0, 3) as [number, number, number];
  const high = [...low] as [number, number, number];
  const last = Math.min(known.length, 2) - 1;
  high[Math.max(last, 0)]! += 1;
  const atLeast: Test = (version) => compareNumbers(version.numbers, low) >= 0;
  const below: Test = (version) => compareNumbers(version.numbers, high) < 0;
  switch (operator) {
    case ">":
      return [(version) => !below(version)];
    case ">=":
      return [atLeast];
    case "<":
      return [(version) => !atLeast(version)];
    case "<=":
      return [below];
    case "!":
    case "!=":
      return [(version) => !(atLeast(version) && below(version))];
    default:
      return [atLeast, below];
  }
}

function parseVersion(text: string): Version {
  if (text === "") throw new Error("Version string empty");
  const [withoutBuild = ""] = text.split("+");
  const dash = withoutBuild.indexOf("-");
  const core = dash < 0 ? withoutBuild : withoutBuild.slice(0, dash);
  const [major, minor, ...rest] = core.split(".");
  if (rest.length === 0) throw new Error("No Major.Minor.Patch elements found");
  const names = ["Major", "Minor", "Patch"];
  const numbers = [major!, minor!, rest.join(".")].map((part, index) => {
    if (!/^\d+$/.test(part)) {
      throw new Error(
        index === 2
          ? `Invalid character(s) found in patch number ${goQuote(part)}`
          : `Invalid character(s) found in ${names[index]!.toLowerCase()} number ${goQuote(part)}`,
      );
    }
    if (part.length > 1 && part.startsWith("0")) {
      throw new Error(`${names[index]} number must not contain leading zeroes ${goQuote(part)}`);
    }
    return Number(part);
  });
  const pre = dash < 0 ? [] : withoutBuild.slice(dash + 1).split(".");
  return { numbers: numbers as unknown as Version["numbers"], pre };
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < 3; i++) {
    const order = a[i]! - b[i]!;
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

function compareVersions(a: Version, b: Version): number {
  const order = compareNumbers(a.numbers, b.numbers);
  if (order !== 0) return order;
  if (a.pre.length === 0 || b.pre.length === 0) {
    return Math.sign(Number(a.pre.length === 0) - Number(b.pre.length === 0));
  }
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const order = comparePre(a.pre[i], b.pre[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePre(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return Math.sign(Number(a) - Number(b));
  if (x !== y) return x ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
