import { fault } from "../values/fault.ts";
import { charge } from "../values/fuel.ts";
import { StarlarkList, StarlarkTuple } from "../values/list.ts";
import { typeName } from "../values/repr.ts";
import { ascii, isAscii, type StarlarkString } from "../values/text.ts";
import { decodeLastRune, decodeRune, isSpace, runes } from "../values/unicode.ts";
import type { Value } from "../values/value.ts";
import { wantBool, wantInt, wantString } from "./method.ts";

/* The string methods that take text apart. */

function listOf(parts: readonly string[]): StarlarkList {
  charge(parts.length >> 3);
  return new StarlarkList(parts as readonly StarlarkString[] as Value[]);
}

/** The fields between white space; the last of `max` + 1 keeps what follows. */
function splitSpace(text: string, max: number): string[] {
  const fields: string[] = [];
  let start = -1;
  for (let at = 0; at < text.length; ) {
    const { rune, size } = decodeRune(text, at);
    if (!isSpace(rune)) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      if (fields.length === max) break;
      fields.push(text.slice(start, at));
      start = -1;
    }
    at += size;
  }
  if (start >= 0) fields.push(text.slice(start));
  return fields;
}

/** As `splitSpace`, but from the end. */
function splitSpaceRight(text: string, max: number): string[] {
  const fields: string[] = [];
  let end = -1;
  for (let at = text.length; at > 0; ) {
    const { rune, size } = decodeLastRune(text, at);
    if (!isSpace(rune)) {
      if (end < 0) end = at;
    } else if (end >= 0) {
      if (fields.length === max) break;
      fields.push(text.slice(at, end));
      end = -1;
    }
    at -= size;
  }
  if (end >= 0) fields.push(text.slice(0, end));
  return fields.reverse();
}

function splitFields(text: string): string[] {
  return isAscii(text)
    ? (text.match(/[^\t-\r ]+/g) ?? [])
    : splitSpace(text, Number.POSITIVE_INFINITY);
}

function joinHead(parts: string[], separator: string, count: number): string[] {
  return count > 1 ? [parts.slice(0, count).join(separator), ...parts.slice(count)] : parts;
}

function joinTail(parts: string[], separator: string, keep: number): string[] {
  return parts.length > keep + 1
    ? [...parts.slice(0, keep), parts.slice(keep).join(separator)]
    : parts;
}

/** `s.split` and `s.rsplit`. */
export function split(
  name: "split" | "rsplit",
  text: StarlarkString,
  separator?: Value,
  count?: Value,
): Value {
  const max = count === undefined ? -1 : wantInt(name, 2, count);
  if (separator === undefined || separator === null) {
    if (max < 0) return listOf(splitFields(text));
    return listOf(name === "split" ? splitSpace(text, max) : splitSpaceRight(text, max));
  }
  if (typeof separator !== "string") {
    throw fault(`split: got ${typeName(separator)} for separator, want string`);
  }
  if (separator === "") throw fault("split: empty separator");
  const parts = text.split(separator);
  if (max < 0) return listOf(parts);
  if (name === "split") return listOf(joinTail(parts, separator, max));
  return listOf(joinHead(parts, separator, parts.length - max));
}

/** `s.splitlines(keepends)`: only LF ends a line. */
export function splitlines(text: StarlarkString, keepends?: Value): Value {
  const keep = keepends !== undefined && wantBool("splitlines", 1, keepends);
  if (text === "") return new StarlarkList([]);
  const lines = text.split("\n");
  const ended = text.endsWith("\n");
  if (ended) lines.pop();
  if (!keep) return listOf(lines);
  return listOf(lines.map((line, i) => (i < lines.length - 1 || ended ? `${line}\n` : line)));
}

/** `s.partition` and `s.rpartition`. */
export function partition(
  name: "partition" | "rpartition",
  text: StarlarkString,
  by: Value,
): Value {
  const separator = wantString(name, 1, by);
  if (separator === "") throw fault(`${name}: empty separator`);
  const first = name === "partition";
  const at = first ? text.indexOf(separator) : text.lastIndexOf(separator);
  const none = ascii("");
  if (at < 0) return new StarlarkTuple(first ? [text, none, none] : [none, none, text]);
  return new StarlarkTuple([
    ascii(text.slice(0, at)),
    separator,
    ascii(text.slice(at + separator.length)),
  ]);
}

/** Which ends a strip method works on. */
export type StripName = "strip" | "lstrip" | "rstrip";

/** `s.strip`, `s.lstrip` and `s.rstrip`: of the given code points, or of white space. */
export function strip(name: StripName, text: StarlarkString, cutset?: Value): Value {
  const chars = cutset === undefined ? "" : wantString(name, 1, cutset);
  if (chars === "" && isAscii(text)) return stripAscii(name, text);
  const unwanted = new Set(runes(chars));
  const isUnwanted = chars === "" ? isSpace : (rune: number) => unwanted.has(rune);
  let start = 0;
  let end = text.length;
  while (name !== "rstrip" && start < end) {
    const { rune, size } = decodeRune(text, start);
    if (!isUnwanted(rune)) break;
    start += size;
  }
  while (name !== "lstrip" && end > start) {
    const { rune, size } = decodeLastRune(text, end);
    if (!isUnwanted(rune)) break;
    end -= size;
  }
  return ascii(text.slice(start, end));
}

function isAsciiSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

function stripAscii(name: StripName, text: StarlarkString): StarlarkString {
  let start = 0;
  let end = text.length;
  if (name !== "rstrip") while (start < end && isAsciiSpace(text.charCodeAt(start))) start++;
  if (name !== "lstrip") while (end > start && isAsciiSpace(text.charCodeAt(end - 1))) end--;
  return ascii(text.slice(start, end));
}
