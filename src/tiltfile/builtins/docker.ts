import {
  familiarReference,
  formatImageReference,
  type ImageReference,
  parseCanonicalReference,
  parseImageReference,
} from "../../manifests/image-reference.ts";
import { isString, toJsString, types, type Value } from "../../starlark/index.ts";
import {
  kinds,
  labelled,
  pathTypes,
  patterns,
  strings,
  texts,
  toArgv,
  toCommand,
} from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import { contextFilters } from "../context-filters.ts";
import type { Evaluation } from "../evaluation.ts";
import { join } from "../go/path.ts";
import { goQuote } from "../go/quote.ts";
import { aggregate, liveUpdateSteps } from "../live-update.ts";
import { readRecorded } from "../read-text.ts";
import type { RecordedDockerBuild } from "../recorded.ts";
import { Blob } from "../values/blob.ts";
import { Opaque } from "../values/opaque.ts";

const CACHE_IS_OBSOLETE =
  "docker_build(cache=...) is obsolete, and currently a no-op.\n" +
  "You should switch to live_update to optimize your builds.";

/** What is built: docker_build, custom_build, and where images go. */
export function imageBuiltins(evaluation: Evaluation): BuiltinTable {
  const dockerBuild = dockerBuildSpec(evaluation);
  const customBuild = customBuildSpec(evaluation);
  const registry = {
    host: types.string,
    "host_from_cluster?": types.string,
    "single_name?": types.string,
  };
  return {
    docker_build: (call) => recordDockerBuild(evaluation, call, dockerBuild),
    custom_build: (call) => recordCustomBuild(evaluation, call, customBuild),
    default_registry(call) {
      if (evaluation.settings.defaultRegistry !== undefined) {
        throw new Error("default registry already defined");
      }
      const { host, host_from_cluster, single_name } = call.unpack(registry);
      checkRegistry(host, host_from_cluster);
      evaluation.settings.defaultRegistry = {
        host,
        ...(host_from_cluster ? { hostFromCluster: host_from_cluster } : {}),
        ...(single_name ? { singleName: single_name } : {}),
      };
      return null;
    },
  };
}

function dockerBuildSpec(evaluation: Evaluation) {
  const { path } = pathTypes(evaluation);
  return {
    ref: types.string,
    context: path,
    "build_args?": kinds.textMap,
    "dockerfile??": path,
    "dockerfile_contents?": types.value,
    "cache?": types.value,
    "live_update?": types.value,
    "match_in_env_vars?": types.bool,
    "ignore?": types.value,
    "only?": types.value,
    "entrypoint?": types.value,
    "container_args?": kinds.sequence,
    "target?": types.string,
    "ssh?": kinds.textList,
    "secret?": kinds.textList,
    "network?": kinds.text,
    "extra_tag?": kinds.textList,
    "cache_from?": kinds.textList,
    "pull?": types.bool,
    "platform?": kinds.text,
    "extra_hosts?": kinds.textList,
  } as const;
}

function customBuildSpec(evaluation: Evaluation) {
  const { path, paths } = pathTypes(evaluation);
  return {
    ref: types.string,
    command: types.value,
    deps: paths,
    "tag?": types.string,
    "disable_push?": types.bool,
    "skips_local_docker?": types.bool,
    "live_update?": types.value,
    "match_in_env_vars?": types.bool,
    "ignore?": types.value,
    "entrypoint?": types.value,
    "container_args?": kinds.sequence,
    "command_bat_val?": types.value,
    "outputs_image_ref_to?": path,
    "command_bat?": types.value,
    "image_deps?": imageRefs,
    "env?": kinds.textMap,
    "dir?": types.value,
  } as const;
}

function recordDockerBuild(
  evaluation: Evaluation,
  call: Call,
  spec: ReturnType<typeof dockerBuildSpec>,
): Value {
  const given = call.unpack(spec);
  const reference = imageArgument(given.ref);
  const file = readDockerfile(
    evaluation,
    given.context,
    given.dockerfile,
    given.dockerfile_contents,
  );
  if (given.cache !== undefined) evaluation.warn(CACHE_IS_OBSOLETE, call.position());
  const liveUpdate = labelled("live_update", () => liveUpdateSteps(evaluation, given.live_update));
  const ignore = patterns(given.ignore, "ignore");
  const only = onlyPaths(given.only);
  const entrypoint = toArgv(given.entrypoint);
  const containerArgs = containerArguments(given.container_args);
  for (const tag of given.extra_tag ?? []) checkExtraTag(tag);
  const platform = given.platform || evaluation.env.get("DOCKER_DEFAULT_PLATFORM");
  claimImage(evaluation, reference);
  const build: RecordedDockerBuild = {
    type: "docker",
    ref: given.ref,
    position: call.position(),
    matchInEnvVars: given.match_in_env_vars ?? false,
    ...(entrypoint.length > 0 ? { entrypoint } : {}),
    ...(containerArgs === undefined ? {} : { containerArgs }),
    liveUpdate,
    context: given.context,
    ...(file.path === undefined ? {} : { dockerfile: file.path }),
    dockerfileContents: file.text,
    buildArgs: given.build_args ?? {},
    ...(given.target ? { target: given.target } : {}),
    ssh: given.ssh ?? [],
    secret: given.secret ?? [],
    ...(given.network ? { network: given.network } : {}),
    extraTags: given.extra_tag ?? [],
    cacheFrom: given.cache_from ?? [],
    pull: given.pull ?? false,
    ...(platform ? { platform } : {}),
    extraHosts: given.extra_hosts ?? [],
    contextFilters: contextFilters({
      context: given.context,
      dockerfile: file.path,
      tiltfile: evaluation.executingFile,
      ignore,
      only,
      label: `docker_build(${goQuote(familiarReference(reference))})`,
    }),
  };
  evaluation.images.push(build);
  return null;
}

function recordCustomBuild(
  evaluation: Evaluation,
  call: Call,
  spec: ReturnType<typeof customBuildSpec>,
): Value {
  const given = call.unpack(spec);
  const reference = imageArgument(given.ref);
  const liveUpdate = labelled("live_update", () => liveUpdateSteps(evaluation, given.live_update));
  patterns(given.ignore, "ignore");
  const entrypoint = toArgv(given.entrypoint);
  const containerArgs = containerArguments(given.container_args);
  const command = labelled("Argument 2 (command)", () =>
    toCommand(evaluation, { command: given.command, dir: given.dir, env: given.env }),
  );
  if (command.argv.length === 0) throw new Error("Argument 2 (command) can't be empty");
  if (given.tag && given.outputs_image_ref_to) {
    throw new Error("Cannot specify both tag= and outputs_image_ref_to=");
  }
  evaluation.refuseCommand(`custom_build(${goQuote(given.ref)})`);
  claimImage(evaluation, reference);
  evaluation.images.push({
    type: "custom",
    ref: given.ref,
    position: call.position(),
    matchInEnvVars: given.match_in_env_vars ?? false,
    ...(entrypoint.length > 0 ? { entrypoint } : {}),
    ...(containerArgs === undefined ? {} : { containerArgs }),
    liveUpdate,
    command,
    deps: given.deps,
    ...(given.tag ? { tag: given.tag } : {}),
    disablePush: given.disable_push ?? false,
    skipsLocalDocker: given.skips_local_docker ?? false,
    ...(given.outputs_image_ref_to ? { outputsImageRefTo: given.outputs_image_ref_to } : {}),
    imageDeps: given.image_deps ?? [],
  });
  const text = `custom_build(${goQuote(formatImageReference(reference))})`;
  return new Opaque("custom_build", "*tiltfile.customBuild", text, given.ref);
}

/** A list or tuple of image references, as written. */
export function imageRefs(value: Value): string[] {
  return texts(value).map((ref) => {
    labelled("must be a valid image reference", () => parseImageReference(ref));
    return ref;
  });
}

function imageArgument(ref: string): ImageReference {
  return labelled(`Argument 1 (ref): can't parse ${goQuote(ref)}`, () => parseImageReference(ref));
}

function checkExtraTag(tag: string): void {
  labelled(`Argument extra_tag=${goQuote(tag)} not a valid image reference`, () =>
    parseImageReference(tag),
  );
}

/** Refuses an image that has a build already. */
export function claimImage(evaluation: Evaluation, reference: ImageReference): void {
  const key = formatImageReference(reference);
  if (evaluation.builtImages.has(key)) {
    throw new Error(
      `Image for ref ${goQuote(familiarReference(reference))} has already been defined`,
    );
  }
  evaluation.builtImages.add(key);
}

function containerArguments(value: Value | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  return labelled("Argument 'container_args'", () => strings(value));
}

function onlyPaths(value: Value | undefined): string[] {
  const paths = patterns(value, "only");
  const glob = paths.find((path) => path.includes("*"));
  if (glob !== undefined) {
    throw new Error(`'only' does not support '*' file globs. Must be a real path: ${glob}`);
  }
  return paths;
}

function readDockerfile(
  evaluation: Evaluation,
  context: string,
  dockerfile: string | undefined,
  contents: Value | undefined,
): { path?: string; text: string } {
  if (contents !== undefined) {
    if (dockerfile !== undefined) {
      throw new Error("Cannot specify both dockerfile and dockerfile_contents keyword arguments");
    }
    if (contents instanceof Blob) return { text: toJsString(contents.text) };
    if (isString(contents)) return { text: toJsString(contents) };
    throw new Error("Argument (dockerfile_contents): must be string or blob.");
  }
  const path = dockerfile ?? join(context, "Dockerfile");
  const bytes = labelled("error reading dockerfile", () => readRecorded(evaluation, path));
  return { path, text: bytes.toString("utf8") };
}

function checkRegistry(host: string, hostFromCluster: string | undefined): void {
  const problems: string[] = [];
  if (host === "") problems.push("host: Required value");
  else problems.push(...registryProblems("host", host));
  if (hostFromCluster)
    problems.push(...registryProblems("hostFromContainerRuntime", hostFromCluster));
  if (problems.length > 0) throw new Error(`validating defaultRegistry: ${aggregate(problems)}`);
}

function registryProblems(field: string, host: string): string[] {
  try {
    parseCanonicalReference(`${host}/fake`);
    return [];
  } catch (error) {
    return [`${field}: Invalid value: ${goQuote(host)}: ${(error as Error).message}`];
  }
}
