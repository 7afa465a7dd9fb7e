import { isTimestamp, resolvePlainScalar } from "./yaml-scalar.ts";

export type ScalarStyle = "plain" | "single" | "double" | "literal";

const LONGEST_SIMPLE_KEY = 128;
const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
/** Text that no rule of the emitter concerns, unless it reads as a number or a word such as `yes`. */
const PLAIN = /^[A-Za-z_/.0-9][\w./@=+~-]*$/;

/** Whether libyaml ends a line at a character. */
export function isBreak(char: string): boolean {
  return (
    char === "\n" || char === "\r" || char === "\u0085" || char === "\u2028" || char === "\u2029"
  );
}

/** Whether a key fits before a `:` on one line; a longer one needs `? `. */
export function isSimpleKey(key: string): boolean {
  if (/[\n\r\u0085\u2028\u2029]/.test(key)) return false;
  return key.length * 3 <= LONGEST_SIMPLE_KEY || Buffer.byteLength(key) <= LONGEST_SIMPLE_KEY;
}

/** The style in which goyaml writes a string. */
export function styleOf(text: string, simpleKey: boolean): ScalarStyle {
  const isString =
    typeof resolvePlainScalar(text) === "string" && !isTimestamp(text) && !BASE60.test(text);
  if (isString && PLAIN.test(text) && !text.startsWith("...")) return "plain";
  const allowed = analyzeScalar(text);
  let style: ScalarStyle = text.includes("\n") ? "literal" : isString ? "plain" : "double";
  if (simpleKey && allowed.multiline) style = "double";
  if (style === "plain" && !allowed.plain) style = "single";
  if (style === "single" && !allowed.single) style = "double";
  if (style === "literal" && (!allowed.block || simpleKey)) style = "double";
  return style;
}

interface AllowedStyles {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

/** Which styles can hold a text in block context (libyaml `yaml_emitter_analyze_scalar`). */
function analyzeScalar(text: string): AllowedStyles {
  if (text === "") return { multiline: false, plain: true, single: true, block: false };
  const multiline = /[\n\r\u0085\u2028\u2029]/.test(text);
  const special = UNPRINTABLE.test(text) || / [\n\r\u0085\u2028\u2029]/.test(text);
  const breakSpace = /[\n\r\u0085\u2028\u2029] /.test(text);
  const edge = /^[ \n\r\u0085\u2028\u2029]|[ \n\r\u0085\u2028\u2029]$/.test(text);
  const indicators =
    /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:](?:[ \t]|$)|-(?:[ \t]|$))/.test(text) ||
    /.:(?:[ \t]|$)/.test(text) ||
    /[ \t\n\r\0\u0085\u2028\u2029]#/.test(text);
  return {
    multiline,
    plain: !edge && !breakSpace && !special && !multiline && !indicators,
    single: !breakSpace && !special,
    block: !text.endsWith(" ") && !special,
  };
}

/** What libyaml will not write as it is; goyaml leaves out all beyond the basic plane. */
const UNPRINTABLE = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u00a0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

/** The escape sequence of a character in double quotes; undefined if it stands for itself. */
export function escapeCharacter(char: string): string | undefined {
  if (char !== '"' && char !== "\\" && !isBreak(char) && !UNPRINTABLE.test(char)) return undefined;
  const short = ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
