import type { Dialect } from "../dialect.ts";
import { formatPosition, ResolveError } from "../errors.ts";
import { nearestName } from "../spell.ts";
import {
  type AssignStmt,
  type Binding,
  type CallExpr,
  type ComprehensionExpr,
  type Expr,
  type FunctionInfo,
  type LoadStmt,
  type NameExpr,
  type Param,
  type Stmt,
  type SyntaxFile,
  startOf,
} from "../syntax/ast.ts";
import { quote } from "../values/quote.ts";
import { toJsString } from "../values/text.ts";
import { Block, type Use } from "./scope.ts";

/*
 * Binds every name of a file to a variable before anything runs. A name that is bound anywhere in a function is
 * local to all of it, so a function's uses wait until its end; those that are not its own wait further, until the
 * enclosing functions and at last the file are complete. With `globalReassign` the file's own statements are
 * the exception: there a use is bound at once, to whatever the name means up to that line.
 */

/** The names that a file may use without binding them. */
export interface Environment {
  readonly dialect: Dialect;
  isPredeclared(name: string): boolean;
  isUniversal(name: string): boolean;
  /** Names for suggestions, besides the file's own. */
  readonly names?: () => Iterable<string>;
  /** Globals that earlier chunks of a REPL made. */
  isGlobal?(name: string): boolean;
}

/** The variables of a file. */
export interface ModuleScope {
  /** Loaded names, and the variables of comprehensions outside functions. */
  readonly locals: readonly Binding[];
  readonly globals: readonly Binding[];
  /** The names used that are not the file's own. */
  readonly outside: ReadonlySet<string>;
}

const MAX_ARGUMENTS = 255;
const DOES_NOT = "this Starlark dialect does not ";

class Resolver {
  readonly #file: SyntaxFile;
  readonly #environment: Environment;
  readonly #dialect: Dialect;
  readonly #root = new Block(undefined, undefined);
  #block = this.#root;
  readonly #locals: Binding[] = [];
  readonly #globals: Binding[] = [];
  readonly #globalsByName = new Map<string, Binding>();
  readonly #outside = new Map<string, Binding>();
  readonly #errors: { offset: number; message: string }[] = [];
  #loops = 0;
  #conditionals = 0;

  constructor(file: SyntaxFile, environment: Environment) {
    this.#file = file;
    this.#environment = environment;
    this.#dialect = environment.dialect;
  }

  resolve(): ModuleScope {
    this.#stmts(this.#file.stmts);
    this.#root.resolveLocalUses();
    this.#resolveNonLocalUses(this.#root);
    if (this.#errors.length > 0) {
      const { source } = this.#file;
      const errors = this.#errors
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, message }) => ({
          position: source.position(offset),
          message: toJsString(message),
        }));
      throw new ResolveError(errors);
    }
    return { locals: this.#locals, globals: this.#globals, outside: new Set(this.#outside.keys()) };
  }

  #error(offset: number, message: string): void {
    this.#errors.push({ offset, message });
  }

  #describePosition(offset: number): string {
    return formatPosition(this.#file.source.position(offset));
  }

  /** Binds a name in the current block; true when it was bound there already. */
  #bind(name: NameExpr): boolean {
    return this.#block === this.#root ? this.#bindGlobal(name) : this.#bindLocal(name);
  }

  #bindGlobal(name: NameExpr): boolean {
    const known = this.#root.bindings.get(name.name) ?? this.#globalsByName.get(name.name);
    if (known === undefined) {
      name.binding = this.#addGlobal(name);
      return false;
    }
    if (!this.#dialect.globalReassign) {
      const where = this.#describePosition(known.pos);
      this.#error(name.pos, `cannot reassign ${known.scope} ${name.name} declared at ${where}`);
    }
    name.binding = known;
    return true;
  }

  #addGlobal(name: NameExpr): Binding {
    const binding: Binding = {
      scope: "global",
      name: name.name,
      pos: name.pos,
      index: this.#globals.length,
    };
    this.#globalsByName.set(name.name, binding);
    this.#globals.push(binding);
    return binding;
  }

  #bindLocal(name: NameExpr): boolean {
    const known = this.#block.bindings.has(name.name);
    if (!known) {
      const locals = this.#block.container.fn?.locals ?? this.#locals;
      const binding: Binding = {
        scope: "local",
        name: name.name,
        pos: name.pos,
        index: locals.length,
      };
      this.#block.bindings.set(name.name, binding);
      locals.push(binding);
    }
    this.#use(name);
    return known;
  }

  #use(name: NameExpr): void {
    const use: Use = { name, block: this.#block };
    if (this.#dialect.globalReassign && this.#block === this.#root) this.#useToplevel(use);
    else this.#block.container.uses.push(use);
  }

  #useToplevel({ name, block }: Use): Binding {
    const binding =
      this.#root.bindings.get(name.name) ??
      this.#globalsByName.get(name.name) ??
      this.#useOutside(name, block);
    name.binding = binding;
    return binding;
  }

  #useOutside(name: NameExpr, block: Block): Binding {
    const environment = this.#environment;
    if (environment.isGlobal?.(name.name)) return this.#addGlobal(name);
    const known = this.#outside.get(name.name);
    if (known !== undefined) return known;
    const binding: Binding = { scope: "predeclared", name: name.name, pos: name.pos, index: -1 };
    if (!environment.isPredeclared(name.name)) {
      if (!environment.isUniversal(name.name)) {
        this.#errorUndefined(name, block);
        return { ...binding, scope: "undefined" };
      }
      if (name.name === "set" && !this.#dialect.set)
        this.#error(name.pos, `${DOES_NOT}support sets`);
      binding.scope = "universal";
    }
    this.#outside.set(name.name, binding);
    return binding;
  }

  #errorUndefined(name: NameExpr, block: Block): void {
    const candidates = new Set<string>();
    for (let b: Block | undefined = block; b !== undefined; b = b.parent) {
      for (const [key, { scope }] of b.bindings) if (scope !== "undefined") candidates.add(key);
    }
    for (const { name: global } of this.#globals) candidates.add(global);
    const own = nearestName(name.name, [...candidates].sort());
    const near = own ?? nearestName(name.name, [...(this.#environment.names?.() ?? [])].sort());
    this.#error(
      name.pos,
      `undefined: ${name.name}${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    );
  }

  #resolveNonLocalUses(block: Block): void {
    for (const child of block.children) this.#resolveNonLocalUses(child);
    for (const use of block.uses) use.name.binding = this.#lookupLexical(use, use.block);
  }

  #lookupLexical(use: Use, block: Block): Binding {
    if (block.parent === undefined) return this.#useToplevel(use);
    const known = block.bindings.get(use.name.name);
    if (known !== undefined) return known;
    let binding = this.#lookupLexical(use, block.parent);
    if (
      block.fn !== undefined &&
      (binding.scope === "local" || binding.scope === "cell" || binding.scope === "free")
    ) {
      if (binding.scope === "local") binding.scope = "cell";
      block.fn.freeVars.push(binding);
      const index = block.fn.freeVars.length - 1;
      binding = { scope: "free", name: binding.name, pos: binding.pos, index };
    }
    block.bindings.set(use.name.name, binding);
    return binding;
  }

  #stmts(stmts: readonly Stmt[]): void {
    for (const stmt of stmts) this.#stmt(stmt);
  }

  #stmt(stmt: Stmt): void {
    switch (stmt.kind) {
      case "expr":
        this.#expr(stmt.expr);
        break;
      case "branch":
        if (this.#loops === 0 && stmt.op !== "pass")
          this.#error(stmt.pos, `${stmt.op} not in a loop`);
        break;
      case "if":
        this.#requireFunction(stmt.pos, "if statement");
        this.#ifStmt(stmt);
        break;
      case "assign":
        this.#assignStmt(stmt);
        break;
      case "def":
        this.#bind(stmt.name);
        stmt.fn = this.#function(stmt.name.name, stmt.pos, stmt.params, stmt.body);
        break;
      case "for":
        this.#requireFunction(stmt.pos, "for loop");
        this.#expr(stmt.iterable);
        this.#assign(stmt.vars, false);
        this.#loopBody(stmt.body);
        break;
      case "while":
        if (!this.#dialect.while) this.#error(stmt.pos, `${DOES_NOT}support while loops`);
        this.#requireFunction(stmt.pos, "while loop");
        this.#expr(stmt.test);
        this.#loopBody(stmt.body);
        break;
      case "return":
        if (this.#block.container.fn === undefined) {
          this.#error(stmt.pos, "return statement not within a function");
        }
        if (stmt.value !== undefined) this.#expr(stmt.value);
        break;
      case "load":
        this.#loadStmt(stmt);
        break;
    }
  }

  #requireFunction(pos: number, what: string): void {
    if (!this.#dialect.topLevelControl && this.#block.container.fn === undefined) {
      this.#error(pos, `${what} not within a function`);
    }
  }

  #ifStmt(stmt: Stmt & { kind: "if" }): void {
    for (const [i, branch] of stmt.branches.entries()) {
      if (i > 0) this.#requireFunction(branch.pos, "if statement");
      this.#expr(branch.test);
      this.#conditionals++;
      this.#stmts(branch.body);
      this.#conditionals--;
    }
    this.#conditionals++;
    this.#stmts(stmt.else ?? []);
    this.#conditionals--;
  }

  #loopBody(body: readonly Stmt[]): void {
    this.#loops++;
    this.#stmts(body);
    this.#loops--;
  }

  #assignStmt(stmt: AssignStmt): void {
    this.#expr(stmt.value);
    this.#assign(stmt.target, stmt.op !== "");
  }

  #loadStmt(stmt: LoadStmt): void {
    if (this.#block.container.fn !== undefined)
      this.#error(stmt.pos, "load statement within a function");
    else if (this.#loops > 0) this.#error(stmt.pos, "load statement within a loop");
    else if (this.#conditionals > 0) this.#error(stmt.pos, "load statement within a conditional");
    for (const { from, fromPos, to } of stmt.names) {
      if (from === "") {
        this.#error(fromPos, "load: empty identifier");
        continue;
      }
      if (from.startsWith("_")) {
        this.#error(fromPos, `load: names with leading underscores are not exported: ${from}`);
      }
      if (this.#dialect.loadBindsGlobally) this.#bind(to);
      else if (this.#bindLocal(to) && !this.#dialect.globalReassign) {
        this.#error(to.pos, `cannot reassign top-level ${to.name}`);
      }
    }
  }

  #assign(target: Expr, augmented: boolean): void {
    switch (target.kind) {
      case "name":
        this.#bind(target);
        break;
      case "index":
        this.#expr(target.object);
        this.#expr(target.index);
        break;
      case "dot":
        this.#expr(target.object);
        break;
      case "tuple":
      case "list":
        if (augmented) {
          this.#error(target.pos, `can't use ${target.kind} expression in augmented assignment`);
        }
        for (const elem of target.elems) this.#assign(elem, augmented);
        break;
      case "paren":
        this.#assign(target.inner, augmented);
        break;
      default:
        this.#error(startOf(target), `can't assign to ${GO_NAMES[target.kind]}`);
    }
  }

  /** Resolves an expression; a chain of operators and suffixes is walked without recursion. */
  #expr(root: Expr): void {
    const spine: Expr[] = [];
    let e = root;
    for (;;) {
      if (e.kind === "dot") e = e.object;
      else if (e.kind === "paren") e = e.inner;
      else {
        const head = headOf(e);
        if (head === undefined) break;
        spine.push(e);
        e = head;
      }
    }
    this.#operand(e);
    for (let i = spine.length - 1; i >= 0; i--) this.#suffix(spine[i]!);
  }

  #operand(e: Expr): void {
    switch (e.kind) {
      case "name":
        this.#use(e);
        break;
      case "list":
      case "tuple":
        for (const elem of e.elems) if (elem.kind !== "literal") this.#expr(elem);
        break;
      case "dict":
        for (const { key, value } of e.entries) {
          if (key.kind !== "literal") this.#expr(key);
          if (value.kind !== "literal") this.#expr(value);
        }
        break;
      case "unary":
        this.#expr(e.operand);
        break;
      case "conditional":
        this.#expr(e.test);
        this.#expr(e.whenTrue);
        this.#expr(e.whenFalse);
        break;
      case "comprehension":
        this.#comprehension(e);
        break;
      case "lambda":
        e.fn = this.#function("lambda", e.pos, e.params, e.body);
        break;
    }
  }

  #suffix(e: Expr): void {
    switch (e.kind) {
      case "binary":
        this.#expr(e.right);
        break;
      case "index":
        this.#expr(e.index);
        break;
      case "slice":
        for (const part of [e.lo, e.hi, e.step]) if (part !== undefined) this.#expr(part);
        break;
      case "call":
        this.#call(e);
        break;
    }
  }

  #comprehension(e: ComprehensionExpr): void {
    const outer = this.#block;
    e.clauses.forEach((clause, i) => {
      if (clause.kind === "if") this.#expr(clause.test);
      else if (i === 0) {
        // The first operand belongs to the enclosing block.
        this.#expr(clause.iterable);
        this.#block = new Block(outer, undefined);
        this.#assign(clause.vars, false);
      } else {
        this.#assign(clause.vars, false);
        this.#expr(clause.iterable);
      }
    });
    if (e.body.kind === "entry") {
      this.#expr(e.body.key);
      this.#expr(e.body.value);
    } else this.#expr(e.body);
    this.#block = outer;
  }

  #call(e: CallExpr): void {
    const seen = { star: false, starstar: false, names: new Set<string>(), positional: 0 };
    for (const arg of e.args) {
      switch (arg.kind) {
        case "starstar":
          if (seen.starstar) this.#error(arg.pos, "multiple **kwargs not allowed");
          seen.starstar = true;
          this.#expr(arg.value);
          break;
        case "star":
          if (seen.starstar) this.#error(arg.pos, "*args may not follow **kwargs");
          else if (seen.star) this.#error(arg.pos, "multiple *args not allowed");
          seen.star = true;
          this.#expr(arg.value);
          break;
        case "named":
          if (seen.starstar) this.#error(arg.pos, "keyword argument may not follow **kwargs");
          else if (seen.star) this.#error(arg.pos, "keyword argument may not follow *args");
          if (seen.names.has(arg.name)) {
            this.#error(arg.pos, `keyword argument ${quote(arg.name, false)} is repeated`);
          }
          seen.names.add(arg.name);
          this.#expr(arg.value);
          break;
        default:
          seen.positional++;
          if (seen.star) this.#error(startOf(arg), "positional argument may not follow *args");
          else if (seen.starstar)
            this.#error(startOf(arg), "positional argument may not follow **kwargs");
          else if (seen.names.size > 0)
            this.#error(startOf(arg), "positional argument may not follow named");
          if (arg.kind !== "literal") this.#expr(arg);
      }
    }
    this.#checkCount(e, seen.positional, "positional");
    this.#checkCount(e, seen.names.size, "keyword");
  }

  #checkCount(e: CallExpr, count: number, kind: string): void {
    if (count > MAX_ARGUMENTS) {
      this.#error(startOf(e), `${count} ${kind} arguments in call, limit is ${MAX_ARGUMENTS}`);
    }
  }

  #function(
    name: string,
    pos: number,
    params: readonly Param[],
    body: readonly Stmt[] | Expr,
  ): FunctionInfo {
    for (const param of params) if (param.default !== undefined) this.#expr(param.default);
    const fn: FunctionInfo = {
      name,
      pos,
      params,
      body,
      locals: [],
      freeVars: [],
      hasVarargs: false,
      hasKwargs: false,
      numKwonly: 0,
    };
    const outer = this.#block;
    const outerLoops = this.#loops;
    const outerConditionals = this.#conditionals;
    const block = new Block(outer, fn);
    this.#block = block;
    this.#loops = 0;
    this.#conditionals = 0;
    this.#params(fn);
    if (Array.isArray(body)) this.#stmts(body);
    else this.#expr(body as Expr);
    block.resolveLocalUses();
    this.#block = outer;
    this.#loops = outerLoops;
    this.#conditionals = outerConditionals;
    return fn;
  }

  /** Binds the parameters: ordinary ones first, then `*args`, then `**kwargs`, wherever they stand. */
  #params(fn: FunctionInfo): void {
    let star: Param | undefined;
    let starstar: Param | undefined;
    let optional = false;
    for (const param of fn.params) {
      const after = starstar === undefined ? undefined : `may not follow **${starstar.name!.name}`;
      if (param.kind === "star") {
        if (after !== undefined) this.#error(param.pos, `* parameter ${after}`);
        else if (star !== undefined) this.#error(param.pos, "multiple * parameters not allowed");
        else star = param;
      } else if (param.kind === "starstar") {
        if (starstar !== undefined) this.#error(param.pos, "multiple ** parameters not allowed");
        starstar = param;
      } else {
        if (after !== undefined) this.#error(param.pos, `${param.kind} parameter ${after}`);
        else if (star !== undefined) fn.numKwonly++;
        else if (optional && param.kind === "required") {
          this.#error(param.pos, "required parameter may not follow optional");
        }
        optional ||= param.kind === "optional";
        this.#bindParam(param);
      }
    }
    if (star?.name !== undefined) {
      this.#bindParam(star);
      fn.hasVarargs = true;
    } else if (star !== undefined && fn.numKwonly === 0) {
      this.#error(star.pos, "bare * must be followed by keyword-only parameters");
    }
    if (starstar !== undefined) {
      this.#bindParam(starstar);
      fn.hasKwargs = true;
    }
  }

  #bindParam(param: Param): void {
    const name = param.name!;
    if (!this.#bindLocal(name)) return;
    const pos = param.kind === "optional" ? param.pos : name.pos;
    this.#error(pos, `duplicate parameter: ${name.name}`);
  }
}

/** The operand with which an operator, a call or an index begins. */
function headOf(e: Expr): Expr | undefined {
  switch (e.kind) {
    case "binary":
      return e.left;
    case "call":
      return e.callee;
    case "index":
    case "slice":
      return e.object;
    default:
      return undefined;
  }
}

/** Expressions as starlark-go names them when they cannot be assigned to. */
const GO_NAMES: Readonly<Record<Expr["kind"], string>> = {
  name: "ident",
  literal: "literal",
  list: "listexpr",
  tuple: "tupleexpr",
  dict: "dictexpr",
  unary: "unaryexpr",
  binary: "binaryexpr",
  conditional: "condexpr",
  call: "callexpr",
  dot: "dotexpr",
  index: "indexexpr",
  slice: "sliceexpr",
  comprehension: "comprehension",
  lambda: "lambdaexpr",
  paren: "parenexpr",
};

/** Binds the names of a file. Throws a ResolveError with all that is wrong. */
export function resolveFile(file: SyntaxFile, environment: Environment): ModuleScope {
  return new Resolver(file, environment).resolve();
}
