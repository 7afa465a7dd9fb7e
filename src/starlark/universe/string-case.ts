import { ascii, isAscii, type StarlarkString } from "../values/text.ts";
import {
  encodeRune,
  isCased,
  isDigit,
  isLetter,
  isLower,
  isSpace,
  isTitle,
  isUpper,
  runes,
  toLower,
  toTitle,
  toUpper,
} from "../values/unicode.ts";

/* The string methods that look at letters: they work on code points, with Go's simple case mapping. */

function mapRunes(text: string, map: (rune: number) => number): StarlarkString {
  return ascii(
    runes(text)
      .map((rune) => encodeRune(map(rune)))
      .join(""),
  );
}

/** `s.lower()`. */
export function lower(text: StarlarkString): StarlarkString {
  return isAscii(text) ? ascii(text.toLowerCase()) : mapRunes(text, toLower);
}

/** `s.upper()`. */
export function upper(text: StarlarkString): StarlarkString {
  return isAscii(text) ? ascii(text.toUpperCase()) : mapRunes(text, toUpper);
}

/** `s.capitalize()`. */
export function capitalize(text: StarlarkString): StarlarkString {
  let first = true;
  return mapRunes(text, (rune) => {
    const mapped = first ? toTitle(rune) : toLower(rune);
    first = false;
    return mapped;
  });
}

/** `s.title()`: a word begins after any code point without case. */
export function title(text: StarlarkString): StarlarkString {
  if (isAscii(text)) {
    return ascii(
      text.toLowerCase().replace(/[a-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1)),
    );
  }
  let previousCased = false;
  return mapRunes(text, (rune) => {
    const mapped = previousCased ? toLower(rune) : toTitle(rune);
    previousCased = isCased(mapped);
    return mapped;
  });
}

function everyRune(text: string, accepts: (rune: number) => boolean): boolean {
  return text !== "" && runes(text).every(accepts);
}

/** `s.isalnum()`. */
export function isalnum(text: StarlarkString): boolean {
  return everyRune(text, (rune) => isLetter(rune) || isDigit(rune));
}

/** `s.isalpha()`. */
export function isalpha(text: StarlarkString): boolean {
  return everyRune(text, isLetter);
}

/** `s.isdigit()`. */
export function isdigit(text: StarlarkString): boolean {
  return isAscii(text) ? /^[0-9]+$/.test(text) : everyRune(text, isDigit);
}

/** `s.isspace()`. */
export function isspace(text: StarlarkString): boolean {
  return everyRune(text, isSpace);
}

/** `s.islower()`. */
export function islower(text: StarlarkString): boolean {
  return runes(text).some(isCased) && text === lower(text);
}

/** `s.isupper()`. */
export function isupper(text: StarlarkString): boolean {
  return runes(text).some(isCased) && text === upper(text);
}

/** `s.istitle()`: capitals begin words, and there is a word. */
export function istitle(text: StarlarkString): boolean {
  let cased = false;
  let previousCased = false;
  for (const rune of runes(text)) {
    if ((rune >= 0x41 && rune <= 0x5a) || isTitle(rune)) {
      if (previousCased) return false;
      previousCased = cased = true;
    } else if (isLower(rune)) {
      if (!previousCased) return false;
      previousCased = cased = true;
    } else if (isUpper(rune)) return false;
    else previousCased = false;
  }
  return cased;
}
