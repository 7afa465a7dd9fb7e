import type { ConfigSetting } from "./config-setting.ts";
import { compareBytes, goQuote, goQuoteRune } from "./go/quote.ts";

/*
 * The command line of a Tiltfile as the pflag library reads it: long flags only, mixed with positional arguments,
 * everything after `--` positional.
 */

export interface Flag {
  readonly setting: ConfigSetting;
  readonly usage: string;
}

/** A command line that cannot be read. `output` is what pflag prints by itself (for `--help`). */
export class FlagError extends Error {
  readonly output: string;
  constructor(message: string, output = "") {
    super(message);
    this.output = output;
  }
}

/**
 * Sets flags from arguments and returns the positional ones.
 * @throws FlagError in pflag's words, the usage after it
 */
export function parseFlags(flags: ReadonlyMap<string, Flag>, args: readonly string[]): string[] {
  const positional: string[] = [];
  const rest = [...args];
  const fail = (message: string, output = "") => {
    const usage = flagUsages(flags);
    return new FlagError(usage.trim() === "" ? message : `${message}\nUsage:\n${usage}`, output);
  };
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith("-") || arg === "-") {
      positional.push(arg);
    } else if (arg === "--") {
      positional.push(...rest.splice(0));
    } else if (!arg.startsWith("--")) {
      if (arg[1] === "h") throw helpRequested(flags, fail);
      throw fail(`unknown shorthand flag: ${goQuoteRune(arg[1]!)} in -${arg.slice(1)}`);
    } else {
      parseLongFlag(flags, arg, rest, fail);
    }
  }
  return positional;
}

type Fail = (message: string, output?: string) => FlagError;

function helpRequested(flags: ReadonlyMap<string, Flag>, fail: Fail): FlagError {
  return fail("pflag: help requested", `Usage of :\n${flagUsages(flags, 0)}`);
}

function parseLongFlag(
  flags: ReadonlyMap<string, Flag>,
  arg: string,
  rest: string[],
  fail: Fail,
): void {
  const [, name = "", , given] = /^--([^=]*)(=([\s\S]*))?$/.exec(arg)!;
  if (name === "" || name.startsWith("-")) throw fail(`bad flag syntax: ${arg}`);
  const flag = flags.get(name);
  if (flag === undefined) {
    throw name === "help" ? helpRequested(flags, fail) : fail(`unknown flag: --${name}`);
  }
  const value = given ?? flag.setting.impliedValue ?? rest.shift();
  if (value === undefined) throw fail(`flag needs an argument: --${name}`);
  try {
    flag.setting.set(value);
  } catch (error) {
    throw fail(
      `invalid argument ${goQuote(value)} for ${goQuote(`--${name}`)} flag: ${(error as Error).message}`,
    );
  }
}

/** pflag's FlagUsagesWrapped; 0 columns mean no wrapping. */
export function flagUsages(flags: ReadonlyMap<string, Flag>, columns = 80): string {
  const names = [...flags.keys()].sort(compareBytes);
  const heads = names.map((name) => flagHead(name, flags.get(name)!));
  // pflag counts a separator of one character.
  const widest = Math.max(0, ...heads.map(({ head }) => head.length + 1));
  return heads
    .map(({ head, usage }) => {
      const spacing = " ".repeat(widest - head.length);
      return `${head} ${spacing} ${wrap(widest + 2, columns, usage)}\n`;
    })
    .join("");
}

function flagHead(name: string, { setting, usage }: Flag): { head: string; usage: string } {
  const named = /`([^`]*)`/.exec(usage);
  const shownType = named?.[1] ?? (setting.typeName === "bool" ? "" : setting.typeName);
  const text = named === null ? usage : usage.replace(named[0], named[1]!);
  const isZero = ["false", "<nil>", "", "0"].includes(setting.defaultText);
  return {
    head: `      --${name}${shownType === "" ? "" : ` ${shownType}`}`,
    usage: isZero ? text : `${text} (default ${setting.defaultText})`,
  };
}

/** pflag's wrap: text in lines of `width`, later ones indented. */
function wrap(indentation: number, width: number, text: string): string {
  let indent = indentation;
  if (width === 0) return text.replaceAll("\n", `\n${" ".repeat(indent)}`);
  let room = width - indent;
  let result = "";
  if (room < 24) {
    indent = 16;
    room = width - indent;
    result = `\n${" ".repeat(indent)}`;
  }
  if (room < 24) return text.replaceAll("\n", result);
  const margin = `\n${" ".repeat(indent)}`;
  const lines: string[] = [];
  for (let rest = text; ; ) {
    const [line, next] = cutLine(room - 5, 5, rest);
    lines.push(line.replaceAll("\n", margin));
    if (next === "") break;
    rest = next;
  }
  return result + lines.join(margin);
}

/** pflag's wrapN: the first line of at most `length` characters (`slop` more if that is the end), and the rest. */
function cutLine(length: number, slop: number, text: string): [line: string, rest: string] {
  if (length + slop > text.length) return [text, ""];
  const head = text.slice(0, length);
  const space = Math.max(head.lastIndexOf(" "), head.lastIndexOf("\t"), head.lastIndexOf("\n"));
  if (space <= 0) return [text, ""];
  const newline = head.lastIndexOf("\n");
  const cut = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, cut), text.slice(cut + 1)];
}
