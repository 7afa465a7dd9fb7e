import { objectId } from "../../manifests/kubernetes-objects.ts";
import type {
  ImageBuild,
  Link,
  Plan,
  PlanWarning,
  PortForward,
  Resource,
} from "../../model/plan.ts";
import { formatColumns } from "./columns.ts";
import { relativePath, relativePosition } from "./relative-position.ts";

/** The plan for people: resources, what belongs to each, images, and what evaluation read. */
export function formatPlanTable(plan: Plan): string {
  const sections = [
    section("RESOURCES", resourceRows(plan), "The Tiltfile defines no resources"),
    section("OBJECTS", objectRows(plan)),
    section("IMAGES", imageRows(plan)),
    section("READ", readRows(plan)),
    section(
      "WARNINGS",
      plan.warnings.flatMap((warning) => warningRows(warning, plan)),
    ),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

type Rows = readonly (readonly string[])[];

function section(title: string, rows: Rows, empty = ""): string {
  if (rows.length === 0) return empty;
  return `${title}\n${formatColumns(rows)}`;
}

function resourceRows({ resources, directory }: Plan): Rows {
  if (resources.length === 0) return [];
  return [
    ["NAME", "TYPE", "READY", "DEPENDS ON", "LABELS", "IMAGES", "PORTS AND LINKS", "FROM"],
    ...resources.map((resource) => [
      `${resource.name}${stateOf(resource)}`,
      resource.type,
      readinessOf(resource),
      resource.resourceDeps.join(", "),
      resource.labels.join(", "),
      (resource.type === "local" ? [] : resource.images).join(", "),
      [...portsOf(resource).map(formatPort), ...resource.links.map(formatLink)].join(", "),
      relativePosition(resource.position, directory),
    ]),
  ];
}

function stateOf({ enabled, autoInit }: Resource): string {
  if (!enabled) return " (disabled)";
  return autoInit ? "" : " (auto_init=False)";
}

/** What has to happen before others may go on. */
function readinessOf(resource: Resource): string {
  if (resource.type === "k8s" || resource.type === "custom") return resource.readiness;
  if (resource.type === "compose") return resource.hasHealthcheck ? "healthy" : "running";
  if (resource.serveCmd === undefined) return "succeeded";
  return resource.readinessProbe === undefined ? "running" : "probe";
}

function portsOf(resource: Resource): readonly PortForward[] {
  return resource.type === "k8s" || resource.type === "custom" ? resource.portForwards : [];
}

function formatPort({ localPort, containerPort, host, name }: PortForward): string {
  const target = containerPort === 0 ? "" : `:${containerPort}`;
  return `${host ? `${host}:` : ""}${localPort}${target}${name ? ` (${name})` : ""}`;
}

function formatLink({ url, name }: Link): string {
  return name ? `${url} (${name})` : url;
}

/** What a resource consists of: objects, commands, the service of a compose project. */
function objectRows({ resources }: Plan): Rows {
  return resources.flatMap((resource) =>
    partsOf(resource).map((part, index) => [index === 0 ? resource.name : "", part]),
  );
}

function partsOf(resource: Resource): string[] {
  switch (resource.type) {
    case "k8s":
      return resource.objects.map(({ object }) => objectId(object));
    case "custom":
      return [`apply: ${formatArgv(resource.applyCmd.argv)}`];
    case "compose":
      return [`service ${resource.service} of project ${resource.project}: ${resource.imageRef}`];
    case "local":
      return [
        ...(resource.updateCmd ? [`cmd: ${formatArgv(resource.updateCmd.argv)}`] : []),
        ...(resource.serveCmd ? [`serve_cmd: ${formatArgv(resource.serveCmd.argv)}`] : []),
      ];
  }
}

function imageRows({ images, directory }: Plan): Rows {
  if (images.length === 0) return [];
  return [
    ["REF", "BUILT FROM", "DEPENDS ON", "USED BY", "FROM"],
    ...images.map((image) => [
      image.ref,
      sourceOf(image, directory),
      image.dependsOn.join(", "),
      image.usedBy.join(", "),
      relativePosition(image.position, directory),
    ]),
  ];
}

function sourceOf(image: ImageBuild, directory: string): string {
  if (image.type === "custom") return formatArgv(image.command.argv);
  const context = image.context === directory ? "." : relativePath(image.context, directory);
  const dockerfile =
    image.dockerfile === undefined
      ? "inline Dockerfile"
      : relativePath(image.dockerfile, directory);
  const target = image.target === undefined ? "" : `, target ${image.target}`;
  return `${context} with ${dockerfile}${target}`;
}

function readRows({ environment, directory }: Plan): Rows {
  const { files, variables, commands } = environment;
  return [
    ...files.map((file) => ["file", relativePath(file, directory)]),
    ...variables.map((name) => ["variable", name]),
    ...commands.map((argv) => ["command", formatArgv(argv)]),
  ];
}

function warningRows({ message, position, hint }: PlanWarning, { directory }: Plan): Rows {
  const place = position === undefined ? "" : relativePosition(position, directory);
  const lines = [...message.split("\n"), ...(hint ? [hint] : [])];
  return lines.map((line, index) => [index === 0 ? place : "", line]);
}

/** A command as a shell would take it; `sh -c` is left out. Line breaks become spaces. */
function formatArgv(argv: readonly string[]): string {
  const [first, second, script] = argv;
  const isShell = argv.length === 3 && first === "sh" && second === "-c";
  const words = isShell ? [script ?? ""] : argv.map(quoteWord);
  return words.join(" ").replace(/\s*\n\s*/g, " ");
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
