import { readFileSync } from "node:fs";
import { messageOf } from "../../errors.ts";
import { decodeGoJson } from "../../manifests/go-json.ts";
import { fromJsString, StarlarkDict, types, type Value } from "../../starlark/index.ts";
import { kinds, stringsNamed } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import { type Flag, FlagError, parseFlags } from "../config-flags.ts";
import { type ConfigSetting, type Json, newSetting, type SettingKind } from "../config-setting.ts";
import type { Evaluation } from "../evaluation.ts";
import { isNotExist, osReason } from "../go/os-error.ts";
import { join } from "../go/path.ts";
import { goQuote } from "../go/quote.ts";
import { recordFileOnly } from "../read-text.ts";

const CONFIG_FILE = "tilt_config.json";

interface Definition {
  readonly kind: SettingKind;
  readonly usage: string;
}

/** What config.define_* have defined. */
interface Definitions {
  readonly settings: Map<string, Definition>;
  positional: string | undefined;
}

/** config.*; its constants are in modules.ts. */
export function configBuiltins(evaluation: Evaluation): BuiltinTable {
  const { selection } = evaluation;
  const definitions: Definitions = { settings: new Map(), positional: undefined };
  let parsedIn: string | undefined;
  const define = (kind: SettingKind) => (call: Call) => {
    defineSetting(definitions, call, kind, selection.parsed);
    return null;
  };
  return {
    "config.define_string": define("string"),
    "config.define_string_list": define("string_list"),
    "config.define_bool": define("bool"),
    "config.define_object": define("object"),
    "config.parse"(call) {
      call.unpack({});
      const { directory } = evaluation;
      if (parsedIn !== undefined && parsedIn !== directory) {
        throw new Error(
          `${call.name} can only be called from one Tiltfile working directory per run. It was called from ${parsedIn} and ${directory}`,
        );
      }
      parsedIn = directory;
      selection.parsed = true;
      return parseConfig(evaluation, definitions, join(directory, CONFIG_FILE));
    },
    "config.set_enabled_resources"(call) {
      const { resources } = call.unpack({ resources: kinds.sequence });
      const names = stringsNamed("resources must be a list of string", resources);
      selection.cleared = false;
      selection.enabledAt = call.position();
      // An empty list is no selection (Tilt keeps a nil slice for it).
      if (names.length > 0) selection.enabled = names;
      else delete selection.enabled;
      return null;
    },
    "config.clear_enabled_resources"(call) {
      call.unpack({});
      selection.cleared = true;
      delete selection.enabled;
      return null;
    },
  };
}

function defineSetting(
  definitions: Definitions,
  call: Call,
  kind: SettingKind,
  parsed: boolean,
): void {
  const { name, args, usage } = call.unpack({
    name: types.string,
    "args?": types.bool,
    "usage?": types.string,
  });
  if (name === "") throw new Error("'name' is required");
  if (parsed) throw new Error(`${call.name} cannot be called after config.parse is called`);
  if (definitions.settings.has(name)) throw new Error(`${name} defined multiple times`);
  if (args) {
    if (definitions.positional !== undefined) {
      throw new Error(`both ${name} and ${definitions.positional} are defined as positional args`);
    }
    definitions.positional = name;
  }
  definitions.settings.set(name, { kind, usage: usage ?? "" });
}

function parseConfig(evaluation: Evaluation, definitions: Definitions, file: string): Value {
  recordFileOnly(evaluation, file);
  const fromFile = settingsFromFile(definitions, file);
  const fromArgs = settingsFromArgs(evaluation, definitions);
  // The command line wins key by key. Tilt's dict has no order of its own; ours is that of the definitions.
  const merged = new Map<string, ConfigSetting>();
  for (const name of namesInOrder(definitions)) {
    const setting = fromArgs.get(name)?.isSet ? fromArgs.get(name) : fromFile.get(name);
    if (setting !== undefined) merged.set(name, setting);
  }
  return StarlarkDict.from(
    [...merged].map(([name, setting]) => [fromJsString(name), setting.value()]),
  );
}

/** The positional setting first, then the others as defined. */
function namesInOrder({ settings, positional }: Definitions): string[] {
  const names = [...settings.keys()];
  return positional === undefined
    ? names
    : [positional, ...names.filter((name) => name !== positional)];
}

function settingsFromFile(definitions: Definitions, file: string): Map<string, ConfigSetting> {
  const settings = new Map<string, ConfigSetting>();
  for (const [name, json] of Object.entries(readConfigFile(file))) {
    const definition = definitions.settings.get(name);
    if (definition === undefined) {
      throw new Error(`${file} specified unknown setting name '${name}'`);
    }
    const setting = newSetting(definition.kind);
    try {
      setting.setJson(json);
    } catch (error) {
      throw new Error(
        `${file} specified invalid value for setting ${name}: ${(error as Error).message}`,
      );
    }
    settings.set(name, setting);
  }
  return settings;
}

function readConfigFile(file: string): { [key: string]: Json } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (isNotExist(error)) return {};
    throw new Error(`error opening ${file}: open ${file}: ${osReason(error)}`);
  }
  const json = parseConfigText(text, file);
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new Error(`error parsing json from ${file}: expected an object`);
  }
  return json;
}

function parseConfigText(text: string, file: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Error(`error parsing json from ${file}: ${goJsonMistake(text) ?? messageOf(error)}`);
  }
}

/** What Go says of text that is no JSON. */
function goJsonMistake(text: string): string | undefined {
  try {
    decodeGoJson(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function settingsFromArgs(
  evaluation: Evaluation,
  definitions: Definitions,
): Map<string, ConfigSetting> {
  const settings = new Map<string, ConfigSetting>();
  const flags = new Map<string, Flag>();
  for (const [name, { kind, usage }] of definitions.settings) {
    const setting = newSetting(kind);
    settings.set(name, setting);
    if (name !== definitions.positional) flags.set(name, { setting, usage });
  }
  try {
    const positional = parseFlags(flags, evaluation.options.args);
    takePositional(definitions, settings, positional);
  } catch (error) {
    if (error instanceof FlagError && error.output !== "") evaluation.log(error.output);
    throw new Error(`invalid Tiltfile config args: ${(error as Error).message}`);
  }
  return settings;
}

function takePositional(
  { positional: name }: Definitions,
  settings: ReadonlyMap<string, ConfigSetting>,
  args: readonly string[],
): void {
  if (args.length === 0) return;
  if (name === undefined) {
    throw new Error(
      `positional CLI args (${goQuote(args.join(" "))}) were specified, but none were expected.\n` +
        "See https://docs.tilt.dev/tiltfile_config.html#positional-arguments for examples.",
    );
  }
  for (const arg of args) {
    try {
      settings.get(name)!.set(arg);
    } catch (error) {
      throw new Error(`invalid positional args (${name}): ${(error as Error).message}`);
    }
  }
}
