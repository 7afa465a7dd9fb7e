import { readdirSync, readFileSync, statSync } from "node:fs";
import { parseYamlStream, type YamlValue } from "../../manifests/yaml.ts";
import { types, type Value } from "../../starlark/index.ts";
import { kinds, labelled, pathTypes } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { isNotExist, osReason } from "../go/os-error.ts";
import { isAbsolute, join, relative } from "../go/path.ts";
import { goList, goQuote } from "../go/quote.ts";
import { dumpObjects, parseObjects } from "../k8s-objects.ts";
import { findProgram, runLocalCommand } from "../local-command.ts";
import { isDirectory, recordFileOnly } from "../read-text.ts";
import { blobOf } from "../values/blob.ts";

const KUSTOMIZATION_FILES = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const SEPARATOR = "---\n";

/** helm() and kustomize(). */
export function chartBuiltins(evaluation: Evaluation): BuiltinTable {
  const { path } = pathTypes(evaluation);
  const helm = {
    paths: path,
    "name?": types.string,
    "namespace?": types.string,
    "values?": kinds.textList,
    "set?": kinds.textList,
    "kube_version?": types.string,
    "skip_crds?": types.bool,
  } as const;
  const kustomize = { paths: path, "kustomize_bin?": path, "flags?": kinds.texts } as const;
  return {
    helm: (call) => renderChart(evaluation, call.unpack(helm)),
    kustomize: (call) => buildKustomization(evaluation, call, call.unpack(kustomize)),
  };
}

interface HelmArguments {
  readonly paths: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly values: string[] | undefined;
  readonly set: string[] | undefined;
  readonly kube_version: string | undefined;
  readonly skip_crds: boolean | undefined;
}

function renderChart(evaluation: Evaluation, given: HelmArguments): Value {
  const { paths: chart, namespace } = given;
  checkChart(chart);
  evaluation.refuseCommand("helm()");
  evaluation.recordFile(chart);
  for (const dependency of localSubcharts(chart)) {
    evaluation.recordFile(evaluation.absolute(dependency));
  }
  const version = helmVersion(evaluation);
  const argv = ["helm", "template", given.name || "chart", chart];
  if (namespace) argv.push("--namespace", namespace);
  if (given.kube_version) argv.push("--kube-version", given.kube_version);
  if (!given.skip_crds && version !== "v3.0") argv.push("--include-crds");
  for (const file of given.values ?? []) {
    argv.push("--values", file);
    recordFileOnly(evaluation, evaluation.absolute(file));
  }
  for (const assignment of given.set ?? []) argv.push("--set", assignment);
  const output = runQuietly(evaluation, argv, "Running:");
  let yaml = withoutTests(output);
  if (version === "v3.0") yaml = [yaml, ...chartCrds(chart)].join("\n---\n");
  if (namespace)
    yaml = dumpObjects(parseObjects(yaml, `helm: ${chart}`).map(inNamespace(namespace)));
  return blobOf(yaml, `helm: ${chart}`);
}

function runQuietly(evaluation: Evaluation, argv: readonly string[], announce?: string): string {
  return runLocalCommand(
    evaluation,
    { argv, dir: evaluation.directory, env: {} },
    { logOutput: false, ...(announce === undefined ? {} : { announce }) },
  );
}

function checkChart(chart: string): void {
  let isDir: boolean;
  try {
    isDir = statSync(chart).isDirectory();
  } catch (error) {
    const reason = isNotExist(error) ? "does not exist" : `stat ${chart}: ${osReason(error)}`;
    throw new Error(`Could not read Helm chart directory ${goQuote(chart)}: ${reason}`);
  }
  if (!isDir) {
    throw new Error(`helm() may only be called on directories with Chart.yaml: ${goQuote(chart)}`);
  }
}

/** The directories of `file://` dependencies in a requirements.yaml. */
function localSubcharts(chart: string): string[] {
  let text: string;
  try {
    text = readFileSync(join(chart, "requirements.yaml"), "utf8");
  } catch (error) {
    if (isNotExist(error)) return [];
    throw error;
  }
  const [document] = labelled("reading subchart deps", () =>
    parseYamlStream(text, { file: join(chart, "requirements.yaml") }),
  );
  return items(field(document?.value, "dependencies")).flatMap((dependency) => {
    const repository = field(dependency, "repository");
    const prefix = "file://";
    return typeof repository === "string" && repository.startsWith(prefix)
      ? [repository.slice(prefix.length)]
      : [];
  });
}

function field(value: YamlValue | undefined, name: string): YamlValue | undefined {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
  return value[name];
}

function items(value: YamlValue | undefined): YamlValue[] {
  return Array.isArray(value) ? value : [];
}

/** Helm 3.0 cannot include CRDs itself; later ones, 4 included, can. */
function helmVersion(evaluation: Evaluation): "v3.0" | "later" {
  if (findProgram(evaluation, "helm") === undefined) {
    throw new Error("Unable to find Helm installation. Make sure `helm` is on your $PATH.");
  }
  const output = runQuietly(evaluation, ["helm", "version", "--short"]);
  // Warnings come before the version.
  const version = output.trim().split("\n").at(-1) ?? "";
  // Some builds leave the v out.
  if (/^v?3\.0\./.test(version)) return "v3.0";
  if (/^v?([3-9]|[1-9]\d+)\./.test(version)) return "later";
  throw new Error(`could not parse Helm version from string: ${goQuote(output)}`);
}

/** Drops what Helm marks as coming from a chart's tests. */
function withoutTests(yaml: string): string {
  return yaml
    .split(SEPARATOR)
    .filter((part) => !part.split("\n").some((line) => /^# Source: .*\/tests\//.test(line)))
    .join(SEPARATOR);
}

function chartCrds(chart: string): string[] {
  const directory = join(chart, "crds");
  if (!isDirectory(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.ya?ml$/i.test(name))
    .sort()
    .map((name) => readFileSync(join(directory, name), "utf8"));
}

/** `helm template --namespace` leaves the namespace to who applies: it is set on every object that lacks one. */
function inNamespace(namespace: string) {
  return <T extends { readonly metadata: { readonly namespace?: string } }>(object: T): T =>
    object.metadata?.namespace
      ? object
      : { ...object, metadata: { ...object.metadata, namespace } };
}

interface KustomizeArguments {
  readonly paths: string;
  readonly kustomize_bin: string | undefined;
  readonly flags: string[] | undefined;
}

function buildKustomization(evaluation: Evaluation, call: Call, given: KustomizeArguments): Value {
  const { paths: directory, kustomize_bin: binary, flags } = given;
  evaluation.refuseCommand(`${call.name}()`);
  const command = kustomizeCommand(evaluation, binary);
  const target = relative(evaluation.directory, directory);
  const yaml = runQuietly(evaluation, [...command, ...(flags ?? []), target], "Running:");
  const files = labelled("resolving deps", () => kustomizationFiles(directory));
  for (const file of files) evaluation.recordFile(file);
  return blobOf(yaml, `kustomize: ${directory}`);
}

function kustomizeCommand(evaluation: Evaluation, binary: string | undefined): string[] {
  if (binary) {
    if (isDirectory(binary) || !canFind(evaluation, binary)) {
      throw new Error(`exec: ${goQuote(binary)}: stat ${binary}: no such file or directory`);
    }
    return [binary, "build"];
  }
  if (findProgram(evaluation, "kustomize") !== undefined) return ["kustomize", "build"];
  evaluation.log("Falling back to `kubectl kustomize` since `kustomize` was not found in PATH");
  return ["kubectl", "kustomize"];
}

function canFind(evaluation: Evaluation, binary: string): boolean {
  return isAbsolute(binary)
    ? statSync(binary, { throwIfNoEntry: false }) !== undefined
    : findProgram(evaluation, binary) !== undefined;
}

/** The files that a kustomization is made of, as far as they are on disk; remote resources have none. */
function kustomizationFiles(directory: string): string[] {
  const path = kustomizationFile(directory);
  const [document] = parseYamlStream(readFileSync(path, "utf8"), { file: path });
  const kustomization = document?.value;
  const texts = (name: string) =>
    items(field(kustomization, name)).filter((item) => typeof item === "string");
  const paths = (name: string) =>
    items(field(kustomization, name)).flatMap((item) => {
      const value = field(item, "path");
      return typeof value === "string" ? [value] : [];
    });
  const nested = [...texts("bases"), ...texts("resources"), ...texts("components")].flatMap(
    (name) =>
      isDirectory(join(directory, name))
        ? kustomizationFiles(join(directory, name))
        : [join(directory, name)],
  );
  const generators = items(field(kustomization, "configMapGenerator")).flatMap((generator) =>
    items(field(generator, "files")).filter((item) => typeof item === "string"),
  );
  const own = [
    ...paths("patches"),
    ...texts("patchesStrategicMerge"),
    ...texts("crds"),
    ...paths("patchesJson6902"),
    ...generators,
  ];
  return [...new Set([...nested, path, ...own.map((name) => join(directory, name))])];
}

function kustomizationFile(directory: string): string {
  const found = KUSTOMIZATION_FILES.map((name) => join(directory, name)).filter((path) =>
    statSync(path, { throwIfNoEntry: false })?.isFile(),
  );
  if (found.length > 1) throw new Error(`Found multiple kustomization files under: ${directory}\n`);
  if (found[0] === undefined) {
    throw new Error(
      `unable to find one of ${goList(KUSTOMIZATION_FILES)} in directory '${directory}'`,
    );
  }
  return found[0];
}
