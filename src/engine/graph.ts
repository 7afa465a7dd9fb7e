import type { ComposeResource, ImageBuild, LocalResource, Plan, Resource } from "../model/plan.ts";
import type { PhaseName } from "../model/result.ts";

/** A piece of work that the run carries out. Readiness is not one: it is observed, not done. */
export interface Task {
  readonly id: string;
  readonly resource: string;
  readonly phase: Extract<PhaseName, "build" | "push" | "deploy" | "command" | "test" | "serve">;
  /** The image's ref for build and push. */
  readonly subject?: string;
  /** Tasks that must have passed. */
  readonly after: readonly string[];
  /** Resources that must have been ready once (`resource_deps`). */
  readonly afterResources: readonly string[];
  readonly needs: readonly ("api" | "registry")[];
  /** Runs beside no other command or deploy (a `local_resource` without `allow_parallel`). */
  readonly exclusive: boolean;
  /**
   * Resources whose commands may change what a build reads: the build starts without them and is confirmed
   * (done again if its inputs changed) once they are done.
   */
  readonly confirmAfter: readonly string[];
}

/** What a run has to do, from the plan alone. */
export interface Graph {
  readonly tasks: ReadonlyMap<string, Task>;
  /** Resources that take part: enabled and started by themselves, in assembly order. */
  readonly resources: ReadonlyMap<string, GraphResource>;
  /** Resources that never start in this run, with the reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

export interface GraphResource {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** The observed phase after the tasks; none for a local resource without a server. */
  readonly settles?: "ready" | "job" | "serve";
  readonly deps: readonly string[];
  /** Its dependants reach it through Services or port-forwards, and wait until those work, too. */
  readonly isReached: boolean;
  readonly type: Resource["type"];
  /** A probe stands behind its being ready. */
  readonly isProbed: boolean;
}

export function taskId(resource: string, phase: PhaseName, subject?: string): string {
  return subject === undefined ? `${resource}|${phase}` : `${resource}|${phase}|${subject}`;
}

export interface GraphOptions {
  /** A command that cannot work before the API server answers (names kubectl, helm, KUBECONFIG …). */
  readonly needsCluster: (argv: readonly string[]) => boolean;
  /** Images go through a registry of this run. */
  readonly registry: boolean;
  /** Whether a probe says when it is ready; without, it is as soon as its process exists. */
  readonly isProbed: (resource: Resource) => boolean;
  /** Nothing is started or waited for: deploys are checked by the API server, commands of this machine are left out. */
  readonly dryRun?: boolean;
}

/** The work of a run: tasks with what each waits for. The plan is acyclic (assembly refused cycles). */
export function buildGraph(plan: Plan, options: GraphOptions): Graph {
  const active = plan.resources.filter(
    (r) => r.enabled && r.autoInit && !(options.dryRun && r.type !== "k8s"),
  );
  const names = new Set(active.map((r) => r.name));
  const images = [...imageTasks(plan, active, options), ...composeBuilds(active)];
  const tasks = new Map<string, Task>(images.map((task) => [task.id, task]));
  const resources = new Map<string, GraphResource>();
  for (const resource of active) {
    const deps = options.dryRun ? [] : resource.resourceDeps.filter((dep) => names.has(dep));
    const own = resourceTasks(resource, deps, images, options);
    for (const task of own) tasks.set(task.id, task);
    resources.set(resource.name, {
      name: resource.name,
      tasks: [...images.filter((task) => task.resource === resource.name), ...own],
      ...(options.dryRun ? {} : settlesOf(resource)),
      deps,
      isReached: isReached(resource),
      type: resource.type,
      isProbed: options.isProbed(resource),
    });
  }
  const skipped = new Map(
    plan.resources.filter((r) => !names.has(r.name)).map((r) => [r.name, skipReason(r)]),
  );
  return { tasks, resources, skipped };
}

/** Whether others reach a resource by ways that take a moment longer than its pods. */
function isReached(resource: Resource): boolean {
  if ("portForwards" in resource && resource.portForwards.length > 0) return true;
  return (
    resource.type === "k8s" && resource.objects.some(({ object }) => object.kind === "Service")
  );
}

function skipReason({ enabled, autoInit }: Resource): string {
  if (!enabled) return "disabled";
  return autoInit ? "not checked by a dry run" : "auto_init=False";
}

const ALONE: GraphOptions = { needsCluster: () => false, registry: false, isProbed: () => false };

/** The phases that a resource has if it is started, but for those of its images, which belong to whoever needs them. */
export function ownPhases(resource: Resource): PhaseName[] {
  const tasks = resourceTasks(resource, [], [], ALONE).map(({ phase }) => phase);
  return [...new Set([...tasks, ...Object.values(settlesOf(resource))])];
}

function settlesOf(resource: Resource): Pick<GraphResource, "settles"> {
  switch (resource.type) {
    case "local":
      return resource.serveCmd ? { settles: "serve" } : {};
    case "compose":
      return { settles: "ready" };
    default:
      return { settles: resource.readiness === "succeeded" ? "job" : "ready" };
  }
}

/** A build and, for what runs somewhere, a push per image; owned by the first resource that uses the image. */
function imageTasks(plan: Plan, active: readonly Resource[], { registry }: GraphOptions): Task[] {
  const position = new Map(active.map((resource, index) => [resource.name, index]));
  const types = new Map(active.map(({ name, type }) => [name, type]));
  const users = (image: ImageBuild) =>
    image.usedBy
      .filter((name) => position.has(name))
      .sort((a, b) => position.get(a)! - position.get(b)!);
  const owner = new Map(plan.images.map((image) => [image.ref, users(image)[0]]));
  const writers = commandClosure(active);
  return plan.images.flatMap((image): Task[] => {
    const resource = owner.get(image.ref);
    if (resource === undefined) return [];
    const build: Task = {
      id: taskId(resource, "build", image.ref),
      resource,
      phase: "build",
      subject: image.ref,
      after: image.dependsOn.map((ref) => taskId(owner.get(ref) ?? resource, "build", ref)),
      afterResources: [],
      needs: [],
      exclusive: false,
      confirmAfter: [...new Set(users(image).flatMap((name) => [...writers(name)]))],
    };
    // Compose runs what Docker has.
    if (!image.deployed || users(image).every((name) => types.get(name) === "compose"))
      return [build];
    return [
      build,
      {
        ...build,
        id: taskId(resource, "push", image.ref),
        phase: "push",
        after: [build.id],
        needs: registry ? ["registry"] : [],
        confirmAfter: [],
      },
    ];
  });
}

/**
 * The builds that Compose itself does (`build:`), one an image: services that share one are given the first one's. They may
 * read anything, so commands come first.
 */
function composeBuilds(active: readonly Resource[]): Task[] {
  const writers = commandClosure(active);
  const built = active.filter((r): r is ComposeResource => r.type === "compose" && r.composeBuild);
  const sharing = ({ project, imageRef }: ComposeResource) =>
    built.filter((other) => other.project === project && other.imageRef === imageRef);
  return built
    .filter((resource) => sharing(resource)[0] === resource)
    .map((resource) => ({
      id: taskId(resource.name, "build", resource.imageRef),
      resource: resource.name,
      phase: "build",
      subject: resource.imageRef,
      after: [],
      afterResources: [],
      needs: [],
      exclusive: false,
      confirmAfter: [...new Set(sharing(resource).flatMap(({ name }) => [...writers(name)]))],
    }));
}

/**
 * For a resource, the local commands that Tilt would have finished before it builds the resource's images: those
 * among its transitive `resource_deps`, and those that run alone and wait for nothing in a cluster (they go first).
 */
function commandClosure(active: readonly Resource[]): (name: string) => ReadonlySet<string> {
  const byName = new Map(active.map((resource) => [resource.name, resource]));
  const hasCommand = (r: Resource | undefined): r is LocalResource =>
    r?.type === "local" && r.updateCmd !== undefined;
  const closure = (name: string, seen = new Set<string>()): Set<string> => {
    for (const dep of byName.get(name)?.resourceDeps ?? []) {
      if (seen.has(dep) || !byName.has(dep)) continue;
      seen.add(dep);
      closure(dep, seen);
    }
    return seen;
  };
  const first = active
    .filter(hasCommand)
    .filter(
      (r) =>
        !r.allowParallel && [...closure(r.name)].every((dep) => byName.get(dep)?.type === "local"),
    )
    .map((r) => r.name);
  return (name) =>
    new Set([...first, ...[...closure(name)].filter((dep) => hasCommand(byName.get(dep)))]);
}

function resourceTasks(
  resource: Resource,
  deps: readonly string[],
  images: readonly Task[],
  options: GraphOptions,
): Task[] {
  const base = {
    resource: resource.name,
    after: [],
    afterResources: deps,
    needs: [],
    exclusive: false,
    confirmAfter: [],
  } as const;
  if (resource.type === "local") return localTasks(resource, base, options);
  return [
    {
      ...base,
      id: taskId(resource.name, "deploy"),
      phase: "deploy",
      after: delivering(resource, images).map((task) => task.id),
      needs: resource.type === "compose" ? [] : ["api"],
    },
  ];
}

/** The tasks that bring a resource its images: a pushed image is delivered by its push, a compose image by its build. */
function delivering(resource: Exclude<Resource, LocalResource>, images: readonly Task[]): Task[] {
  const brings = ({ phase, subject = "" }: Task, refs: readonly string[], by: Task["phase"]) =>
    phase === by && refs.includes(subject);
  if (resource.type !== "compose")
    return images.filter((task) => brings(task, resource.images, "push"));
  const own = images.filter(
    (task) => task.resource === resource.name && task.subject === resource.imageRef,
  );
  // Services may run what another service builds.
  return own.length > 0
    ? own
    : images.filter((task) => brings(task, [...resource.images, resource.imageRef], "build"));
}

function localTasks(
  resource: LocalResource,
  base: Omit<Task, "id" | "phase">,
  { needsCluster }: GraphOptions,
): Task[] {
  const tasks: Task[] = [];
  const needs = (argv: readonly string[]) => (needsCluster(argv) ? (["api"] as const) : []);
  if (resource.updateCmd) {
    const phase = resource.isTest ? "test" : "command";
    tasks.push({
      ...base,
      id: taskId(resource.name, phase),
      phase,
      exclusive: !resource.allowParallel,
      needs: needs(resource.updateCmd.argv),
    });
  }
  if (resource.serveCmd) {
    tasks.push({
      ...base,
      id: taskId(resource.name, "serve"),
      phase: "serve",
      after: tasks.map((task) => task.id),
      needs: needs(resource.serveCmd.argv),
    });
  }
  return tasks;
}
