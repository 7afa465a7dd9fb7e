import { load } from "js-yaml";
import { composeInput, composeSources } from "../manifests/compose-sources.ts";
import { parseImageReference } from "../manifests/image-reference.ts";
import { labelled } from "./arguments.ts";
import { type ComposeCommand, composeCommand } from "./compose-command.ts";
import type { Evaluation } from "./evaluation.ts";
import { isAbsolute, join } from "./go/path.ts";
import { goQuote, goQuoteList } from "./go/quote.ts";
import { findProgram, notFound } from "./local-command.ts";
import { readBytes } from "./read-bytes.ts";
import { isDirectory, recordFileOnly } from "./read-text.ts";
import type { RecordedComposeProject, RecordedComposeService } from "./recorded.ts";

/** A service as `docker compose config` writes it, as far as it matters here. */
interface ServiceConfig {
  readonly image?: string;
  readonly build?: {
    readonly context?: string;
    readonly dockerfile?: string;
    readonly dockerfile_inline?: string;
  } | null;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly depends_on?:
    | Readonly<Record<string, { readonly condition?: string }>>
    | readonly string[];
  /** Compose 1 may write `HOST:CONTAINER/tcp`. */
  readonly ports?: readonly (string | { readonly published?: string | number })[];
  readonly env_file?: string | readonly (string | { readonly path?: string })[];
}

type ServiceConfigs = Readonly<Record<string, ServiceConfig>>;

/** A project without its services. */
export type ComposeProjectFiles = Omit<RecordedComposeProject, "services" | "position">;

/**
 * The services of a Compose project as Compose itself resolves its files: dependencies before their users, and else
 * those that were there `before` first.
 * @throws Error in Tilt's words when Compose fails or is missing
 */
export function readServices(
  evaluation: Evaluation,
  project: ComposeProjectFiles,
  before: readonly string[],
): Omit<RecordedComposeService, "position">[] {
  evaluation.refuseCommand("docker_compose()");
  const command = composeCommand(evaluation);
  const services = composeConfig(evaluation, project, command);
  const named = mayNameEnvFiles(project) ? uninterpolated(evaluation, project, command) : {};
  return inDependencyOrder(services, before).map((name) => {
    for (const file of envFiles(named[name])) {
      recordFileOnly(evaluation, isAbsolute(file) ? file : join(project.directory, file));
    }
    const service = services[name]!;
    return labelled(`getting service ${name}`, () => toService(project.name, name, service));
  });
}

function composeConfig(
  evaluation: Evaluation,
  project: ComposeProjectFiles,
  command: ComposeCommand,
): ServiceConfigs {
  const { argv, outcome } = runConfig(evaluation, project, command, []);
  const fail = (reason: string) =>
    new Error(`command ${goQuoteList(argv)} failed.\nerror: ${reason}`);
  if (outcome === undefined) throw fail(notFound(argv[0]!));
  const { exitCode, stdout, stderr } = outcome;
  if (exitCode === 0) return servicesOf(stdout, command);
  throw fail(`exit status ${exitCode}\nstdout: ${goQuote(stdout)}\nstderr: '${stderr}'`);
}

/** The services with their variables unread; none where the files make sense with them alone. */
function uninterpolated(
  evaluation: Evaluation,
  project: ComposeProjectFiles,
  command: ComposeCommand,
): ServiceConfigs {
  const { outcome } = runConfig(evaluation, project, command, ["--no-interpolate"]);
  return outcome?.exitCode === 0 ? servicesOf(outcome.stdout, command) : {};
}

function servicesOf(text: string, { isFirst }: ComposeCommand): ServiceConfigs {
  const config = isFirst ? load(text) : JSON.parse(text);
  return (config as { services?: ServiceConfigs } | undefined)?.services ?? {};
}

/** Runs `docker compose config`, or `docker-compose config` where that plugin is missing. */
function runConfig(
  evaluation: Evaluation,
  project: ComposeProjectFiles,
  command: ComposeCommand,
  options: readonly string[],
) {
  const format = command.isFirst ? [] : ["--format", "json"];
  const argv = [...command.argv, ...projectArguments(project), "config", ...format, ...options];
  evaluation.recordCommand(argv);
  if (findProgram(evaluation, argv[0]!) === undefined) return { argv, outcome: undefined };
  const outcome = evaluation.sync.exec(argv, {
    // A directory that is not there is Compose's to name.
    cwd: isDirectory(project.directory) ? project.directory : evaluation.directory,
    // Profiles of the environment count where the Tiltfile gives none, which is settled by now.
    env: { ...Object.fromEntries(evaluation.env), COMPOSE_PROFILES: "" },
    stdin: composeInput(project.files),
  });
  return { argv, outcome };
}

/**
 * Whether services may have files of variables, of their own or of what the files extend or include. Compose leaves
 * them out once it has put the variables in, and names them only where it is told to put nothing in.
 */
function mayNameEnvFiles({ files }: ComposeProjectFiles): boolean {
  return files.some((file) => {
    const text = "content" in file ? file.content : readBytes(file.path).toString("utf8");
    return /env_file|extends|include/.test(text);
  });
}

/** The options that name a project; Blobs are read from standard input. */
function projectArguments({
  name,
  directory,
  envFile,
  files,
  profiles,
}: ComposeProjectFiles): string[] {
  return [
    ...["--project-name", name, "--project-directory", directory],
    ...(envFile === undefined ? [] : ["--env-file", envFile]),
    ...composeSources(files).flatMap((source) => ["-f", source]),
    ...profiles.flatMap((profile) => ["--profile", profile]),
  ];
}

function envFiles(service: ServiceConfig | undefined): string[] {
  const { env_file } = service ?? {};
  const files = env_file === undefined ? [] : [env_file].flat();
  return files.flatMap((file) => {
    const path = typeof file === "string" ? file : (file as { path?: string }).path;
    // What a variable names cannot be told from the text alone.
    return path === undefined || path.includes("$") ? [] : [path];
  });
}

function dependencies({ depends_on }: ServiceConfig): Record<string, string> {
  if (depends_on === undefined) return {};
  if (Array.isArray(depends_on)) {
    return Object.fromEntries(depends_on.map((name) => [name, "service_started"]));
  }
  return Object.fromEntries(
    Object.entries(depends_on as Record<string, { condition?: string }>).map(
      ([name, { condition }]) => [name, condition ?? "service_started"],
    ),
  );
}

function inDependencyOrder(services: ServiceConfigs, before: readonly string[]): string[] {
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string) => {
    if (seen.has(name) || services[name] === undefined) return;
    seen.add(name);
    for (const dependency of Object.keys(dependencies(services[name])).sort()) visit(dependency);
    ordered.push(name);
  };
  for (const name of [...before, ...Object.keys(services).sort()]) visit(name);
  return ordered;
}

/** Compose writes contexts of this machine as absolute paths, all others as URLs. */
function buildFiles(build: ServiceConfig["build"]): Pick<RecordedComposeService, "buildFiles"> {
  if (!build || build.dockerfile_inline !== undefined) return {};
  const { context, dockerfile = "Dockerfile" } = build;
  if (context === undefined || !isAbsolute(context)) return {};
  return {
    buildFiles: {
      context,
      dockerfile: isAbsolute(dockerfile) ? dockerfile : join(context, dockerfile),
    },
  };
}

function toService(
  project: string,
  name: string,
  service: ServiceConfig,
): Omit<RecordedComposeService, "position"> {
  const image = service.image || `${project}_${name}`;
  labelled(`Error parsing image name ${goQuote(image)}`, () => parseImageReference(image));
  const { healthcheck } = service;
  const dependsOn = dependencies(service);
  return {
    service: name,
    name,
    image,
    hasBuild: service.build !== undefined && service.build !== null,
    ...buildFiles(service.build),
    hasHealthcheck:
      healthcheck !== undefined && !healthcheck.disable && healthcheck.test?.[0] !== "NONE",
    dependsOn,
    publishedPorts: (service.ports ?? []).flatMap((port) => {
      const published =
        typeof port === "string" ? port.split("/")[0]!.split(":").at(-2) : port.published;
      return /^[1-9]\d*$/.test(String(published ?? "")) ? [Number(published)] : [];
    }),
    autoInit: true,
    inferLinks: true,
    resourceDeps: Object.keys(dependsOn).sort(),
    links: [],
    labels: [],
  };
}
