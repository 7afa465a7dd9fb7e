import { CORE_DIALECT, type Dialect, TILT_DIALECT } from "../dialect.ts";
import type { Position } from "../errors.ts";
import type { SyntaxFile } from "../syntax/ast.ts";
import { toJsString } from "../values/text.ts";
import { resolveFile } from "./resolve.ts";

/** What a file may refer to, for a check without running it. */
export interface CheckOptions {
  readonly dialect?: Dialect;
  readonly isPredeclared?: (name: string) => boolean;
  readonly isUniversal?: (name: string) => boolean;
}

/** Throws a ResolveError with every static error of a file. */
export function checkFile(file: SyntaxFile, options: CheckOptions = {}): void {
  resolveFile(file, {
    dialect: options.dialect ?? CORE_DIALECT,
    isPredeclared: options.isPredeclared ?? (() => false),
    isUniversal: options.isUniversal ?? (() => false),
  });
}

/**
 * The names that a file uses without binding them: builtins, predeclared values, and mistakes alike. Loaded names
 * are the file's own. Throws a ResolveError for a file with other static errors.
 */
export function referencedGlobals(file: SyntaxFile, dialect: Dialect = TILT_DIALECT): Set<string> {
  const { outside } = resolveFile(file, {
    dialect,
    isPredeclared: () => true,
    isUniversal: () => false,
  });
  return new Set([...outside].map((name) => toJsString(name)));
}

/** A module that a file loads, as written. */
export interface LoadedModule {
  readonly module: string;
  readonly position: Position;
}

/** The load statements of a file, in order. */
export function loadedModules(file: SyntaxFile): LoadedModule[] {
  return file.stmts.flatMap((stmt) =>
    stmt.kind === "load"
      ? [{ module: toJsString(stmt.module), position: file.source.position(stmt.pos) }]
      : [],
  );
}
