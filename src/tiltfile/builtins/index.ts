import {
  fromJsString,
  moduleBuiltin,
  StarlarkList,
  StarlarkModule,
  structBuiltin,
  types,
  type Value,
} from "../../starlark/index.ts";
import { type BuiltinTable, toBuiltin } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { dirname } from "../go/path.ts";
import { goQuote } from "../go/quote.ts";
import { parseLink } from "../link.ts";
import { tiltShim } from "../tilt-shim.ts";
import { Environ } from "../values/environ.ts";
import { LinkValue } from "../values/link.ts";
import { TRIGGER_MODE_AUTO, TRIGGER_MODE_MANUAL } from "../values/trigger-mode.ts";
import { chartBuiltins } from "./charts.ts";
import { composeBuiltins } from "./compose.ts";
import { configBuiltins } from "./config.ts";
import { controlBuiltins } from "./control.ts";
import { customDeployBuiltins } from "./custom-deploy.ts";
import { dataBuiltins } from "./data.ts";
import { imageBuiltins } from "./docker.ts";
import { fileBuiltins } from "./files.ts";
import { k8sKindBuiltins } from "./k8s-kind.ts";
import { k8sResourceBuiltins } from "./k8s-resource.ts";
import { k8sYamlBuiltins } from "./k8s-yaml.ts";
import { liveUpdateBuiltins } from "./live-update.ts";
import { localBuiltins } from "./local.ts";
import { osBuiltins } from "./os.ts";
import { probeBuiltins } from "./probe.ts";
import { settingsBuiltins } from "./settings.ts";
import { shlexBuiltins } from "./shlex.ts";
import { v1alpha1Builtins } from "./v1alpha1.ts";

/** Every builtin function of the Tiltfile API by its full name, those of loading left out. */
export function builtinTable(evaluation: Evaluation): BuiltinTable {
  return {
    ...imageBuiltins(evaluation),
    ...k8sYamlBuiltins(evaluation),
    ...k8sResourceBuiltins(evaluation),
    ...k8sKindBuiltins(evaluation),
    ...customDeployBuiltins(evaluation),
    ...localBuiltins(evaluation),
    ...liveUpdateBuiltins(evaluation),
    ...composeBuiltins(evaluation),
    ...fileBuiltins(evaluation),
    ...dataBuiltins(evaluation),
    ...chartBuiltins(evaluation),
    ...osBuiltins(evaluation),
    ...configBuiltins(evaluation),
    ...settingsBuiltins(evaluation),
    ...probeBuiltins(),
    ...controlBuiltins(evaluation),
    ...v1alpha1Builtins(evaluation),
    ...shlexBuiltins(),
    ...linkBuiltins(),
  };
}

/** The values of the Tiltfile API that are no functions, by full name. */
export function constants(evaluation: Evaluation): Readonly<Record<string, Value>> {
  const { options, tiltfile } = evaluation;
  const argv = new StarlarkList((options.argv ?? ["tilt", options.subcommand]).map(fromJsString));
  argv.freeze();
  return {
    TRIGGER_MODE_AUTO,
    TRIGGER_MODE_MANUAL,
    struct: structBuiltin,
    module: moduleBuiltin,
    "os.environ": new Environ(evaluation),
    "os.name": fromJsString("posix"),
    "sys.argv": argv,
    "sys.executable": fromJsString(tiltShim(options)?.executable ?? "tilt"),
    "config.tilt_subcommand": fromJsString(options.subcommand),
    "config.main_path": fromJsString(tiltfile),
    "config.main_dir": fromJsString(dirname(tiltfile)),
  };
}

function linkBuiltins(): BuiltinTable {
  return {
    link(call) {
      const { url, name } = call.unpack({ url: types.string, "name?": types.string });
      return new LinkValue({ url: parseLink(url), ...(name ? { name } : {}) });
    },
  };
}

type Tree = Map<string, Value | Tree>;

/** What a Tiltfile may use without loading it: a dotted name becomes a module, `[module: os.path]`. */
export function predeclaredValues(
  evaluation: Evaluation,
  loading: BuiltinTable,
): ReadonlyMap<string, Value> {
  const tree: Tree = new Map();
  for (const [name, value] of Object.entries(constants(evaluation))) addTo(tree, name, value);
  for (const [name, implementation] of Object.entries({
    ...builtinTable(evaluation),
    ...loading,
  })) {
    const builtin = toBuiltin(name, implementation, (file) => evaluation.isForeign(file));
    addTo(tree, name, builtin);
  }
  return modulesOf(tree, "");
}

function addTo(tree: Tree, name: string, value: Value): void {
  const parts = name.split(".");
  const last = parts.pop()!;
  let branch = tree;
  for (const part of parts) {
    const next = branch.get(part) ?? new Map();
    if (!(next instanceof Map)) throw new Error(`${goQuote(name)} collides with a value`);
    branch.set(part, next);
    branch = next;
  }
  branch.set(last, value);
}

function modulesOf(tree: Tree, prefix: string): Map<string, Value> {
  return new Map(
    [...tree].map(([name, node]) => {
      if (!(node instanceof Map)) return [name, node];
      const fullName = prefix + name;
      return [
        name,
        new StarlarkModule(fullName, modulesOf(node, `${fullName}.`), {
          text: `[module: ${fullName}]`,
        }),
      ];
    }),
  );
}
