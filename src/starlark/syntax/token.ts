/* Kinds of tokens: small numbers, which the parser switches on. */

export const EOF = 0;
export const NEWLINE = 1;
export const INDENT = 2;
export const OUTDENT = 3;
export const IDENT = 4;
export const INT = 5;
export const FLOAT = 6;
export const STRING = 7;
export const BYTES = 8;

export const PLUS = 10;
export const MINUS = 11;
export const STAR = 12;
export const SLASH = 13;
export const SLASHSLASH = 14;
export const PERCENT = 15;
export const AMP = 16;
export const PIPE = 17;
export const CIRCUMFLEX = 18;
export const LTLT = 19;
export const GTGT = 20;
export const TILDE = 21;
export const DOT = 22;
export const COMMA = 23;
export const EQ = 24;
export const SEMI = 25;
export const COLON = 26;
export const LPAREN = 27;
export const RPAREN = 28;
export const LBRACK = 29;
export const RBRACK = 30;
export const LBRACE = 31;
export const RBRACE = 32;
export const LT = 33;
export const GT = 34;
export const GE = 35;
export const LE = 36;
export const EQL = 37;
export const NEQ = 38;
/** The augmented assignments: the operator's own number plus this. */
export const AUGMENTED = 30;
export const PLUS_EQ = 40;
export const GTGT_EQ = 50;
export const STARSTAR = 51;

export const AND = 60;
export const BREAK = 61;
export const CONTINUE = 62;
export const DEF = 63;
export const ELIF = 64;
export const ELSE = 65;
export const FOR = 66;
export const IF = 67;
export const IN = 68;
export const LAMBDA = 69;
export const LOAD = 70;
export const NOT = 71;
export const NOT_IN = 72;
export const OR = 73;
export const PASS = 74;
export const RETURN = 75;
export const WHILE = 76;
/** Python's other keywords, which no name may be. */
export const RESERVED = 77;

const PUNCTUATION: Readonly<Record<number, string>> = {
  [PLUS]: "+",
  [MINUS]: "-",
  [STAR]: "*",
  [SLASH]: "/",
  [SLASHSLASH]: "//",
  [PERCENT]: "%",
  [AMP]: "&",
  [PIPE]: "|",
  [CIRCUMFLEX]: "^",
  [LTLT]: "<<",
  [GTGT]: ">>",
  [TILDE]: "~",
  [DOT]: ".",
  [COMMA]: ",",
  [EQ]: "=",
  [SEMI]: ";",
  [COLON]: ":",
  [LPAREN]: "(",
  [RPAREN]: ")",
  [LBRACK]: "[",
  [RBRACK]: "]",
  [LBRACE]: "{",
  [RBRACE]: "}",
  [LT]: "<",
  [GT]: ">",
  [GE]: ">=",
  [LE]: "<=",
  [EQL]: "==",
  [NEQ]: "!=",
  [STARSTAR]: "**",
};

const WORDS: Readonly<Record<number, string>> = {
  [EOF]: "end of file",
  [NEWLINE]: "newline",
  [INDENT]: "indent",
  [OUTDENT]: "outdent",
  [IDENT]: "identifier",
  [INT]: "int literal",
  [FLOAT]: "float literal",
  [STRING]: "string literal",
  [BYTES]: "bytes literal",
  [AND]: "and",
  [BREAK]: "break",
  [CONTINUE]: "continue",
  [DEF]: "def",
  [ELIF]: "elif",
  [ELSE]: "else",
  [FOR]: "for",
  [IF]: "if",
  [IN]: "in",
  [LAMBDA]: "lambda",
  [LOAD]: "load",
  [NOT]: "not",
  [NOT_IN]: "not in",
  [OR]: "or",
  [PASS]: "pass",
  [RETURN]: "return",
  [WHILE]: "while",
};

/** The keywords, by their text. */
export const KEYWORDS: ReadonlyMap<string, number> = new Map([
  ...[
    AND,
    BREAK,
    CONTINUE,
    DEF,
    ELIF,
    ELSE,
    FOR,
    IF,
    IN,
    LAMBDA,
    LOAD,
    NOT,
    OR,
    PASS,
    RETURN,
    WHILE,
  ].map((token): [string, number] => [WORDS[token]!, token]),
  ..."as async await class del except finally from global import is nonlocal raise try with yield"
    .split(" ")
    .map((word): [string, number] => [word, RESERVED]),
]);

/** An operator or a word as the program has it. */
export function tokenText(token: number): string {
  if (token >= PLUS_EQ && token <= GTGT_EQ) return `${PUNCTUATION[token - AUGMENTED]}=`;
  return PUNCTUATION[token] ?? WORDS[token] ?? "reserved word";
}

/** A token as messages name it: punctuation in quotes. */
export function describeToken(token: number): string {
  return token >= PLUS && token <= STARSTAR ? `'${tokenText(token)}'` : tokenText(token);
}
