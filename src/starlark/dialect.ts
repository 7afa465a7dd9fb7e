/** The features beyond the core language that a file may use. */
export interface Dialect {
  /** The `set` builtin. */
  readonly set: boolean;
  /** `while` loops. */
  readonly while: boolean;
  /** `if`, `for` and `while` outside functions. */
  readonly topLevelControl: boolean;
  /** Assigning a global variable again. */
  readonly globalReassign: boolean;
  /** Functions that call themselves. */
  readonly recursion: boolean;
  /** Loaded names become globals of the file, exported again: an old habit of Bazel. Off in both dialects here. */
  readonly loadBindsGlobally?: boolean;
}

/** The language of the specification. */
export const CORE_DIALECT: Dialect = {
  set: false,
  while: false,
  topLevelControl: false,
  globalReassign: false,
  recursion: false,
};

/** What Tilt allows. */
export const TILT_DIALECT: Dialect = {
  set: true,
  while: true,
  topLevelControl: true,
  globalReassign: true,
  recursion: true,
};
