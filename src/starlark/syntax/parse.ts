import { ParseError } from "../errors.ts";
import type { StarlarkString } from "../values/text.ts";
import type {
  Argument,
  DefStmt,
  DictEntry,
  Expr,
  ForClause,
  IfBranch,
  IfClause,
  LoadStmt,
  NameExpr,
  Param,
  Stmt,
  SyntaxFile,
} from "./ast.ts";
import { MAX_NESTING, Scanner } from "./scan.ts";
import { SourceText } from "./source.ts";
import * as T from "./token.ts";

/*
 * A recursive-descent parser, a method for each production of the grammar, and precedence climbing for the binary
 * operators. What starlark-go blames on the scanner's place, after the token that was read ahead, so does this.
 */

const COMPARISON = 3;

/** Precedence of each binary operator, by token; 0 for other tokens, so levels count from 1. */
const PRECEDENCE = new Uint8Array(96);
[
  [T.OR],
  [T.AND],
  [T.NOT_IN, T.IN, T.EQL, T.NEQ, T.LT, T.GT, T.LE, T.GE],
  [T.PIPE],
  [T.CIRCUMFLEX],
  [T.AMP],
  [T.LTLT, T.GTGT],
  [T.MINUS, T.PLUS],
  [T.STAR, T.PERCENT, T.SLASH, T.SLASHSLASH],
].forEach((level, i) => {
  for (const token of level) PRECEDENCE[token] = i + 1;
});

/** Tokens after which a comma ends an expression list. */
function endsExprList(token: number): boolean {
  switch (token) {
    case T.EOF:
    case T.NEWLINE:
    case T.EQ:
    case T.RBRACE:
    case T.RBRACK:
    case T.RPAREN:
    case T.SEMI:
      return true;
    default:
      return false;
  }
}

/** Parses one source text. */
export class Parser {
  readonly #source: SourceText;
  readonly #in: Scanner;
  #token = T.EOF;
  #depth = 0;

  constructor(source: SourceText, interactive = false) {
    this.#source = source;
    this.#in = new Scanner(source, interactive);
    this.#token = this.#in.next();
  }

  /** Moves on to the next token; the offset of the one left behind. */
  #next(): number {
    const pos = this.#in.start;
    this.#token = this.#in.next();
    return pos;
  }

  #consume(token: number): number {
    if (!this.#at(token)) {
      this.#fail(`got ${this.#describe()}, want ${T.describeToken(token)}`);
    }
    return this.#next();
  }

  #fail(message: string): never {
    this.#in.fail(this.#in.at, message);
  }

  /** Whether the token read ahead is of a kind. */
  #at(token: number): boolean {
    return this.#token === token;
  }

  /** The token just read ahead, as messages name it. */
  #describe(): string {
    return this.#at(T.RESERVED) ? this.#in.name : T.describeToken(this.#token);
  }

  /** Counts a level of nesting; each cycle of productions passes here. */
  #enter(): void {
    if (++this.#depth > MAX_NESTING) this.#fail("excessive nesting");
  }

  // File = {Statement | newline} eof .
  parseFile(): SyntaxFile {
    const stmts: Stmt[] = [];
    while (!this.#at(T.EOF)) {
      if (this.#at(T.NEWLINE)) this.#next();
      else this.#parseStatement(stmts);
    }
    return { source: this.#source, stmts };
  }

  // Statement = DefStmt | IfStmt | ForStmt | WhileStmt | SimpleStmt .
  #parseStatement(stmts: Stmt[]): void {
    switch (this.#token) {
      case T.DEF:
        stmts.push(this.#parseDef());
        break;
      case T.IF:
        stmts.push(this.#parseIf());
        break;
      case T.FOR:
        stmts.push(this.#parseFor());
        break;
      case T.WHILE:
        stmts.push(this.#parseWhile());
        break;
      default:
        this.#parseSimpleStmt(stmts);
    }
  }

  // DefStmt = 'def' identifier '(' [Parameters [',']] ')' ':' Suite .
  #parseDef(): DefStmt {
    const pos = this.#next();
    const name = this.#parseIdent();
    this.#consume(T.LPAREN);
    const params = this.#parseParameters();
    this.#consume(T.RPAREN);
    this.#consume(T.COLON);
    return { kind: "def", pos, name, params, body: this.#parseSuite(), fn: undefined };
  }

  // IfStmt = 'if' Test ':' Suite {'elif' Test ':' Suite} ['else' ':' Suite] .
  #parseIf(): Stmt {
    const pos = this.#in.start;
    const branches: IfBranch[] = [];
    do {
      const branchPos = this.#next();
      const test = this.#parseTest();
      this.#consume(T.COLON);
      branches.push({ pos: branchPos, test, body: this.#parseSuite() });
    } while (this.#at(T.ELIF));
    let otherwise: Stmt[] | undefined;
    if (this.#at(T.ELSE)) {
      this.#next();
      this.#consume(T.COLON);
      otherwise = this.#parseSuite();
    }
    return { kind: "if", pos, branches, else: otherwise };
  }

  // ForStmt = 'for' LoopVariables 'in' Expression ':' Suite .
  #parseFor(): Stmt {
    const pos = this.#next();
    const vars = this.#parseLoopVariables();
    this.#consume(T.IN);
    const iterable = this.#parseExpression(false);
    this.#consume(T.COLON);
    return { kind: "for", pos, vars, iterable, body: this.#parseSuite() };
  }

  // WhileStmt = 'while' Test ':' Suite .
  #parseWhile(): Stmt {
    const pos = this.#next();
    const test = this.#parseTest();
    this.#consume(T.COLON);
    return { kind: "while", pos, test, body: this.#parseSuite() };
  }

  // LoopVariables = PrimaryExpr {',' PrimaryExpr} [','] .
  #parseLoopVariables(): Expr {
    const first = this.#parsePrimaryExpr();
    if (!this.#at(T.COMMA)) return first;
    const elems = [first];
    while (this.#at(T.COMMA)) {
      this.#next();
      if (endsExprList(this.#token)) break;
      elems.push(this.#parsePrimaryExpr());
    }
    return { kind: "tuple", pos: first.pos, elems };
  }

  // SimpleStmt = SmallStmt {';' SmallStmt} [';'] newline .
  #parseSimpleStmt(stmts: Stmt[]): void {
    for (;;) {
      stmts.push(this.#parseSmallStmt());
      if (!this.#at(T.SEMI)) break;
      this.#next();
      if (this.#at(T.NEWLINE) || this.#at(T.EOF)) break;
    }
    if (!this.#at(T.EOF)) this.#consume(T.NEWLINE);
  }

  // SmallStmt = ReturnStmt | BreakStmt | ContinueStmt | PassStmt | AssignStmt | ExprStmt | LoadStmt .
  #parseSmallStmt(): Stmt {
    switch (this.#token) {
      case T.RETURN: {
        const pos = this.#next();
        const bare = this.#at(T.EOF) || this.#at(T.NEWLINE) || this.#at(T.SEMI);
        return { kind: "return", pos, value: bare ? undefined : this.#parseExpression(false) };
      }
      case T.BREAK:
        return { kind: "branch", pos: this.#next(), op: "break" };
      case T.CONTINUE:
        return { kind: "branch", pos: this.#next(), op: "continue" };
      case T.PASS:
        return { kind: "branch", pos: this.#next(), op: "pass" };
      case T.LOAD:
        return this.#parseLoad();
    }
    const target = this.#parseExpression(false);
    const token = this.#token;
    if (token === T.EQ || (token >= T.PLUS_EQ && token <= T.GTGT_EQ)) {
      const op = token === T.EQ ? "" : T.tokenText(token - T.AUGMENTED);
      const pos = this.#next();
      return { kind: "assign", pos, op, target, value: this.#parseExpression(false) };
    }
    return { kind: "expr", pos: target.pos, expr: target };
  }

  // LoadStmt = 'load' '(' string {',' [identifier '='] string} [','] ')' .
  #parseLoad(): LoadStmt {
    const pos = this.#next();
    const paren = this.#consume(T.LPAREN);
    if (!this.#at(T.STRING)) this.#fail("first operand of load statement must be a string literal");
    const module = this.#in.value as StarlarkString;
    this.#next();
    const names: { from: string; fromPos: number; to: NameExpr }[] = [];
    while (!this.#at(T.RPAREN) && !this.#at(T.EOF)) {
      this.#consume(T.COMMA);
      if (this.#at(T.RPAREN)) break;
      names.push(this.#parseLoadOperand());
    }
    this.#consume(T.RPAREN);
    if (names.length === 0) this.#in.fail(paren, "load statement must import at least 1 symbol");
    return { kind: "load", pos, module, names };
  }

  #parseLoadOperand(): { from: string; fromPos: number; to: NameExpr } {
    let to: NameExpr | undefined;
    if (this.#at(T.IDENT)) {
      to = this.#parseIdent();
      const { name } = to;
      if (!this.#at(T.EQ)) {
        this.#fail(
          `load operand must be "${name}" or ${name}="originalname" (want '=' after ${name})`,
        );
      }
      this.#next();
      if (!this.#at(T.STRING)) {
        this.#fail(`original name of loaded symbol must be quoted: ${name}="originalname"`);
      }
    } else if (!this.#at(T.STRING)) {
      this.#fail(`load operand must be "name" or localname="name" (got ${this.#describe()})`);
    }
    const from = this.#in.value as StarlarkString;
    const fromPos = this.#next() + 1;
    return {
      from,
      fromPos,
      to: to ?? { kind: "name", pos: fromPos, name: from, binding: undefined },
    };
  }

  // Suite = newline indent {Statement} outdent | SimpleStmt .
  #parseSuite(): Stmt[] {
    this.#enter();
    const stmts: Stmt[] = [];
    if (this.#at(T.NEWLINE)) {
      this.#next();
      this.#consume(T.INDENT);
      while (!this.#at(T.OUTDENT) && !this.#at(T.EOF)) this.#parseStatement(stmts);
      this.#consume(T.OUTDENT);
    } else this.#parseSimpleStmt(stmts);
    this.#depth--;
    return stmts;
  }

  #parseIdent(): NameExpr {
    if (!this.#at(T.IDENT)) this.#fail("not an identifier");
    const { name } = this.#in;
    return { kind: "name", pos: this.#next(), name, binding: undefined };
  }

  // Parameters = Parameter {',' Parameter} .
  #parseParameters(): Param[] {
    const params: Param[] = [];
    while (!this.#at(T.RPAREN) && !this.#at(T.COLON) && !this.#at(T.EOF)) {
      if (params.length > 0) this.#consume(T.COMMA);
      if (this.#at(T.RPAREN)) break;
      params.push(this.#parseParameter());
    }
    return params;
  }

  // Parameter = identifier | identifier '=' Test | '*' | '*' identifier | '**' identifier .
  #parseParameter(): Param {
    if (this.#at(T.STAR) || this.#at(T.STARSTAR)) {
      const kind = this.#at(T.STAR) ? "star" : "starstar";
      const pos = this.#next();
      const named = kind === "starstar" || this.#at(T.IDENT);
      return { kind, pos, name: named ? this.#parseIdent() : undefined, default: undefined };
    }
    const name = this.#parseIdent();
    if (!this.#at(T.EQ)) return { kind: "required", pos: name.pos, name, default: undefined };
    return { kind: "optional", pos: this.#next(), name, default: this.#parseTest() };
  }

  // Expression = Test {',' Test} .
  #parseExpression(inParens: boolean): Expr {
    const first = this.#parseTest();
    if (!this.#at(T.COMMA)) return first;
    const elems = [first];
    this.#parseMore(elems, inParens);
    return { kind: "tuple", pos: first.pos, elems };
  }

  /** Parses the rest of a list of expressions, from the comma on. */
  #parseMore(elems: Expr[], trailingComma: boolean): void {
    while (this.#at(T.COMMA)) {
      const pos = this.#next();
      if (endsExprList(this.#token)) {
        if (!trailingComma) this.#in.fail(pos, "unparenthesized tuple with trailing comma");
        return;
      }
      elems.push(this.#parseTest());
    }
  }

  // Test = OrTest ['if' OrTest 'else' Test] | LambdaExpr .
  #parseTest(): Expr {
    if (this.#at(T.LAMBDA)) return this.#parseLambda(true);
    this.#enter();
    let expr = this.#parseBinary(1);
    if (this.#at(T.IF)) {
      const pos = this.#next();
      const test = this.#parseBinary(1);
      if (!this.#at(T.ELSE)) this.#in.fail(pos, "conditional expression without else clause");
      this.#next();
      expr = { kind: "conditional", pos, test, whenTrue: expr, whenFalse: this.#parseTest() };
    }
    this.#depth--;
    return expr;
  }

  // LambdaExpr = 'lambda' [Parameters] ':' Test .
  #parseLambda(conditional: boolean): Expr {
    this.#enter();
    const pos = this.#next();
    const params = this.#at(T.COLON) ? [] : this.#parseParameters();
    this.#consume(T.COLON);
    const body = conditional ? this.#parseTest() : this.#parseTestNoCond();
    this.#depth--;
    return { kind: "lambda", pos, params, body, fn: undefined };
  }

  /** The operand of a comprehension's `if`: a bare conditional would swallow what follows. */
  #parseTestNoCond(): Expr {
    return this.#at(T.LAMBDA) ? this.#parseLambda(false) : this.#parseBinary(1);
  }

  // BinaryExpr = Test {Binop Test} .
  #parseBinary(minPrecedence: number): Expr {
    let left =
      minPrecedence <= COMPARISON && this.#at(T.NOT) ? this.#parseNot() : this.#parsePrimaryExpr();
    let compared = "";
    for (;;) {
      if (this.#at(T.NOT)) this.#parseNotIn();
      const token = this.#token;
      const precedence = PRECEDENCE[token]!;
      if (precedence < minPrecedence || precedence === 0) return left;
      const op = T.tokenText(token);
      if (precedence === COMPARISON) {
        if (compared !== "") this.#fail(`${compared} does not associate with ${op} (use parens)`);
        compared = op;
      } else compared = "";
      const pos = this.#next();
      left = { kind: "binary", pos, op, left, right: this.#parseBinary(precedence + 1) };
    }
  }

  // 'not' Test
  #parseNot(): Expr {
    this.#enter();
    const pos = this.#next();
    const operand = this.#parseNotOperand();
    this.#depth--;
    return { kind: "unary", pos, op: "not", operand };
  }

  /** What `not` applies to binds tighter than itself: another not, or a comparison. */
  #parseNotOperand(): Expr {
    return this.#at(T.NOT) ? this.#parseNot() : this.#parseBinary(COMPARISON);
  }

  /** Takes `not in` for one operator. */
  #parseNotIn(): void {
    this.#next();
    if (!this.#at(T.IN)) this.#fail(`got ${this.#describe()}, want in`);
    this.#token = T.NOT_IN;
  }

  // PrimaryExpr = Operand {'.' identifier | SliceSuffix | CallSuffix} .
  #parsePrimaryExpr(): Expr {
    let expr = this.#parseOperand();
    for (;;) {
      switch (this.#token) {
        case T.DOT: {
          const pos = this.#next();
          if (!this.#at(T.IDENT)) this.#fail("not an identifier");
          const { name } = this.#in;
          this.#next();
          expr = { kind: "dot", pos, object: expr, name };
          break;
        }
        case T.LBRACK:
          expr = this.#parseSliceSuffix(expr);
          break;
        case T.LPAREN:
          expr = { kind: "call", pos: this.#next(), callee: expr, args: this.#parseArguments() };
          break;
        default:
          return expr;
      }
    }
  }

  // SliceSuffix = '[' [Expression] [':' [Test] [':' [Test]]] ']' .
  #parseSliceSuffix(object: Expr): Expr {
    const pos = this.#next();
    let lo: Expr | undefined;
    let hi: Expr | undefined;
    let step: Expr | undefined;
    if (!this.#at(T.COLON)) {
      lo = this.#parseExpression(false);
      if (this.#at(T.RBRACK)) {
        this.#next();
        return { kind: "index", pos, object, index: lo };
      }
    }
    if (this.#at(T.COLON)) {
      this.#next();
      if (!this.#at(T.COLON) && !this.#at(T.RBRACK)) hi = this.#parseTest();
    }
    if (this.#at(T.COLON)) {
      this.#next();
      if (!this.#at(T.RBRACK)) step = this.#parseTest();
    }
    this.#consume(T.RBRACK);
    return { kind: "slice", pos, object, lo, hi, step };
  }

  // CallSuffix = '(' [Argument {',' Argument} [',']] ')' .
  #parseArguments(): Argument[] {
    const args: Argument[] = [];
    while (!this.#at(T.RPAREN) && !this.#at(T.EOF)) {
      if (args.length > 0) this.#consume(T.COMMA);
      if (this.#at(T.RPAREN)) break;
      args.push(this.#parseArgument());
    }
    this.#consume(T.RPAREN);
    return args;
  }

  // Argument = Test | identifier '=' Test | '*' Test | '**' Test .
  #parseArgument(): Argument {
    if (this.#at(T.STAR) || this.#at(T.STARSTAR)) {
      const kind = this.#at(T.STAR) ? "star" : "starstar";
      return { kind, pos: this.#next(), name: "", value: this.#parseTest() };
    }
    const value = this.#parseTest();
    if (!this.#at(T.EQ)) return value;
    if (value.kind !== "name") this.#fail("keyword argument must have form name=expr");
    this.#next();
    return { kind: "named", pos: value.pos, name: value.name, value: this.#parseTest() };
  }

  // Operand = identifier | int | float | string | bytes | ListExpr | ListComp | DictExpr | DictComp
  //         | '(' [Expression [',']] ')' | ('-' | '+' | '~') PrimaryExpr .
  #parseOperand(): Expr {
    switch (this.#token) {
      case T.IDENT: {
        const { name } = this.#in;
        return { kind: "name", pos: this.#next(), name, binding: undefined };
      }
      case T.INT:
      case T.FLOAT:
      case T.STRING:
      case T.BYTES: {
        const { value } = this.#in;
        return { kind: "literal", pos: this.#next(), value };
      }
      case T.LBRACK:
        return this.#parseList();
      case T.LBRACE:
        return this.#parseDict();
      case T.LPAREN:
        return this.#parseParens();
      case T.MINUS:
      case T.PLUS:
      case T.TILDE: {
        this.#enter();
        const op = T.tokenText(this.#token) as "+" | "-" | "~";
        const pos = this.#next();
        const operand = this.#parsePrimaryExpr();
        this.#depth--;
        return { kind: "unary", pos, op, operand };
      }
    }
    this.#in.fail(this.#in.start, `got ${this.#describe()}, want primary expression`);
  }

  #parseParens(): Expr {
    const pos = this.#next();
    if (this.#at(T.RPAREN)) {
      this.#next();
      return { kind: "tuple", pos, elems: [] };
    }
    const inner = this.#parseExpression(true);
    this.#consume(T.RPAREN);
    return { kind: "paren", pos, inner };
  }

  // ListExpr = '[' [Expression [',']] ']' .
  // ListComp = '[' Test CompClause {CompClause} ']' .
  #parseList(): Expr {
    const pos = this.#next();
    const elems: Expr[] = [];
    if (!this.#at(T.RBRACK)) {
      const first = this.#parseTest();
      if (this.#at(T.FOR)) {
        return { kind: "comprehension", pos, body: first, clauses: this.#parseClauses(T.RBRACK) };
      }
      elems.push(first);
      this.#parseMore(elems, true);
    }
    this.#consume(T.RBRACK);
    return { kind: "list", pos, elems };
  }

  // DictExpr = '{' [Entry {',' Entry} [',']] '}' .
  // DictComp = '{' Entry CompClause {CompClause} '}' .
  #parseDict(): Expr {
    const pos = this.#next();
    const entries: DictEntry[] = [];
    if (!this.#at(T.RBRACE)) {
      const first = this.#parseEntry();
      if (this.#at(T.FOR)) {
        return { kind: "comprehension", pos, body: first, clauses: this.#parseClauses(T.RBRACE) };
      }
      entries.push(first);
      while (this.#at(T.COMMA)) {
        this.#next();
        if (this.#at(T.RBRACE)) break;
        entries.push(this.#parseEntry());
      }
    }
    this.#consume(T.RBRACE);
    return { kind: "dict", pos, entries };
  }

  // Entry = Test ':' Test .
  #parseEntry(): DictEntry {
    const key = this.#parseTest();
    const pos = this.#consume(T.COLON);
    return { kind: "entry", pos, key, value: this.#parseTest() };
  }

  // CompClause = 'for' LoopVariables 'in' OrTest | 'if' OrTest .
  #parseClauses(close: number): (ForClause | IfClause)[] {
    const clauses: (ForClause | IfClause)[] = [];
    while (!this.#at(close)) {
      if (this.#at(T.FOR)) {
        const pos = this.#next();
        const vars = this.#parseLoopVariables();
        this.#consume(T.IN);
        clauses.push({ kind: "for", pos, vars, iterable: this.#parseBinary(1) });
      } else if (this.#at(T.IF)) {
        clauses.push({ kind: "if", pos: this.#next(), test: this.#parseTestNoCond() });
      } else {
        this.#fail(`got ${this.#describe()}, want '${T.tokenText(close)}', for, or if`);
      }
    }
    this.#next();
    return clauses;
  }
}

/** The stack of JavaScript ran out before the file's nesting did: more room would help. */
export class NestingError extends ParseError {}

/** Parses a file. Throws the first syntax error. `source` is text, or the file's bytes. */
export function parseFile(path: string, source: string | Uint8Array): SyntaxFile {
  return parseSource(new SourceText(path, source));
}

/** Parses a source text; in interactive form, a blank line ends a block. */
export function parseSource(source: SourceText, interactive = false): SyntaxFile {
  try {
    return new Parser(source, interactive).parseFile();
  } catch (error) {
    if (error instanceof RangeError)
      throw new NestingError("excessive nesting", source.position(0));
    throw error;
  }
}
