import { parseImageReference } from "../../manifests/image-reference.ts";
import type { Position } from "../../model/position.ts";
import { goTypeName, isString, toJsString, types, type Value } from "../../starlark/index.ts";
import { kinds, oneOrMore, pathTypes, stringsNamed, toPath } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import { readServices } from "../compose-config.ts";
import type { Evaluation } from "../evaluation.ts";
import { basename, dirname } from "../go/path.ts";
import { goQuote } from "../go/quote.ts";
import { recordFileOnly } from "../read-text.ts";
import type { RecordedComposeProject, RecordedComposeService } from "../recorded.ts";
import { Blob } from "../values/blob.ts";

const DC_RESOURCE = {
  name: types.string,
  "image?": types.value,
  "trigger_mode?": kinds.triggerMode,
  "resource_deps?": kinds.sequence,
  "infer_links?": kinds.optionalBool,
  "links?": kinds.links,
  "labels?": kinds.labels,
  "auto_init?": kinds.optionalBool,
  "project_name?": types.string,
  "new_name?": types.string,
} as const;

type File = RecordedComposeProject["files"][number];

/** docker_compose and dc_resource. */
export function composeBuiltins(evaluation: Evaluation): BuiltinTable {
  const { path } = pathTypes(evaluation);
  const dockerCompose = {
    configPaths: types.value,
    "env_file?": path,
    "project_name?": types.string,
    "profiles?": kinds.textList,
    "wait?": kinds.optionalBool,
  } as const;
  return {
    docker_compose(call) {
      const given = call.unpack(dockerCompose);
      const sources = oneOrMore(given.configPaths);
      if (sources.length === 0) throw new Error("Nothing to compose");
      if (given.env_file) recordFileOnly(evaluation, given.env_file);
      const files = sources.map((source) => composeFile(evaluation, source));
      const first = files.find((file) => "path" in file);
      const directory =
        first !== undefined && "path" in first ? dirname(first.path) : evaluation.directory;
      const name = given.project_name || normalizeName(basename(directory));
      addFiles(evaluation, call.position(), {
        name,
        directory,
        files,
        ...(given.env_file ? { envFile: given.env_file } : {}),
        profiles: given.profiles ?? profilesFromEnv(evaluation, name),
        wait: given.wait ?? false,
      });
      return null;
    },
    dc_resource: (call) => tuneService(evaluation, call),
  };
}

function composeFile(evaluation: Evaluation, source: Value): File {
  if (source instanceof Blob) return { content: toJsString(source.text) };
  let path: string;
  try {
    path = toPath(evaluation, source);
  } catch {
    throw new Error(`expected blob | path (string). Actual type: ${goTypeName(source)}`);
  }
  recordFileOnly(evaluation, path);
  return { path };
}

/** What Compose makes of a directory's name. */
function normalizeName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^-_a-z0-9]/g, "")
    .replace(/^[-_]+/, "");
}

function profilesFromEnv(evaluation: Evaluation, project: string): string[] {
  evaluation.recordVariable("COMPOSE_PROFILES");
  const profiles = evaluation.env.get("COMPOSE_PROFILES");
  if (!profiles) return [];
  evaluation.log(
    `Compose project ${goQuote(project)} loading profiles from environment: ${profiles}`,
  );
  return profiles.split(",");
}

/** Adds files to a project, or starts one; its services are read anew from all of them. */
function addFiles(
  evaluation: Evaluation,
  position: Position,
  added: Omit<RecordedComposeProject, "services" | "position">,
): void {
  const projects = evaluation.composeProjects;
  const index = projects.findIndex(({ name }) => name === added.name);
  const before = projects[index];
  const envFile = added.envFile ?? before?.envFile;
  const project =
    before === undefined
      ? added
      : {
          ...before,
          files: [...before.files, ...added.files.filter((file) => !hasFile(before.files, file))],
          ...(envFile === undefined ? {} : { envFile }),
        };
  const known = new Map(before?.services.map((service) => [service.service, service]));
  const read = readServices(evaluation, project, [...known.keys()]);
  for (const { name, service } of read) if (!known.has(service)) evaluation.checkNameIsFree(name);
  const services = read.map((service) => carryOver(service, known, position));
  const recorded = { ...project, position: before?.position ?? position, services };
  if (before === undefined) projects.push(recorded);
  else projects[index] = recorded;
}

function hasFile(files: readonly File[], file: File): boolean {
  return files.some((other) => JSON.stringify(other) === JSON.stringify(file));
}

/** What dc_resource set on a service stays when its project is read again; `known` are the services until then. */
function carryOver(
  read: Omit<RecordedComposeService, "position">,
  known: ReadonlyMap<string, RecordedComposeService>,
  position: Position,
): RecordedComposeService {
  const dependencies = read.resourceDeps.map((service) => known.get(service)?.name ?? service);
  const before = known.get(read.service);
  if (before === undefined) return { ...read, resourceDeps: dependencies, position };
  const { name, givenImage, triggerMode, autoInit, inferLinks, resourceDeps, links, labels } =
    before;
  return {
    ...read,
    name,
    ...(givenImage === undefined ? {} : { givenImage }),
    ...(triggerMode === undefined ? {} : { triggerMode }),
    autoInit,
    inferLinks,
    resourceDeps: [...new Set([...resourceDeps, ...dependencies])].sort(),
    links,
    labels,
    position: before.position,
  };
}

function tuneService(evaluation: Evaluation, call: Call): Value {
  const given = call.unpack(DC_RESOURCE);
  if (given.name === "") throw new Error("dc_resource: `name` must not be empty");
  const image = imageArgument(given.image);
  const [project, service] = findService(evaluation, given.name, given.project_name ?? "");
  if (given.new_name) rename(evaluation, project, service, given.new_name);
  if (given.trigger_mode) service.triggerMode = given.trigger_mode;
  if (given.infer_links !== undefined) service.inferLinks = given.infer_links;
  service.links.push(...(given.links ?? []));
  addNew(service.labels, given.labels ?? []);
  if (image !== undefined) {
    parseImageReference(image);
    service.givenImage = image;
  }
  addNew(service.resourceDeps, stringsNamed(`${call.name}: resource_deps`, given.resource_deps));
  if (given.auto_init !== undefined) service.autoInit = given.auto_init;
  service.position = call.position();
  return null;
}

function addNew(list: string[], items: readonly string[]): void {
  for (const item of items) if (!list.includes(item)) list.push(item);
}

function imageArgument(value: Value | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!isString(value)) throw new Error(`image arg must be a string; got ${goTypeName(value)}`);
  return toJsString(value);
}

function findService(
  evaluation: Evaluation,
  name: string,
  projectName: string,
): [RecordedComposeProject, RecordedComposeService] {
  const candidates = evaluation.composeProjects
    .filter((project) => projectName === "" || project.name === projectName)
    .flatMap((project) => project.services.map((service) => [project, service] as const));
  const matches = candidates.filter(([, service]) => service.name === name);
  if (matches.length > 1) {
    throw new Error(
      `found multiple resources named ${goQuote(name)}, please specify which one with project_name= argument`,
    );
  }
  const [match] = matches;
  if (match === undefined) {
    const names = candidates.map(([, service]) => service.name).join("; ");
    throw new Error(
      `no Docker Compose service found with name ${goQuote(name)}. Found these instead:\n\t${names}`,
    );
  }
  return [...match];
}

function rename(
  evaluation: Evaluation,
  project: RecordedComposeProject,
  service: RecordedComposeService,
  newName: string,
): void {
  evaluation.checkNameIsFree(newName);
  for (const other of project.services) {
    const index = other.resourceDeps.indexOf(service.name);
    if (index >= 0 && other.dependsOn[service.service] !== undefined) {
      other.resourceDeps[index] = newName;
    }
  }
  service.name = newName;
}
