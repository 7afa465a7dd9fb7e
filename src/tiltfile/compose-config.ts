import { composeInput, composeSources } from "../manifests/compose-sources.ts";
import { parseImageReference } from "../manifests/image-reference.ts";
import { labelled } from "./arguments.ts";
import { composeCommand } from "./compose-command.ts";
import type { Evaluation } from "./evaluation.ts";
import { isAbsolute, join } from "./go/path.ts";
import { goQuote, goQuoteList } from "./go/quote.ts";
import { findProgram, notFound } from "./local-command.ts";
import { isDirectory, recordFileOnly } from "./read-text.ts";
import type { RecordedComposeProject, RecordedComposeService } from "./recorded.ts";

/** A service of `docker compose config --format json`, as far as it matters here. */
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
  readonly ports?: readonly { readonly published?: string | number }[];
  readonly env_file?: string | readonly (string | { readonly path?: string })[];
}

/** A project without its services. */
export type ComposeProjectFiles = Omit<RecordedComposeProject, "services" | "position">;

/**
 * The services of a Compose project, dependencies before their users, as Compose itself resolves its files.
 * @throws Error in Tilt's words when Compose fails or is missing
 */
export function readServices(
  evaluation: Evaluation,
  project: ComposeProjectFiles,
): Omit<RecordedComposeService, "position">[] {
  const output = composeConfig(evaluation, project);
  const config = JSON.parse(output) as { services?: Record<string, ServiceConfig> };
  const services = config.services ?? {};
  return inDependencyOrder(services).map((name) => {
    const service = services[name]!;
    for (const file of envFiles(service)) {
      recordFileOnly(evaluation, isAbsolute(file) ? file : join(project.directory, file));
    }
    return labelled(`getting service ${name}`, () => toService(project.name, name, service));
  });
}

/** Runs `docker compose config`, or `docker-compose config` where that plugin is missing. */
function composeConfig(evaluation: Evaluation, project: ComposeProjectFiles): string {
  evaluation.refuseCommand("docker_compose()");
  const argv = [
    ...composeCommand(evaluation),
    ...projectArguments(project),
    "config",
    "--format",
    "json",
  ];
  evaluation.recordCommand(argv);
  const fail = (reason: string) =>
    new Error(`command ${goQuoteList(argv)} failed.\nerror: ${reason}`);
  if (findProgram(evaluation, argv[0]!) === undefined) throw fail(notFound(argv[0]!));
  const outcome = evaluation.sync.exec(argv, {
    // A directory that is not there is Compose's to name.
    cwd: isDirectory(project.directory) ? project.directory : evaluation.directory,
    env: Object.fromEntries(evaluation.env),
    stdin: composeInput(project.files),
  });
  if (outcome.exitCode === 0) return outcome.stdout;
  throw fail(
    `exit status ${outcome.exitCode}\nstdout: ${goQuote(outcome.stdout)}\nstderr: '${outcome.stderr}'`,
  );
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

function envFiles({ env_file }: ServiceConfig): string[] {
  const files = env_file === undefined ? [] : [env_file].flat();
  return files.flatMap((file) => {
    const path = typeof file === "string" ? file : (file as { path?: string }).path;
    return path === undefined ? [] : [path];
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

function inDependencyOrder(services: Readonly<Record<string, ServiceConfig>>): string[] {
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string) => {
    if (seen.has(name) || services[name] === undefined) return;
    seen.add(name);
    for (const dependency of Object.keys(dependencies(services[name])).sort()) visit(dependency);
    ordered.push(name);
  };
  for (const name of Object.keys(services).sort()) visit(name);
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
    publishedPorts: (service.ports ?? []).flatMap(({ published }) =>
      /^[1-9]\d*$/.test(String(published ?? "")) ? [Number(published)] : [],
    ),
    autoInit: true,
    inferLinks: true,
    resourceDeps: Object.keys(dependsOn).sort(),
    links: [],
    labels: [],
  };
}
