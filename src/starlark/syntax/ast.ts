import type { Value } from "../values/value.ts";
import type { SourceText } from "./source.ts";

/*
 * The syntax tree. `pos` is the offset of what an error would blame: an operator, the `(` of a call, the `.` of an
 * attribute, the `[` of an index, else the start. The resolver fills in bindings and functions.
 */

/** Where a variable lives. */
export type Scope =
  | "undefined"
  | "local"
  | "cell"
  | "free"
  | "global"
  | "predeclared"
  | "universal";

/** A variable. All uses in one function share one. */
export interface Binding {
  scope: Scope;
  readonly name: string;
  /** The offset of the first identifier that binds it. */
  readonly pos: number;
  /** The place among locals, free variables or globals. */
  readonly index: number;
}

/** What the resolver finds out about a def or lambda. */
export interface FunctionInfo {
  readonly name: string;
  readonly pos: number;
  readonly params: readonly Param[];
  readonly body: readonly Stmt[] | Expr;
  /** Parameters first, in order of their binding. */
  readonly locals: Binding[];
  /** For each free variable, the variable of the enclosing function. */
  readonly freeVars: Binding[];
  hasVarargs: boolean;
  hasKwargs: boolean;
  numKwonly: number;
}

export interface NameExpr {
  readonly kind: "name";
  readonly pos: number;
  readonly name: string;
  binding: Binding | undefined;
}
export interface LiteralExpr {
  readonly kind: "literal";
  readonly pos: number;
  readonly value: Value;
}
export interface ListExpr {
  readonly kind: "list";
  readonly pos: number;
  readonly elems: readonly Expr[];
}
export interface TupleExpr {
  readonly kind: "tuple";
  readonly pos: number;
  readonly elems: readonly Expr[];
}
export interface DictExpr {
  readonly kind: "dict";
  readonly pos: number;
  readonly entries: readonly DictEntry[];
}
export interface DictEntry {
  readonly kind: "entry";
  /** The colon. */
  readonly pos: number;
  readonly key: Expr;
  readonly value: Expr;
}
export interface UnaryExpr {
  readonly kind: "unary";
  readonly pos: number;
  readonly op: "+" | "-" | "~" | "not";
  readonly operand: Expr;
}
export interface BinaryExpr {
  readonly kind: "binary";
  readonly pos: number;
  readonly op: string;
  readonly left: Expr;
  readonly right: Expr;
}
export interface ConditionalExpr {
  readonly kind: "conditional";
  readonly pos: number;
  readonly test: Expr;
  readonly whenTrue: Expr;
  readonly whenFalse: Expr;
}
export interface CallExpr {
  readonly kind: "call";
  readonly pos: number;
  readonly callee: Expr;
  readonly args: readonly Argument[];
}
/** `name = value`, `*value` or `**value` in a call. */
export interface SpecialArgument {
  readonly kind: "named" | "star" | "starstar";
  readonly pos: number;
  readonly name: string;
  readonly value: Expr;
}
export interface DotExpr {
  readonly kind: "dot";
  readonly pos: number;
  readonly object: Expr;
  readonly name: string;
}
export interface IndexExpr {
  readonly kind: "index";
  readonly pos: number;
  readonly object: Expr;
  readonly index: Expr;
}
export interface SliceExpr {
  readonly kind: "slice";
  readonly pos: number;
  readonly object: Expr;
  readonly lo: Expr | undefined;
  readonly hi: Expr | undefined;
  readonly step: Expr | undefined;
}
export interface ForClause {
  readonly kind: "for";
  readonly pos: number;
  readonly vars: Expr;
  readonly iterable: Expr;
}
export interface IfClause {
  readonly kind: "if";
  readonly pos: number;
  readonly test: Expr;
}
export interface ComprehensionExpr {
  readonly kind: "comprehension";
  readonly pos: number;
  /** An entry makes a dict. */
  readonly body: Expr | DictEntry;
  readonly clauses: readonly (ForClause | IfClause)[];
}
export interface LambdaExpr {
  readonly kind: "lambda";
  readonly pos: number;
  readonly params: readonly Param[];
  readonly body: Expr;
  fn: FunctionInfo | undefined;
}
export interface ParenExpr {
  readonly kind: "paren";
  readonly pos: number;
  readonly inner: Expr;
}

export type Argument = Expr | SpecialArgument;

export type Expr =
  | NameExpr
  | LiteralExpr
  | ListExpr
  | TupleExpr
  | DictExpr
  | UnaryExpr
  | BinaryExpr
  | ConditionalExpr
  | CallExpr
  | DotExpr
  | IndexExpr
  | SliceExpr
  | ComprehensionExpr
  | LambdaExpr
  | ParenExpr;

/** A parameter: `name`, `name=default`, `*name`, `*` or `**name`. */
export interface Param {
  readonly kind: "required" | "optional" | "star" | "starstar";
  /** The `=` of an optional parameter, else the start. */
  readonly pos: number;
  readonly name: NameExpr | undefined;
  readonly default: Expr | undefined;
}

export interface ExprStmt {
  readonly kind: "expr";
  readonly pos: number;
  readonly expr: Expr;
}
export interface AssignStmt {
  readonly kind: "assign";
  /** The operator. */
  readonly pos: number;
  /** Of an augmented assignment; empty for a plain one. */
  readonly op: string;
  readonly target: Expr;
  readonly value: Expr;
}
export interface DefStmt {
  readonly kind: "def";
  readonly pos: number;
  readonly name: NameExpr;
  readonly params: readonly Param[];
  readonly body: readonly Stmt[];
  fn: FunctionInfo | undefined;
}
export interface IfBranch {
  readonly pos: number;
  readonly test: Expr;
  readonly body: readonly Stmt[];
}
export interface IfStmt {
  readonly kind: "if";
  readonly pos: number;
  /** The if, then the elifs. */
  readonly branches: readonly IfBranch[];
  readonly else: readonly Stmt[] | undefined;
}
export interface ForStmt {
  readonly kind: "for";
  readonly pos: number;
  readonly vars: Expr;
  readonly iterable: Expr;
  readonly body: readonly Stmt[];
}
export interface WhileStmt {
  readonly kind: "while";
  readonly pos: number;
  readonly test: Expr;
  readonly body: readonly Stmt[];
}
export interface ReturnStmt {
  readonly kind: "return";
  readonly pos: number;
  readonly value: Expr | undefined;
}
export interface BranchStmt {
  readonly kind: "branch";
  readonly pos: number;
  readonly op: "break" | "continue" | "pass";
}
export interface LoadStmt {
  readonly kind: "load";
  readonly pos: number;
  readonly module: string;
  /** The names to load, with the names that they get here. */
  readonly names: readonly {
    readonly from: string;
    readonly fromPos: number;
    readonly to: NameExpr;
  }[];
}

export type Stmt =
  | ExprStmt
  | AssignStmt
  | DefStmt
  | IfStmt
  | ForStmt
  | WhileStmt
  | ReturnStmt
  | BranchStmt
  | LoadStmt;

/** A parsed file. */
export interface SyntaxFile {
  readonly source: SourceText;
  readonly stmts: readonly Stmt[];
}

/** The offset at which an expression begins. */
export function startOf(expr: Expr | SpecialArgument): number {
  let e = expr;
  for (;;) {
    switch (e.kind) {
      case "binary":
        e = e.left;
        break;
      case "conditional":
        e = e.whenTrue;
        break;
      case "call":
        e = e.callee;
        break;
      case "dot":
      case "index":
      case "slice":
        e = e.object;
        break;
      default:
        return e.pos;
    }
  }
}
