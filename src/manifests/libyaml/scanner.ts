import { LibyamlError, type Mark, scannerError, type Token, type TokenType } from "./token.ts";

/**
 * libyaml's scanner: text to tokens, with its rules and messages (goyaml v2's `scannerc.go` says why each is there).
 */

interface SimpleKey {
  possible: boolean;
  required: boolean;
  tokenNumber: number;
  mark: Mark;
}

const MAX_DEPTH = 10_000;
/** A key that is not announced by `?` may be this long, in characters. */
const MAX_SIMPLE_KEY = 1024;
/** libyaml decodes its input in blocks: a bad character spoils its whole block. */
const BLOCK = 512;
const START: Mark = { index: 0, line: 0, column: 0 };
const NOT_ALLOWED =
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  t: "\t",
  "\t": "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  e: "\x1b",
  " ": " ",
  '"': '"',
  "'": "'",
  "/": "/",
  "\\": "\\",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const NO_KEY = { possible: false, required: false, mark: START } as const;
const PLAIN_START_EXCEPTIONS = "-?:,[]{}#&*!|>'\"%@`";

export class Scanner {
  readonly #text: string;
  readonly #firstBad: number;
  readonly #tokens: Token[] = [];
  #head = 0;
  #parsed = 0;
  /** The first token is known to be complete. */
  #isAvailable = false;
  #index = 0;
  #line = 0;
  #column = 0;
  #streamEnded = false;
  #indent = -1;
  readonly #indents: number[] = [];
  #simpleKeyAllowed = true;
  readonly #simpleKeys: SimpleKey[] = [{ ...NO_KEY, tokenNumber: 0 }];
  /**
   * Number of a token to the level of the key that it begins. An empty flow collection takes its own entry away, so
   * that it cannot be a key: that is goyaml's.
   */
  readonly #keyLevels = new Map<number, number>();
  #flowLevel = 0;

  constructor(text: string) {
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
    const bad = NOT_ALLOWED.exec(this.#text);
    this.#firstBad = bad === null ? Number.POSITIVE_INFINITY : bad.index;
  }

  /** The next token, which stays. */
  peek(): Token {
    if (!this.#isAvailable) this.#fetchMoreTokens();
    return this.#tokens[this.#head]!;
  }

  /** Goes past the token that peek() gave. */
  skip(): void {
    this.#isAvailable = false;
    this.#head += 1;
    this.#parsed += 1;
    if (this.#head > 1024) {
      this.#tokens.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #fetchMoreTokens(): void {
    for (;;) {
      if (this.#head < this.#tokens.length) {
        // A token waits as long as a key could still be put before it.
        const key = this.#keyBeforeHead();
        if (key === undefined || !this.#isValid(key)) break;
      }
      this.#fetchNextToken();
    }
    this.#isAvailable = true;
  }

  #mark(): Mark {
    return { index: this.#index, line: this.#line, column: this.#column };
  }

  /** The key that a `:` further on would put before the first token. */
  #keyBeforeHead(): SimpleKey | undefined {
    const level = this.#keyLevels.get(this.#parsed);
    return level === undefined ? undefined : this.#simpleKeys[level];
  }

  #at(offset = 0): string {
    return this.#text[this.#index + offset] ?? "";
  }

  #advance(count = 1): void {
    this.#index += count;
    this.#column += count;
  }

  /** Reads a line break, which comes out as libyaml normalises it. */
  #readBreak(): string {
    const char = this.#at();
    if (!isBreak(char)) return "";
    this.#index += char === "\r" && this.#at(1) === "\n" ? 2 : 1;
    this.#column = 0;
    this.#line += 1;
    return char === "\u2028" || char === "\u2029" ? char : "\n";
  }

  #push(type: TokenType, start: Mark, value = ""): void {
    this.#tokens.push({ type, start, end: this.#mark(), value });
  }

  #fail(problem: string, context?: Mark): LibyamlError {
    return scannerError(problem, this.#mark(), context);
  }

  /** What libyaml's reader would complain of when it decodes the block that holds the next characters. */
  #checkCharacters(): void {
    const decoded = (Math.floor((this.#index + 4) / BLOCK) + 1) * BLOCK;
    if (this.#firstBad < decoded) throw new LibyamlError("control characters are not allowed");
  }

  #fetchNextToken(): void {
    this.#checkCharacters();
    this.#scanToNextToken();
    this.#checkCharacters();
    this.#unrollIndent(this.#column);
    const char = this.#at();
    if (char === "") this.#fetchStreamEnd();
    else if (this.#column === 0 && char === "%") this.#fetchDirective();
    else if (this.#isDocumentIndicator("-")) this.#fetchDocumentIndicator("document-start");
    else if (this.#isDocumentIndicator(".")) this.#fetchDocumentIndicator("document-end");
    else this.#fetchContent(char);
  }

  #fetchContent(char: string): void {
    const isFlow = this.#flowLevel > 0;
    const nextIsBlank = isBlankOrEnd(this.#at(1));
    if (char === "[") this.#fetchFlowStart("flow-sequence-start");
    else if (char === "{") this.#fetchFlowStart("flow-mapping-start");
    else if (char === "]") this.#fetchFlowEnd("flow-sequence-end");
    else if (char === "}") this.#fetchFlowEnd("flow-mapping-end");
    else if (char === ",") this.#fetchFlowEntry();
    else if (char === "-" && nextIsBlank) this.#fetchBlockEntry();
    else if (char === "?" && (isFlow || nextIsBlank)) this.#fetchKey();
    else if (char === ":" && (isFlow || nextIsBlank)) this.#fetchValue();
    else if (char === "*") this.#fetchNamed(() => this.#scanAnchor("alias"));
    else if (char === "&") this.#fetchNamed(() => this.#scanAnchor("anchor"));
    else if (char === "!") this.#fetchNamed(() => this.#scanTag());
    else if ((char === "|" || char === ">") && !isFlow) this.#fetchBlockScalar(char === "|");
    else if (char === "'" || char === '"') this.#fetchNamed(() => this.#scanQuoted(char));
    else if (this.#startsPlain(char)) this.#fetchNamed(() => this.#scanPlain());
    else throw this.#fail("found character that cannot start any token", this.#mark());
  }

  #startsPlain(char: string): boolean {
    const next = this.#at(1);
    if (!isBlankOrEnd(char) && !PLAIN_START_EXCEPTIONS.includes(char)) return true;
    if (char === "-") return next !== " " && next !== "\t";
    return this.#flowLevel === 0 && (char === "?" || char === ":") && !isBlankOrEnd(next);
  }

  #isDocumentIndicator(char: string): boolean {
    return (
      this.#column === 0 &&
      this.#text.startsWith(char.repeat(3), this.#index) &&
      isBlankOrEnd(this.#at(3))
    );
  }

  /** Whether a key may still end with a `:`: it must be on this line and near. */
  #isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    if (key.mark.line >= this.#line && key.mark.index + MAX_SIMPLE_KEY >= this.#index) return true;
    if (key.required) throw this.#fail("could not find expected ':'", key.mark);
    key.possible = false;
    return false;
  }

  #saveSimpleKey(): void {
    const required = this.#flowLevel === 0 && this.#indent === this.#column;
    if (!this.#simpleKeyAllowed) return;
    this.#removeSimpleKey();
    this.#simpleKeys[this.#simpleKeys.length - 1] = {
      possible: true,
      required,
      tokenNumber: this.#nextTokenNumber(),
      mark: this.#mark(),
    };
    this.#keyLevels.set(this.#nextTokenNumber(), this.#simpleKeys.length - 1);
  }

  #nextTokenNumber(): number {
    return this.#parsed + this.#tokens.length - this.#head;
  }

  #removeSimpleKey(): void {
    const key = this.#simpleKeys.at(-1)!;
    if (!key.possible) return;
    if (key.required) throw this.#fail("could not find expected ':'", key.mark);
    this.#forget(key);
  }

  #forget(key: SimpleKey): void {
    key.possible = false;
    this.#keyLevels.delete(key.tokenNumber);
  }

  #rollIndent(column: number, type: TokenType, mark: Mark, tokenNumber?: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    if (this.#indents.length > MAX_DEPTH) {
      throw this.#fail(`exceeded max depth of ${MAX_DEPTH}`, mark);
    }
    const token: Token = { type, start: mark, end: mark, value: "" };
    this.#insert(token, tokenNumber);
  }

  /** Before the token of a number, if that one still waits. */
  #insert(token: Token, tokenNumber = -1): void {
    const at = tokenNumber - this.#parsed;
    if (at < 0) this.#tokens.push(token);
    else this.#tokens.splice(this.#head + at, 0, token);
  }

  #unrollIndent(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push("block-end", this.#mark());
      this.#indent = this.#indents.pop()!;
    }
  }

  #fetchStreamEnd(): void {
    if (this.#streamEnded) return;
    if (this.#column !== 0) {
      this.#column = 0;
      this.#line += 1;
    }
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#streamEnded = true;
    this.#push("stream-end", this.#mark());
  }

  #fetchDirective(): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    this.#scanDirective();
  }

  #fetchDocumentIndicator(type: TokenType): void {
    this.#unrollIndent(-1);
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = false;
    const start = this.#mark();
    this.#advance(3);
    this.#push(type, start);
  }

  #fetchFlowStart(type: TokenType): void {
    this.#saveSimpleKey();
    this.#simpleKeys.push({ ...NO_KEY, tokenNumber: this.#nextTokenNumber() });
    this.#flowLevel += 1;
    if (this.#flowLevel > MAX_DEPTH) throw this.#fail(`exceeded max depth of ${MAX_DEPTH}`);
    this.#simpleKeyAllowed = true;
    this.#indicator(type);
  }

  #fetchFlowEnd(type: TokenType): void {
    this.#removeSimpleKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel -= 1;
      this.#keyLevels.delete(this.#simpleKeys.pop()!.tokenNumber);
    }
    this.#simpleKeyAllowed = false;
    this.#indicator(type);
  }

  #fetchFlowEntry(): void {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#indicator("flow-entry");
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) {
        throw this.#fail("block sequence entries are not allowed in this context", this.#mark());
      }
      this.#rollIndent(this.#column, "block-sequence-start", this.#mark());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#indicator("block-entry");
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) {
      if (!this.#simpleKeyAllowed) {
        throw this.#fail("mapping keys are not allowed in this context", this.#mark());
      }
      this.#rollIndent(this.#column, "block-mapping-start", this.#mark());
    }
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = this.#flowLevel === 0;
    this.#indicator("key");
  }

  #fetchValue(): void {
    const key = this.#simpleKeys.at(-1)!;
    if (this.#isValid(key)) {
      const { mark, tokenNumber } = key;
      this.#insert({ type: "key", start: mark, end: mark, value: "" }, tokenNumber);
      this.#rollIndent(mark.column, "block-mapping-start", mark, tokenNumber);
      this.#forget(key);
      this.#simpleKeyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#simpleKeyAllowed) {
          throw this.#fail("mapping values are not allowed in this context", this.#mark());
        }
        this.#rollIndent(this.#column, "block-mapping-start", this.#mark());
      }
      this.#simpleKeyAllowed = this.#flowLevel === 0;
    }
    this.#indicator("value");
  }

  #indicator(type: TokenType): void {
    const start = this.#mark();
    this.#advance();
    this.#push(type, start);
  }

  #fetchNamed(scan: () => void): void {
    this.#saveSimpleKey();
    this.#simpleKeyAllowed = false;
    scan();
  }

  #fetchBlockScalar(isLiteral: boolean): void {
    this.#removeSimpleKey();
    this.#simpleKeyAllowed = true;
    this.#scanBlockScalar(isLiteral);
  }

  #scanToNextToken(): void {
    for (;;) {
      const tabsToo = this.#flowLevel > 0 || !this.#simpleKeyAllowed;
      while (this.#at() === " " || (tabsToo && this.#at() === "\t")) this.#advance();
      if (this.#at() === "#") this.#skipComment();
      if (!isBreak(this.#at())) return;
      this.#readBreak();
      if (this.#flowLevel === 0) this.#simpleKeyAllowed = true;
    }
  }

  #skipComment(): void {
    const text = this.#text;
    let at = this.#index;
    while (at < text.length && !isBreakCode(text.charCodeAt(at))) at += 1;
    this.#advance(at - this.#index);
  }

  #skipBlanks(): void {
    while (isBlank(this.#at())) this.#advance();
  }

  #scanDirective(): void {
    const start = this.#mark();
    this.#advance();
    const name = this.#take(/[-\w]/);
    if (name === "") throw this.#fail("could not find expected directive name", start);
    if (!isBlankOrEnd(this.#at())) {
      throw this.#fail("found unexpected non-alphabetical character", start);
    }
    if (name === "YAML") this.#scanVersion(start);
    else if (name === "TAG") this.#scanTagDirective(start);
    else throw this.#fail("found unknown directive name", start);
    this.#skipBlanks();
    if (this.#at() === "#") this.#skipComment();
    if (!isBreakOrEnd(this.#at())) {
      throw this.#fail("did not find expected comment or line break", start);
    }
    this.#readBreak();
  }

  #scanVersion(start: Mark): void {
    this.#skipBlanks();
    const major = this.#scanVersionNumber(start);
    if (this.#at() !== ".") {
      throw this.#fail("did not find expected digit or '.' character", start);
    }
    this.#advance();
    const minor = this.#scanVersionNumber(start);
    this.#push("version-directive", start, `${major}.${minor}`);
  }

  #scanVersionNumber(start: Mark): number {
    let digits = "";
    while (/[0-9]/.test(this.#at())) {
      if (digits.length === 2) throw this.#fail("found extremely long version number", start);
      digits += this.#at();
      this.#advance();
    }
    if (digits === "") throw this.#fail("did not find expected version number", start);
    return Number(digits);
  }

  #scanTagDirective(start: Mark): void {
    this.#skipBlanks();
    const handle = this.#scanTagHandle(true, start);
    if (!isBlank(this.#at())) throw this.#fail("did not find expected whitespace", start);
    this.#skipBlanks();
    const suffix = this.#scanTagUri("", start);
    if (!isBlankOrEnd(this.#at())) {
      throw this.#fail("did not find expected whitespace or line break", start);
    }
    const end = this.#mark();
    this.#tokens.push({ type: "tag-directive", start, end, value: handle, suffix });
  }

  #take(pattern: RegExp): string {
    const from = this.#index;
    while (this.#at() !== "" && pattern.test(this.#at())) this.#advance();
    return this.#text.slice(from, this.#index);
  }

  #scanAnchor(type: "alias" | "anchor"): void {
    const start = this.#mark();
    this.#advance();
    const name = this.#take(/[-\w]/);
    const end = this.#mark();
    if (name === "" || !(isBlankOrEnd(this.#at()) || "?:,]}%@`".includes(this.#at()))) {
      throw this.#fail("did not find expected alphabetic or numeric character", start);
    }
    this.#tokens.push({ type, start, end, value: name });
  }

  #scanTag(): void {
    const start = this.#mark();
    let handle = "";
    let suffix: string;
    if (this.#at(1) === "<") {
      this.#advance(2);
      suffix = this.#scanTagUri("", start);
      if (this.#at() !== ">") throw this.#fail("did not find the expected '>'", start);
      this.#advance();
    } else {
      handle = this.#scanTagHandle(false, start);
      if (handle.length > 1 && handle.startsWith("!") && handle.endsWith("!")) {
        suffix = this.#scanTagUri("", start);
      } else {
        suffix = this.#scanTagUri(handle, start);
        handle = "!";
        // The tag `!` alone: a handle without a suffix is a suffix without a handle.
        if (suffix === "") [handle, suffix] = ["", "!"];
      }
    }
    if (!isBlankOrEnd(this.#at())) {
      throw this.#fail("did not find expected whitespace or line break", start);
    }
    const end = this.#mark();
    this.#tokens.push({ type: "tag", start, end, value: handle, suffix });
  }

  #scanTagHandle(isDirective: boolean, start: Mark): string {
    if (this.#at() !== "!") throw this.#fail("did not find expected '!'", start);
    this.#advance();
    const name = this.#take(/[-\w]/);
    if (this.#at() === "!") {
      this.#advance();
      return `!${name}!`;
    }
    if (isDirective && name !== "") {
      throw this.#fail("did not find expected '!'", start);
    }
    return `!${name}`;
  }

  #scanTagUri(head: string, start: Mark): string {
    let uri = head.slice(1);
    let found = head !== "";
    for (; /[-\w;/?:@&=+$,.!~*'()[\]%]/.test(this.#at()); found = true) {
      if (this.#at() === "%") uri += this.#scanUriEscapes(start);
      else {
        uri += this.#at();
        this.#advance();
      }
    }
    if (!found) throw this.#fail("did not find expected tag URI", start);
    return uri;
  }

  #scanUriEscapes(start: Mark): string {
    const escapes = /^(?:%[0-9a-fA-F]{2})+/.exec(this.#text.slice(this.#index))?.[0];
    if (escapes === undefined) throw this.#fail("did not find URI escaped octet", start);
    this.#advance(escapes.length);
    return Buffer.from(escapes.replaceAll("%", ""), "hex").toString();
  }

  #scanBlockScalar(isLiteral: boolean): void {
    const start = this.#mark();
    this.#advance();
    const { chomping, increment } = this.#scanBlockHeader(start);
    let indent = increment === 0 ? 0 : Math.max(this.#indent, 0) + increment;
    let text = "";
    let leadingBreak = "";
    let leadingBlank = false;
    let breaks = "";
    let end = this.#mark();
    const scanBreaks = () => {
      end = this.#mark();
      [indent, breaks, end] = this.#scanBlockBreaks(indent, start, end);
    };
    scanBreaks();
    while (this.#column === indent && this.#at() !== "") {
      const isBlankLine = isBlank(this.#at());
      if (!isLiteral && !leadingBlank && !isBlankLine && leadingBreak === "\n") {
        if (breaks === "") text += " ";
      } else text += leadingBreak;
      text += breaks;
      leadingBlank = isBlankLine;
      const from = this.#index;
      this.#skipComment();
      text += this.#text.slice(from, this.#index);
      leadingBreak = this.#readBreak();
      scanBreaks();
    }
    if (chomping !== "-") text += leadingBreak;
    if (chomping === "+") text += breaks;
    this.#tokens.push({ type: "scalar", start, end, value: text, isPlain: false });
  }

  #scanBlockHeader(start: Mark): { chomping: string; increment: number } {
    let chomping = "";
    let increment = 0;
    for (let part = 0; part < 2; part += 1) {
      const char = this.#at();
      if (chomping === "" && (char === "+" || char === "-")) chomping = char;
      else if (increment === 0 && /[0-9]/.test(char)) {
        if (char === "0") throw this.#fail("found an indentation indicator equal to 0", start);
        increment = Number(char);
      } else break;
      this.#advance();
    }
    this.#skipBlanks();
    if (this.#at() === "#") this.#skipComment();
    if (!isBreakOrEnd(this.#at())) {
      throw this.#fail("did not find expected comment or line break", start);
    }
    this.#readBreak();
    return { chomping, increment };
  }

  #scanBlockBreaks(
    indent: number,
    start: Mark,
    from: Mark,
  ): [indent: number, breaks: string, end: Mark] {
    let breaks = "";
    let maxIndent = 0;
    let end = from;
    for (;;) {
      const below = () => indent === 0 || this.#column < indent;
      while (below() && this.#at() === " ") this.#advance();
      maxIndent = Math.max(maxIndent, this.#column);
      if (below() && this.#at() === "\t") {
        throw this.#fail("found a tab character where an indentation space is expected", start);
      }
      if (!isBreak(this.#at())) break;
      breaks += this.#readBreak();
      end = this.#mark();
    }
    return [indent || Math.max(maxIndent, this.#indent + 1, 1), breaks, end];
  }

  #scanQuoted(quote: string): void {
    const start = this.#mark();
    this.#advance();
    let text = "";
    for (;;) {
      if (this.#isDocumentIndicator("-") || this.#isDocumentIndicator(".")) {
        throw this.#fail("found unexpected document indicator", start);
      }
      if (this.#at() === "") throw this.#fail("found unexpected end of stream", start);
      const [content, escapedBreak] = this.#scanQuotedText(quote, start);
      text += content;
      if (this.#at() === quote) break;
      text += this.#foldQuoted(escapedBreak);
    }
    this.#advance();
    this.#push("scalar", start, text);
  }

  /** Text up to a blank, a break or the closing quote, and whether a break behind a backslash ended it. */
  #scanQuotedText(quote: string, start: Mark): [text: string, escapedBreak: boolean] {
    let text = "";
    for (;;) {
      text += this.#scanPlainlyQuoted(quote);
      const char = this.#at();
      if (isBlankOrEnd(char)) break;
      if (quote === "'" && char === "'" && this.#at(1) === "'") {
        text += "'";
        this.#advance(2);
      } else if (char === quote) break;
      else if (quote === '"' && char === "\\") {
        if (isBreak(this.#at(1))) {
          this.#advance();
          this.#readBreak();
          return [text, true];
        }
        text += this.#scanEscape(start);
      }
    }
    return [text, false];
  }

  /** Characters that stand for themselves. */
  #scanPlainlyQuoted(quote: string): string {
    const text = this.#text;
    const from = this.#index;
    let at = from;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 0x5c && code < 0x7f) continue;
      if (isBlankOrEnd(text[at]!) || text[at] === quote) break;
      if (code === 0x5c && quote === '"') break;
    }
    this.#advance(at - from);
    return text.slice(from, at);
  }

  #scanEscape(start: Mark): string {
    const char = this.#at(1);
    const simple = ESCAPES[char];
    const length = HEX_LENGTHS[char];
    if (simple !== undefined) {
      this.#advance(2);
      return simple;
    }
    if (length === undefined) throw this.#fail("found unknown escape character", start);
    this.#advance(2);
    const hex = this.#text.slice(this.#index, this.#index + length);
    if (!new RegExp(`^[0-9a-fA-F]{${length}}$`).test(hex)) {
      throw this.#fail("did not find expected hexdecimal number", start);
    }
    const code = Number.parseInt(hex, 16);
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
      throw this.#fail("found invalid Unicode character escape code", start);
    }
    this.#advance(length);
    return String.fromCodePoint(code);
  }

  /** Blanks and breaks inside of quotes: a single break is a space, further ones stay. */
  #foldQuoted(escapedBreak: boolean): string {
    let blanks = "";
    let leadingBreak = "";
    let breaks = "";
    let isAfterBreak = escapedBreak;
    while (isBlank(this.#at()) || isBreak(this.#at())) {
      if (isBlank(this.#at())) {
        if (!isAfterBreak) blanks += this.#at();
        this.#advance();
      } else if (isAfterBreak) breaks += this.#readBreak();
      else {
        blanks = "";
        leadingBreak = this.#readBreak();
        isAfterBreak = true;
      }
    }
    return isAfterBreak ? joinFolded(leadingBreak, breaks) : blanks;
  }

  #scanPlain(): void {
    const start = this.#mark();
    const indent = this.#indent + 1;
    let end = start;
    let text = "";
    let blanks = "";
    let leadingBreak = "";
    let breaks = "";
    let isAfterBreak = false;
    for (;;) {
      if (this.#isDocumentIndicator("-") || this.#isDocumentIndicator(".")) break;
      if (this.#at() === "#") break;
      const word = this.#scanPlainWord();
      if (word !== "") {
        text += (isAfterBreak ? joinFolded(leadingBreak, breaks) : blanks) + word;
        blanks = leadingBreak = breaks = "";
        isAfterBreak = false;
        end = this.#mark();
      }
      if (!isBlank(this.#at()) && !isBreak(this.#at())) break;
      while (isBlank(this.#at()) || isBreak(this.#at())) {
        if (isBlank(this.#at())) {
          if (isAfterBreak && this.#column < indent && this.#at() === "\t") {
            throw this.#fail("found a tab character that violates indentation", start);
          }
          if (!isAfterBreak) blanks += this.#at();
          this.#advance();
        } else if (isAfterBreak) breaks += this.#readBreak();
        else {
          blanks = "";
          leadingBreak = this.#readBreak();
          isAfterBreak = true;
        }
      }
      if (this.#flowLevel === 0 && this.#column < indent) break;
    }
    this.#tokens.push({ type: "scalar", start, end, value: text, isPlain: true });
    if (isAfterBreak) this.#simpleKeyAllowed = true;
  }

  #scanPlainWord(): string {
    const text = this.#text;
    const from = this.#index;
    let at = from;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      // Letters, digits and most signs end nothing.
      if (code > 0x40 && code < 0x5b) continue;
      if (code > 0x5e && code < 0x7b) continue;
      if (code === 0x20 || isBlankOrEnd(text[at]!)) break;
      if (code === 0x3a && isBlankOrEnd(text[at + 1] ?? "")) break;
      if (this.#flowLevel > 0 && ",?[]{}".includes(text[at]!)) break;
    }
    this.#advance(at - from);
    return text.slice(from, at);
  }
}

function joinFolded(leadingBreak: string, breaks: string): string {
  if (leadingBreak !== "\n") return leadingBreak + breaks;
  return breaks === "" ? " " : breaks;
}

function isBlank(char: string): boolean {
  return char === " " || char === "\t";
}

function isBreak(char: string): boolean {
  return char !== "" && isBreakCode(char.charCodeAt(0));
}

function isBreakCode(code: number): boolean {
  return code === 0x0a || code === 0x0d || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** Also true at the end of the text, where `char` is empty. */
function isBreakOrEnd(char: string): boolean {
  return char === "" || isBreak(char);
}

function isBlankOrEnd(char: string): boolean {
  return isBlank(char) || isBreakOrEnd(char);
}
