import { parseJsonPath } from "../../manifests/json-path-parser.ts";
import type { ImageLocator } from "../../model/plan.ts";
import {
  isString,
  reprText,
  StarlarkDict,
  StarlarkFunction,
  toJsString,
  typeName,
  types,
  type Value,
} from "../../starlark/index.ts";
import { labelled, oneOrMore } from "../arguments.ts";
import type { BuiltinTable } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goList, goQuote } from "../go/quote.ts";
import { workloadNamer } from "../workload-names.ts";
import { podReadiness } from "./k8s-resource.ts";
import { selector } from "./k8s-yaml.ts";

const IMAGE_OBJECT_FORM =
  "Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}";
const IMAGE_OBJECT_FIELDS = ["json_path", "repo_field", "tag_field"];

const K8S_KIND = {
  kind: types.string,
  "image_json_path?": jsonPaths,
  "api_version?": types.string,
  "image_object?": imageObject,
  "pod_readiness?": podReadiness,
} as const;

const K8S_IMAGE_JSON_PATH = {
  paths: jsonPaths,
  "api_version?": types.string,
  "kind?": types.string,
  "name?": types.string,
  "namespace?": types.string,
} as const;

/** What else is a workload, where it has its images, and what workloads are called. */
export function k8sKindBuiltins(evaluation: Evaluation): BuiltinTable {
  return {
    k8s_kind(call) {
      // image_json_path and the rest are keyword-only.
      if (call.args.length > 1) {
        throw new Error(`${call.name}: got ${call.args.length} arguments, want at most 1`);
      }
      const given = call.unpack(K8S_KIND);
      selector({ apiVersion: given.api_version, kind: given.kind });
      const paths = given.image_json_path ?? [];
      if (paths.length > 0 && given.image_object !== undefined) {
        throw new Error("Cannot specify both image_json_path and image_object");
      }
      for (const path of paths) parseJsonPath(path);
      if (given.image_object !== undefined) parseJsonPath(given.image_object.jsonPath);
      const locators: ImageLocator[] = paths.map((jsonPath) => ({ type: "path", jsonPath }));
      if (given.image_object !== undefined) locators.push(given.image_object);
      evaluation.kindRules.push({
        kind: given.kind,
        ...(given.api_version ? { apiVersion: given.api_version } : {}),
        ...(given.pod_readiness ? { podReadiness: given.pod_readiness } : {}),
        locators,
        position: call.position(),
      });
      return null;
    },

    k8s_image_json_path(call) {
      const { paths, api_version, kind, name, namespace } = call.unpack(K8S_IMAGE_JSON_PATH);
      if (!kind && !name && !namespace) {
        throw new Error("at least one of kind, name, or namespace must be specified");
      }
      selector({ apiVersion: api_version, kind, name, namespace });
      for (const path of paths) parseJsonPath(path);
      evaluation.imagePathRules.push({
        ...(kind ? { kind } : {}),
        ...(api_version ? { apiVersion: api_version } : {}),
        ...(name ? { name } : {}),
        ...(namespace ? { namespace } : {}),
        jsonPaths: paths,
        position: call.position(),
      });
      return null;
    },

    workload_to_resource_function(call) {
      const { func } = call.unpack({ func: starlarkFunction });
      if (func.paramCount !== 1) {
        throw new Error(
          `${call.name} arg must take 1 argument. ${func.name} takes ${func.paramCount}`,
        );
      }
      evaluation.workloadToResource = workloadNamer(evaluation, func);
      return null;
    },
  };
}

function starlarkFunction(value: Value): StarlarkFunction {
  if (value instanceof StarlarkFunction) return value;
  throw new Error(`got ${typeName(value)}, want function`);
}

function jsonPaths(value: Value): string[] {
  return oneOrMore(value).map((path) => {
    if (isString(path)) return toJsString(path);
    throw new Error(`Expected string, got: ${reprText(path)}`);
  });
}

function imageObject(value: Value): Extract<ImageLocator, { type: "object" }> {
  if (!(value instanceof StarlarkDict)) {
    throw new Error(`${IMAGE_OBJECT_FORM}. Actual: ${reprText(value)}`);
  }
  const fields = labelled(IMAGE_OBJECT_FORM, () => imageObjectFields(value));
  return {
    type: "object",
    jsonPath: fields.get("json_path") ?? "",
    repoField: fields.get("repo_field") ?? "",
    tagField: fields.get("tag_field") ?? "",
  };
}

function imageObjectFields(dict: StarlarkDict): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of dict.entries()) {
    const name = isString(key) ? toJsString(key) : undefined;
    if (name === undefined || !IMAGE_OBJECT_FIELDS.includes(name)) {
      throw new Error(`Unexpected key: ${reprText(key)}`);
    }
    if (!isString(value)) {
      // Tilt quotes the key's text, which has quotes already.
      throw new Error(`Expected string at key ${goQuote(reprText(key))}. Got: ${typeName(value)}`);
    }
    fields.set(name, toJsString(value));
  }
  if (dict.size !== IMAGE_OBJECT_FIELDS.length) {
    throw new Error(`Missing keys. Actual keys: ${goList(dict.keys().map(reprText))}`);
  }
  return fields;
}
