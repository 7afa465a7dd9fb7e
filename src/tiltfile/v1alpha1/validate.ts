import { goQuote } from "../go/quote.ts";
import { aggregate } from "../live-update.ts";
import type { ObjectTypeName } from "./types.ts";
import type { Plain, PlainObject } from "./values.ts";

/**
 * What Tilt's API server refuses of an object.
 * @throws Error in its words
 */
export function validate(type: ObjectTypeName, spec: PlainObject): void {
  const problems = VALIDATORS[type]?.(spec) ?? [];
  if (problems.length > 0) throw new Error(aggregate(problems));
}

type Validator = (spec: PlainObject) => string[];

const VALIDATORS: Readonly<Partial<Record<ObjectTypeName, Validator>>> = {
  extension_repo: extensionRepoProblems,
  file_watch: (spec) =>
    length(spec.watched_paths) === 0
      ? ["spec.watchedPaths: Required value: cannot be an empty list"]
      : [],
  kubernetes_apply: kubernetesApplyProblems,
  kubernetes_discovery: kubernetesDiscoveryProblems,
  ui_button: buttonProblems,
};

function length(value: Plain | undefined): number {
  return Array.isArray(value) ? value.length : 0;
}

function required(path: string, detail: string): string {
  return `${path}: Required value: ${detail}`;
}

function extensionRepoProblems({ url, git_subpath }: PlainObject): string[] {
  const text = String(url ?? "");
  const invalid = (path: string, value: string, detail: string) => [
    `${path}: Invalid value: ${goQuote(value)}: ${detail}`,
  ];
  if (/^https?:\/\//.test(text)) return [];
  if (!text.startsWith("file://")) {
    return invalid("spec.url", text, "URLs must start with http(s):// or file://");
  }
  if (!text.startsWith("file:///")) {
    return invalid(
      "spec.url",
      text,
      "file:// URLs must be absolute (e.g., file:///home/user/repo)",
    );
  }
  return git_subpath
    ? invalid(
        "spec.git_subpath",
        String(git_subpath),
        "cannot use git_subpath for file:// URL extension repositories",
      )
    : [];
}

function kubernetesApplyProblems({ yaml, apply_cmd, delete_cmd }: PlainObject): string[] {
  if (yaml && apply_cmd)
    return ["spec.applyCmd: Invalid value: cannot specify both yaml and applyCmd"];
  if (!yaml && !apply_cmd) return ["spec.yaml: Required value: must specify yaml or applyCmd"];
  return yaml && delete_cmd ? ["spec.deleteCmd: Forbidden: deleteCmd needs applyCmd"] : [];
}

function kubernetesDiscoveryProblems({ watches, extra_selectors }: PlainObject): string[] {
  if (length(watches) === 0 && length(extra_selectors) === 0) {
    return [required("spec.watches", "One or more watches or extraSelectors are required")];
  }
  return ((watches ?? []) as PlainObject[]).flatMap((watch, index) =>
    watch.namespace ? [] : [required(`spec.watches[${index}]`, "Namespace must be provided")],
  );
}

function buttonProblems({ text, location, icon_svg, inputs }: PlainObject): string[] {
  const problems: string[] = [];
  const place = (location ?? {}) as PlainObject;
  if (!text) problems.push(required("spec.text", "Button text cannot be empty"));
  if (!place.component_id) {
    problems.push(required("spec.location.componentID", "Parent component ID is required"));
  }
  if (!place.component_type) {
    problems.push(required("spec.location.componentType", "Parent component type is required"));
  }
  if (icon_svg && !String(icon_svg).includes("<svg")) {
    problems.push(
      `spec.iconSVG: Invalid value: ${goQuote(String(icon_svg))}: Invalid <svg> element`,
    );
  }
  const seen = new Set<Plain | undefined>();
  ((inputs ?? []) as PlainObject[]).forEach((input, index) => {
    if (seen.has(input.name)) {
      problems.push(`spec.inputs[${index}].id: Duplicate value: ${inputJson(input)}`);
    }
    seen.add(input.name);
    problems.push(...inputProblems(input));
  });
  return problems;
}

function inputProblems(input: PlainObject): string[] {
  const problems: string[] = [];
  const kinds = ["text", "bool", "hidden", "choice"].filter((kind) => input[kind] !== undefined);
  const choice = input.choice as PlainObject | undefined;
  if (choice !== undefined && length(choice.choices) === 0) {
    problems.push(
      `spec: Invalid value: ${inputJson(input)}: must specify choices if input type is choice`,
    );
  }
  if (kinds.length !== 1) {
    problems.push(`spec: Invalid value: ${inputJson(input)}: must specify exactly one input type`);
  }
  return problems;
}

/** An input as Go marshals it. */
function inputJson(input: PlainObject): string {
  const {
    name = "",
    label = "",
    text,
    bool,
    hidden,
    choice,
  } = input as Record<string, Plain | undefined>;
  return JSON.stringify({
    name,
    label,
    ...(text ? { text: camelCased(text as PlainObject) } : {}),
    ...(bool ? { bool: camelCased(bool as PlainObject) } : {}),
    ...(hidden ? { hidden: { value: (hidden as PlainObject).value ?? "" } } : {}),
    ...(choice ? { choice: { choices: (choice as PlainObject).choices ?? null } } : {}),
  });
}

function camelCased(value: PlainObject): PlainObject {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== "" && item !== false)
      .map(([key, item]) => [
        key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
        item,
      ]),
  );
}
