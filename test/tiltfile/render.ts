import type { ImageBuild, Plan, Resource } from "../../src/model/plan.ts";

/*
 * A plan in the words in which Tilt's answers were taken down: a line a resource. For comparing, not for people.
 */

/** One line: name, trigger mode, dependencies, labels, images it builds, then what its kind has. */
export function renderResource(resource: Resource, plan: Plan): string {
  const head = [
    resource.name,
    `tm=${triggerCode(resource)}`,
    `deps=[${resource.resourceDeps.join(" ")}]`,
    `labels=map[${[...resource.labels]
      .sort()
      .map((label) => `${label}:${label}`)
      .join(" ")}]`,
    `its=[${imageTargets(resource, plan).join(" ")}]`,
  ].join(" ");
  return `${head} ${renderKind(resource)}`;
}

function triggerCode({ triggerMode, autoInit }: Resource): number {
  if (triggerMode === "auto") return autoInit ? 0 : 3;
  return autoInit ? 1 : 2;
}

function renderKind(resource: Resource): string {
  switch (resource.type) {
    case "k8s": {
      const objects = resource.objects
        .filter(({ object }) => object.metadata.name)
        .map(({ object }) => `${object.kind}/${object.metadata.name}`);
      return `k8s readiness=${resource.readiness} imgs=[${resource.images.join(" ")}] yamlnames=${objects.join(",")}`;
    }
    case "custom":
      return `k8s readiness=${resource.readiness} imgs=[${resource.images.join(" ")}] yamlnames=`;
    case "local":
      return `local upd=${argvText(resource.updateCmd?.argv)} serve=${argvText(resource.serveCmd?.argv)}`;
    case "compose":
      return "";
  }
}

function argvText(argv: readonly string[] | undefined): string {
  return argv === undefined ? "" : `[${argv.join(" ")}]`;
}

/** The builds of a resource, dependencies first. A custom deploy's live update counts as one, as in Tilt. */
function imageTargets(resource: Resource, plan: Plan): string[] {
  const byRef = new Map(plan.images.map((image) => [image.ref, image]));
  const targets: string[] = [];
  const seen = new Set<string>();
  const visit = (ref: string) => {
    const image = byRef.get(ref);
    if (image === undefined || seen.has(ref)) return;
    seen.add(ref);
    for (const dependency of image.dependsOn) visit(dependency);
    targets.push(targetText(image));
  };
  if (resource.type !== "local") for (const ref of resource.images) visit(ref);
  if (resource.type === "custom" && resource.imageSelector) {
    targets.push(`${resource.imageSelector}(exact=false)`);
  }
  return targets;
}

function targetText({ ref, exactTag }: ImageBuild): string {
  return `${ref}(exact=${exactTag})`;
}

/** Names of the enabled resources, `[a b]`. */
export function renderEnabled(plan: Plan): string {
  const names = plan.resources.filter(({ enabled }) => enabled).map(({ name }) => name);
  return `[${names.join(" ")}]`;
}

/** Warnings in order, each with a line end; null for none. */
export function renderWarnings(warnings: readonly { readonly message: string }[]): string | null {
  return warnings.length === 0
    ? null
    : `[${warnings.map(({ message }) => `${message}\n`).join(" ")}]`;
}

/** Files that evaluation depends on, relative to the Tiltfile's directory. */
export function renderFiles(files: readonly string[], directory: string): string {
  const prefix = `${directory}/`;
  return `[${files
    .map((file) => (file.startsWith(prefix) ? file.slice(prefix.length) : file))
    .sort()
    .join(" ")}]`;
}
