import type { ForStmt, IfStmt, Stmt, WhileStmt } from "../syntax/ast.ts";
import { fuel } from "../values/fuel.ts";
import type { Value } from "../values/value.ts";
import { refuel } from "./call.ts";
import { compileAssign, compileStore, compileStoreName } from "./compile-assign.ts";
import { compileFunction } from "./compile-function.ts";
import type { Compiler } from "./compiler.ts";
import { BREAK, CONTINUE, type Execute, type Frame, type Test } from "./frame.ts";
import { forEach } from "./iterate.ts";

const nothing: Execute = () => undefined;

/** Compiles statements that are run one after the other. */
export function compileBlock(c: Compiler, stmts: readonly Stmt[]): Execute {
  const parts = stmts
    .filter((stmt) => stmt.kind !== "branch" || stmt.op !== "pass")
    .map((s) => compileStmt(c, s));
  const [first, second, third] = parts as [Execute, Execute, Execute];
  switch (parts.length) {
    case 0:
      return nothing;
    case 1:
      return first;
    case 2:
      return (f) => {
        const completion = first(f);
        return completion === undefined ? second(f) : completion;
      };
    case 3:
      return (f) => {
        let completion = first(f);
        if (completion === undefined) completion = second(f);
        return completion === undefined ? third(f) : completion;
      };
    default:
      return (f) => {
        for (let i = 0; i < parts.length; i++) {
          const completion = parts[i]!(f);
          if (completion !== undefined) return completion;
        }
        return undefined;
      };
  }
}

function compileStmt(c: Compiler, stmt: Stmt): Execute {
  switch (stmt.kind) {
    case "expr": {
      if (stmt.expr.kind === "literal") return nothing;
      const evaluate = c.expr(stmt.expr);
      return (f) => {
        evaluate(f);
        return undefined;
      };
    }
    case "assign":
      return compileAssign(c, stmt);
    case "return":
      return stmt.value === undefined ? () => null : c.expr(stmt.value);
    case "branch": {
      const signal = stmt.op === "break" ? BREAK : stmt.op === "continue" ? CONTINUE : undefined;
      return () => signal;
    }
    case "if":
      return compileIf(c, stmt);
    case "for":
      return compileFor(c, stmt);
    case "while":
      return compileWhile(c, stmt);
    case "def": {
      const make = compileFunction(c, stmt.fn!);
      const store = compileStoreName(c, stmt.name);
      return (f) => {
        store(f, make(f));
        return undefined;
      };
    }
    case "load":
      throw new Error("load statement outside the top level");
  }
}

function compileIf(c: Compiler, stmt: IfStmt): Execute {
  let otherwise: Execute | undefined = stmt.else === undefined ? undefined : c.block(stmt.else);
  if (stmt.branches.length > 8) return compileLongIf(c, stmt, otherwise ?? nothing);
  for (const { test, body } of stmt.branches.toReversed()) {
    otherwise = compileBranch(c.test(test), c.block(body), otherwise);
  }
  return otherwise!;
}

function compileBranch(test: Test, then: Execute, otherwise: Execute | undefined): Execute {
  if (otherwise === undefined) return (f) => (test(f) ? then(f) : undefined);
  return (f) => (test(f) ? then(f) : otherwise(f));
}

/** Many branches are tried in a loop, not nested. */
function compileLongIf(c: Compiler, stmt: IfStmt, otherwise: Execute): Execute {
  const branches = stmt.branches.map(({ test, body }) => ({
    test: c.test(test),
    body: c.block(body),
  }));
  return (f) => {
    for (const { test, body } of branches) if (test(f)) return body(f);
    return otherwise(f);
  };
}

function compileFor(c: Compiler, { vars, iterable, body, pos }: ForStmt): Execute {
  const evaluate = c.expr(iterable);
  const run = c.block(body);
  const site = c.site(pos);
  if (vars.kind === "name" && vars.binding!.scope === "local") {
    const slot = c.slot(vars.binding!);
    const turn = (f: Frame, elem: Value) => {
      f[slot] = elem;
      return run(f);
    };
    return (f) => forEach(evaluate(f), f, turn, site);
  }
  const store = compileStore(c, vars, pos);
  const turn = (f: Frame, elem: Value) => {
    store(f, elem);
    return run(f);
  };
  return (f) => forEach(evaluate(f), f, turn, site);
}

function compileWhile(c: Compiler, { test, body, pos }: WhileStmt): Execute {
  const condition = c.test(test);
  const run = c.block(body);
  const site = c.site(pos);
  return (f) => {
    while (condition(f)) {
      if (--fuel[0]! < 0) refuel(site);
      const completion = run(f);
      if (completion !== undefined && completion !== CONTINUE) {
        return completion === BREAK ? undefined : completion;
      }
    }
    return undefined;
  };
}
