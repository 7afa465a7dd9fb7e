import {
  buildGraph,
  close,
  DEFAULT_POLICY,
  decide,
  type Graph,
  initialState,
  type Policy,
  type RunState,
  reduce,
  type Task,
  taskId,
} from "../../../src/engine/index.ts";
import type { Observation, RunEvent } from "../../../src/model/event.ts";
import type { ImageBuild, Plan, Resource } from "../../../src/model/plan.ts";
import type { Failure, PhaseName } from "../../../src/model/result.ts";

const position = { file: "/app/Tiltfile", line: 1, column: 1 };
const base = {
  position,
  enabled: true,
  autoInit: true,
  triggerMode: "auto",
  resourceDeps: [],
  labels: [],
  links: [],
} as const;
const command = (text: string) => ({ argv: ["sh", "-c", text], dir: "/app", env: {} });

export const k8s = (
  name: string,
  extra: Partial<Extract<Resource, { type: "k8s" }>> = {},
): Resource => ({
  ...base,
  type: "k8s",
  name,
  readiness: "wait",
  objects: [],
  images: [],
  portForwards: [],
  extraPodSelectors: [],
  discoveryStrategy: "default",
  ...extra,
});

export const local = (
  name: string,
  extra: Partial<Extract<Resource, { type: "local" }>> = {},
): Resource => ({
  ...base,
  type: "local",
  name,
  updateCmd: command(name),
  allowParallel: false,
  isTest: false,
  deps: [],
  ignore: [],
  ...extra,
});

export const server = (
  name: string,
  extra: Partial<Extract<Resource, { type: "local" }>> = {},
): Resource => {
  const { updateCmd: _, ...rest } = local(name) as Extract<Resource, { type: "local" }>;
  return { ...rest, serveCmd: command(name), ...extra };
};

export const compose = (
  name: string,
  extra: Partial<Extract<Resource, { type: "compose" }>> = {},
): Resource => ({
  ...base,
  type: "compose",
  name,
  project: "p",
  service: name,
  images: [],
  imageRef: name,
  composeBuild: false,
  hasHealthcheck: false,
  dependsOn: {},
  ports: [],
  ...extra,
});

export const image = (
  ref: string,
  usedBy: string[],
  extra: Partial<Extract<ImageBuild, { type: "docker" }>> = {},
): ImageBuild => ({
  type: "docker",
  ref,
  usedBy,
  exactTag: false,
  position,
  dependsOn: [],
  deployed: true,
  matchInEnvVars: false,
  liveUpdate: [],
  context: "/app",
  dockerfileContents: "FROM x",
  buildArgs: {},
  ssh: [],
  secret: [],
  extraTags: [],
  cacheFrom: [],
  pull: false,
  extraHosts: [],
  contextFilters: [],
  ...extra,
});

export function planOf(resources: Resource[], images: ImageBuild[] = []): Plan {
  return {
    tiltfile: "/app/Tiltfile",
    directory: "/app",
    resources,
    images,
    composeProjects: [],
    warnings: [],
    secrets: [],
    settings: { ci: {}, update: {}, allowedContexts: [], scrubSecrets: true },
    environment: { files: [], variables: [], commands: [], env: {} },
  };
}

export const observation = (
  state: Observation["state"],
  extra: Partial<Observation> = {},
): Observation => ({
  state,
  summary: state,
  crashes: 0,
  active: state !== "pending",
  pods: [],
  ...extra,
});

export const failure = (message: string, code: Failure["code"] = "CrashLoop"): Failure => ({
  code,
  message,
});

/** Plays a run against the engine alone: time is a number, work is done by saying so. */
export class Scenario {
  readonly graph: Graph;
  readonly state: RunState = initialState(0);
  readonly policy: Policy;
  readonly events: RunEvent[] = [];
  now = 0;
  end: string | undefined;
  wakeAt: number | undefined;

  constructor(plan: Plan, policy: Partial<Policy> = {}, { cluster = true, registry = true } = {}) {
    this.policy = { ...DEFAULT_POLICY, ...policy };
    this.graph = buildGraph(plan, {
      needsCluster: (argv) => argv.join(" ").includes("kubectl"),
      registry,
      isProbed: (resource) => resource.labels.includes("probed"),
    });
    if (cluster) this.reach("(cluster)", "api");
    if (registry) this.reach("(cluster)", "registry");
    this.tick();
  }

  /** Ids of the tasks under way. */
  get running(): string[] {
    return [...this.graph.tasks.keys()].filter(
      (id) => this.state.phases.get(id)?.status === "running",
    );
  }

  statusOf(resource: string, phase: PhaseName, subject?: string): string | undefined {
    return this.state.phases.get(taskId(resource, phase, subject))?.status;
  }

  failureOf(resource: string, phase: PhaseName): Failure | undefined {
    return this.state.phases.get(taskId(resource, phase))?.failure;
  }

  hold(resource: string, phase: PhaseName): string | undefined {
    return this.state.holds.get(taskId(resource, phase));
  }

  at(now: number): this {
    this.now = now;
    return this.tick();
  }

  pass(...ids: string[]): this {
    for (const id of ids) this.#finish(id, { status: "passed" });
    return this.tick();
  }

  fail(id: string, why: Failure = failure(`${id} failed`)): this {
    this.#finish(id, { status: "failed", failure: why });
    return this.tick();
  }

  observe(resource: string, state: Observation["state"], extra: Partial<Observation> = {}): this {
    this.#add({ type: "observed", at: this.now, resource, observation: observation(state, extra) });
    return this.tick();
  }

  reach(resource: string, milestone: "api" | "registry" | "reachable"): this {
    this.#add({ type: "reached", at: this.now, resource, milestone });
    return this.tick();
  }

  /** Says what no other method does. */
  add(event: RunEvent): this {
    this.#add(event);
    return this.tick();
  }

  close(reason: "passed" | "failed" | "timeout" | "cancelled"): RunEvent[] {
    const events = close(this.graph, this.state, this.policy, reason, this.now);
    for (const event of events) this.#add(event);
    return events;
  }

  tick(): this {
    for (let turn = 0; turn < 100 && !this.end; turn++) {
      const decision = decide(this.graph, this.state, this.policy, this.now);
      for (const event of decision.events) this.#add(event);
      for (const task of decision.start) this.#start(task);
      this.end = decision.end?.reason;
      this.wakeAt = decision.wakeAt;
      if (decision.events.length === 0 && decision.start.length === 0) return this;
    }
    if (!this.end) throw new Error("the engine never comes to rest");
    return this;
  }

  #start({ resource, phase, subject }: Task): void {
    this.#add({
      type: "phase-started",
      at: this.now,
      resource,
      phase,
      attempt: 1,
      ...(subject === undefined ? {} : { subject }),
    });
  }

  #finish(id: string, outcome: { status: "passed" | "failed"; failure?: Failure }): void {
    const task = this.graph.tasks.get(id);
    if (!task)
      throw new Error(`no task ${id}; there are ${[...this.graph.tasks.keys()].join(", ")}`);
    const { resource, phase, subject } = task;
    this.#add({
      type: "phase-finished",
      at: this.now,
      resource,
      phase,
      attempt: 1,
      ...outcome,
      ...(subject === undefined ? {} : { subject }),
    });
  }

  #add(event: RunEvent): void {
    this.events.push(event);
    reduce(this.state, event);
  }
}
