import { hasMetadataLabels } from "../../manifests/kubernetes-objects.ts";
import type { KubernetesObject } from "../../model/plan.ts";
import { StarlarkTuple, toJsString, types, type Value } from "../../starlark/index.ts";
import { kinds, labelled, oneOrMore, toPath } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { compileIgnoringCase } from "../go/regexp.ts";
import { dumpObjects, parseObjects } from "../k8s-objects.ts";
import { readRecorded } from "../read-text.ts";
import { Blob, blobOf, textOf } from "../values/blob.ts";

/** k8s_yaml and filter_yaml. */
export function k8sYamlBuiltins(evaluation: Evaluation): BuiltinTable {
  const k8sYaml = { yaml: types.value, "allow_duplicates?": types.bool };
  const filterYaml = {
    yaml: types.value,
    "labels?": kinds.textMap,
    "name?": types.string,
    "namespace?": types.string,
    "kind?": types.string,
    "api_version?": types.string,
  };
  const registered = new Map<string, string>();
  return {
    k8s_yaml(call) {
      const { yaml, allow_duplicates } = call.unpack(k8sYaml);
      const [first] = oneOrMore(yaml);
      if (first === undefined) throw new Error("Empty YAML passed to k8s_yaml");
      const objects = objectsOf(evaluation, yaml);
      if (objects.length === 0 && (first instanceof Blob || textOf(first) === "")) {
        throw new Error("Empty YAML passed to k8s_yaml");
      }
      recordObjects(evaluation, call, objects, registered, allow_duplicates ?? false);
      return null;
    },
    filter_yaml(call) {
      const { yaml, labels, name, namespace, kind, api_version } = call.unpack(filterYaml);
      const objects = objectsOf(evaluation, yaml);
      const selects = selector({ apiVersion: api_version, kind, name, namespace });
      const hasLabels = (object: KubernetesObject) => hasMetadataLabels(object, labels ?? {});
      const selected = objects.filter(selects);
      const rest = [
        ...objects.filter((object) => !selects(object)),
        ...selected.filter((object) => !hasLabels(object)),
      ];
      const source = yaml instanceof Blob ? yaml.source : "filter_yaml";
      return new StarlarkTuple([
        blobOf(dumpObjects(selected.filter(hasLabels)), source),
        blobOf(dumpObjects(rest), source),
      ]);
    },
  };
}

/** What objects are picked by: regular expressions, matched anywhere and ignoring case; absent ones match all. */
export interface ObjectPatterns {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/**
 * The test for objects that patterns stand for.
 * @throws Error in Tilt's words when one is no regular expression
 */
export function selector(patterns: ObjectPatterns): (object: KubernetesObject) => boolean {
  const compiled = (["apiVersion", "kind", "name", "namespace"] as const).map((field) =>
    labelled(`error parsing ${field} regexp`, () => compileIgnoringCase(patterns[field] ?? "")),
  );
  const [apiVersion, kind, name, namespace] = compiled as [RegExp, RegExp, RegExp, RegExp];
  return (object) =>
    apiVersion.test(object.apiVersion ?? "") &&
    kind.test(object.kind) &&
    name.test(object.metadata?.name ?? "") &&
    namespace.test(object.metadata?.namespace || "default");
}

function objectsOf(evaluation: Evaluation, yaml: Value): KubernetesObject[] {
  return oneOrMore(yaml).flatMap((source) => {
    if (source instanceof Blob) {
      return labelled(`Error reading yaml from ${source.source}`, () =>
        parseObjects(toJsString(source.text), source.source),
      );
    }
    return objectsOfFile(evaluation, toPath(evaluation, source));
  });
}

function objectsOfFile(evaluation: Evaluation, path: string): KubernetesObject[] {
  const bytes = labelled("error reading yaml file", () => readRecorded(evaluation, path));
  try {
    return parseObjects(bytes.toString("utf8"), path);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("json parse error: ")) throw error;
    throw new Error(`${path} is not a valid YAML file: ${error.message}`, { cause: error });
  }
}

function recordObjects(
  evaluation: Evaluation,
  call: Call,
  objects: readonly KubernetesObject[],
  registered: Map<string, string>,
  duplicatesAllowed: boolean,
): void {
  const position = call.position();
  // Go's text of a stack ends with a newline.
  const stack = `${call.thread.stackText()}\n`;
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const name = metadata?.name ?? "";
    const namespace = metadata?.namespace ?? "";
    const key = [apiVersion, kind, namespace, name].join("\n");
    const first = registered.get(key);
    if (first !== undefined && !duplicatesAllowed) {
      const shown = namespace === "" ? "" : ` (Namespace: ${namespace})`;
      throw new Error(
        `Duplicate YAML: ${kind} ${name}${shown}\n` +
          "Ignore this error with k8s_yaml(..., allow_duplicates=True)\n" +
          `YAML originally registered at: ${first.replaceAll("\n", "\n  ")}`,
      );
    }
    registered.set(key, stack);
    evaluation.sync.needsCluster?.();
    evaluation.objects.push({ object, position, stack });
  }
}
