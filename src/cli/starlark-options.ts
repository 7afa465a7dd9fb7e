import { CORE_DIALECT, type Dialect, TILT_DIALECT } from "../starlark/index.ts";

/** What `tilt-ci starlark` is asked to do. */
export interface StarlarkOptions {
  readonly dialect: Dialect;
  /** How far to take each program. */
  readonly stage: "parse" | "check" | "run";
  /** Whether the values of the public test suites are predeclared. */
  readonly testValues: boolean;
  /** The program of `-c`. */
  readonly code: string | undefined;
  readonly files: readonly string[];
}

/** A command line that makes no sense. */
export class StarlarkUsageError extends Error {}

/** The text of `tilt-ci starlark --help`. */
export const STARLARK_HELP = `Usage: tilt-ci starlark [options] [FILE...]

Evaluates Starlark files, each with globals of its own. Without a file it reads
a program from standard input, or on a terminal starts a REPL. print() writes to
standard error. Exits 1 when a program fails.

Options:
  -c CODE           evaluate CODE
  --dialect NAME    core or tilt (default: tilt)
  --option=NAME     allow a feature on top of the dialect: set, while,
                    toplevelcontrol, globalreassign, recursion,
                    loadbindsglobally
  --parse           only parse
  --check           only parse and resolve names, reporting every static error
  --test-values     predeclare the values that the language's public test suites
                    use
  -h, --help        show this text
`;

const FEATURES: ReadonlyMap<string, keyof Dialect> = new Map([
  ["set", "set"],
  ["while", "while"],
  ["toplevelcontrol", "topLevelControl"],
  ["globalreassign", "globalReassign"],
  ["recursion", "recursion"],
  ["loadbindsglobally", "loadBindsGlobally"],
]);

function dialectOf(name: string | undefined): Dialect {
  if (name === "core") return CORE_DIALECT;
  if (name === "tilt") return TILT_DIALECT;
  throw new StarlarkUsageError(`Unknown dialect ${JSON.stringify(name ?? "")}: want core or tilt`);
}

function featureOf(name: string | undefined): keyof Dialect {
  const feature = FEATURES.get(name ?? "");
  if (feature !== undefined) return feature;
  const known = [...FEATURES.keys()].join(", ");
  throw new StarlarkUsageError(
    `Unknown option ${JSON.stringify(name ?? "")}: want one of ${known}`,
  );
}

/** Reads the command line; "help" when that is asked for. Throws StarlarkUsageError. */
export function parseStarlarkOptions(argv: readonly string[]): StarlarkOptions | "help" {
  let dialect: Dialect = TILT_DIALECT;
  let stage: StarlarkOptions["stage"] = "run";
  let testValues = false;
  let code: string | undefined;
  const features: (keyof Dialect)[] = [];
  const files: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [flag, attached] = splitFlag(argv[i]!);
    const value = () => attached ?? argv[++i];
    if (flag === "--dialect") dialect = dialectOf(value());
    else if (flag === "--option") features.push(featureOf(value()));
    else if (flag === "--parse") stage = "parse";
    else if (flag === "--check") stage = "check";
    else if (flag === "--test-values") testValues = true;
    else if (flag === "-h" || flag === "--help") return "help";
    else if (flag === "--") {
      files.push(...argv.slice(i + 1));
      break;
    } else if (flag === "-c") code = value();
    else if (flag.startsWith("-") && flag !== "-")
      throw new StarlarkUsageError(`Unknown flag ${flag}`);
    else files.push(argv[i]!);
    if (flag === "-c" && code === undefined) throw new StarlarkUsageError("-c wants a program");
  }
  const extra = Object.fromEntries(features.map((feature) => [feature, true]));
  return { dialect: { ...dialect, ...extra }, stage, testValues, code, files };
}

function splitFlag(arg: string): [string, string | undefined] {
  const at = arg.startsWith("--") ? arg.indexOf("=") : -1;
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}
