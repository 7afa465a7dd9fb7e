import { Random } from "./random.ts";

/* Programs with a few random changes: by characters, which mostly breaks them, and by tokens and lines, which often does not. */

const TOKENS = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  ";",
  "=",
  "==",
  "+=",
  "**",
  "*",
  ".",
  "if",
  "else",
  "elif",
  "for",
  "in",
  "not",
  "def",
  "lambda",
  "return",
  "load",
  "pass",
  "break",
  "while",
  "and",
  "or",
  "1",
  "0x",
  "1e",
  "'",
  '"',
  '"""',
  "\\",
  "\n",
  "    ",
  "\t",
  "#",
  "None",
  "set",
  "é",
  "\u0000",
  "!",
  "~",
  "%",
  "x",
  "print",
];

const TOKEN = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#.*|[A-Za-z_]\w*|\d[\w.]*|[^\w\s]=?|\s+/g;

type TokenClass = "name" | "number" | "string" | "operator" | "space";

function classOf(token: string): TokenClass {
  if (/^\s/.test(token) || token.startsWith("#")) return "space";
  if (/^["']/.test(token)) return "string";
  if (/^\d/.test(token)) return "number";
  return /^\w/.test(token) ? "name" : "operator";
}

/** Changes characters, wherever they stand. */
function changeCharacters(source: string, random: Random): string {
  const at = random.below(source.length + 1);
  const length = random.below(4);
  switch (random.below(4)) {
    case 0:
      return source.slice(0, at) + source.slice(at + length);
    case 1:
      return source.slice(0, at) + random.pick(TOKENS) + source.slice(at);
    case 2:
      return source.slice(0, at) + random.pick(TOKENS) + source.slice(at + length);
    default: {
      const from = random.below(source.length + 1);
      return source.slice(0, at) + source.slice(from, from + random.below(30)) + source.slice(at);
    }
  }
}

/** Puts one of the program's own tokens in the place of another of its class. */
function changeToken(source: string, random: Random): string {
  const tokens: string[] = source.match(TOKEN) ?? [];
  const places = tokens.flatMap((token, i) => (classOf(token) === "space" ? [] : [i]));
  if (places.length === 0) return source;
  const place = random.pick(places);
  const wanted = classOf(tokens[place]!);
  const others = places.filter((i) => classOf(tokens[i]!) === wanted);
  tokens[place] = tokens[random.pick(others)]!;
  return tokens.join("");
}

/** Repeats, drops or moves a line. */
function changeLine(source: string, random: Random): string {
  const lines = source.split("\n");
  const from = random.below(lines.length);
  const [line] = random.chance(0.5) ? [lines[from]!] : lines.splice(from, 1);
  if (random.chance(0.8)) lines.splice(random.below(lines.length + 1), 0, line!);
  return lines.join("\n");
}

/** A program with a few random changes, the same for the same seed. */
export function mutateProgram(source: string, seed: number): string {
  const random = new Random(seed);
  const change = random.pick([changeCharacters, changeToken, changeToken, changeLine]);
  let text = source;
  for (let n = 1 + random.below(3); n > 0; n--) text = change(text, random);
  return text;
}
