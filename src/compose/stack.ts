import { EnvironmentError, PhaseFailure } from "../errors.ts";
import type { Host, RunningProcess } from "../host/host.ts";
import type { Observation } from "../model/event.ts";
import type { ComposeProject, ComposeResource } from "../model/plan.ts";
import { projectArgv, projectInput, upArgv } from "./argv.ts";
import { type ContainerState, observeContainer } from "./observe.ts";

export interface StackHooks {
  readonly onLine: (resource: string, line: string) => void | Promise<void>;
  readonly onObservation: (resource: string, observation: Observation) => void;
  readonly onNotice: (message: string) => void;
}

/** The Compose services of a run. */
export interface ComposeStack {
  /** Builds (where Compose does) and starts one service. Throws `PhaseFailure`, `EnvironmentError`, `CancelledError`. */
  up(resource: ComposeResource, signal: AbortSignal): Promise<void>;
  /** Ends logs and watches; removes containers, networks and anonymous volumes of the projects that this run started. */
  close(): Promise<void>;
}

/** `env` is the environment after evaluation: Compose interpolates from it. */
export function createComposeStack(
  projects: readonly ComposeProject[],
  resources: readonly ComposeResource[],
  env: Readonly<Record<string, string>>,
  host: Host,
  hooks: StackHooks,
): ComposeStack {
  const services = new Services(resources, host, env, hooks);
  const started = new Map<string, Promise<{ readonly ours: boolean }>>();
  let last: Promise<unknown> = Promise.resolve();
  const projectOf = (resource: ComposeResource) =>
    projects.find(({ name }) => name === resource.project)!;
  const serialised = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => {});
    return next;
  };
  return {
    async up(resource, signal) {
      const project = projectOf(resource);
      if (!started.has(project.name)) started.set(project.name, claim(project, host, env, hooks));
      await started.get(project.name);
      if (resource.composeBuild)
        await compose(project, ["build", resource.service], "BuildFailed", resource, signal);
      await serialised(() =>
        compose(project, upArgv(project, resource.service), "PodFailed", resource, signal),
      );
      await services.follow(project.name, resource);
    },
    async close() {
      await services.close();
      await Promise.all(
        projects
          .filter(({ name }) => started.has(name))
          .map(async (project) => {
            const { ours } = await started.get(project.name)!;
            if (ours) await down(project, host, env);
          }),
      );
    },
  };

  async function compose(
    project: ComposeProject,
    words: readonly string[],
    code: "BuildFailed" | "PodFailed",
    { name, service }: ComposeResource,
    signal: AbortSignal,
  ) {
    const argv = words[0] === "docker" ? words : [...projectArgv(project), ...words];
    const input = projectInput(project);
    const tail: string[] = [];
    const outcome = await host.run(argv, {
      env,
      cwd: project.directory,
      signal,
      ...(input === undefined ? {} : { input }),
      onLine: (line) => {
        tail.push(line);
        if (tail.length > 20) tail.shift();
        return hooks.onLine(name, line);
      },
    });
    if (outcome.exitCode === 0) return;
    const detail = tail.join("\n");
    if (/Cannot connect to the Docker daemon/.test(detail))
      throw new EnvironmentError("Cannot reach Docker", { hint: detail });
    const lastLine = tail.at(-1) ?? `exit status ${outcome.exitCode}`;
    throw new PhaseFailure({
      code,
      object: `compose service ${service}`,
      message: `compose service ${service}: ${lastLine.trim()}`,
      detail,
    });
  }
}

/** Whether a project is this run's to remove: nothing of it stood before. */
async function claim(
  project: ComposeProject,
  host: Host,
  env: Readonly<Record<string, string>>,
  hooks: StackHooks,
) {
  const { stdout } = await host.run(
    [
      "docker",
      "ps",
      "--all",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${project.name}`,
    ],
    { env },
  );
  const ours = stdout.trim() === "";
  if (!ours)
    hooks.onNotice(
      `Compose project ${project.name} has containers from before this run: it is left up at the end`,
    );
  return { ours };
}

async function down(
  project: ComposeProject,
  host: Host,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const input = projectInput(project);
  const outcome = await host.run(
    [...projectArgv(project), "down", "--volumes", "--remove-orphans", "--timeout", "2"],
    {
      env,
      cwd: project.directory,
      ...(input === undefined ? {} : { input }),
    },
  );
  if (outcome.exitCode !== 0)
    throw new EnvironmentError(
      `Cannot remove Compose project ${project.name}: ${outcome.stderr.trim().split("\n").at(-1)}`,
    );
}

/** Follows events and logs of started services. */
class Services {
  readonly #followed = new Map<string, ComposeResource>();
  readonly #events = new Map<string, Promise<RunningProcess>>();
  readonly #logs: RunningProcess[] = [];
  readonly #mustComplete: ReadonlySet<string>;
  readonly #host: Host;
  readonly #env: Readonly<Record<string, string>>;
  readonly #hooks: StackHooks;

  constructor(
    resources: readonly ComposeResource[],
    host: Host,
    env: Readonly<Record<string, string>>,
    hooks: StackHooks,
  ) {
    this.#host = host;
    this.#env = env;
    this.#hooks = hooks;
    this.#mustComplete = new Set(
      resources.flatMap(({ project, dependsOn }) =>
        Object.entries(dependsOn)
          .filter(([, condition]) => condition === "service_completed_successfully")
          .map(([service]) => `${project}/${service}`),
      ),
    );
  }

  async follow(project: string, resource: ComposeResource): Promise<void> {
    this.#followed.set(`${project}/${resource.service}`, resource);
    if (!this.#events.has(project)) this.#events.set(project, this.#watch(project));
    await this.#events.get(project);
    const container = await this.#inspect(project, resource);
    if (!container) return;
    const onLine = (line: string) => this.#hooks.onLine(resource.name, line);
    this.#logs.push(
      await this.#host.spawn(["docker", "logs", "--follow", container.Id], {
        env: this.#env,
        onLine,
      }),
    );
  }

  async close(): Promise<void> {
    const events = await Promise.all(this.#events.values());
    await Promise.all([...events, ...this.#logs].map((child) => child.stop(500)));
  }

  async #watch(project: string): Promise<RunningProcess> {
    const argv = [
      "docker",
      "events",
      "--format",
      "{{json .}}",
      "--filter",
      "type=container",
      "--filter",
      `label=com.docker.compose.project=${project}`,
    ];
    const onLine = (line: string, stream: "stdout" | "stderr") => {
      if (stream === "stderr") return;
      const { Actor } = JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } };
      const resource = this.#followed.get(
        `${project}/${Actor?.Attributes?.["com.docker.compose.service"]}`,
      );
      if (resource) void this.#inspect(project, resource);
    };
    return this.#host.spawn(argv, { env: this.#env, onLine });
  }

  async #inspect(project: string, resource: ComposeResource): Promise<ContainerState | undefined> {
    const filters = [
      `label=com.docker.compose.project=${project}`,
      `label=com.docker.compose.service=${resource.service}`,
      "label=com.docker.compose.oneoff=False",
    ];
    const { stdout } = await this.#host.run(
      [
        "docker",
        "ps",
        "--all",
        "--quiet",
        "--no-trunc",
        ...filters.flatMap((filter) => ["--filter", filter]),
      ],
      { env: this.#env },
    );
    const ids = stdout.split("\n").filter(Boolean);
    const inspected =
      ids.length > 0
        ? await this.#host.run(["docker", "inspect", ids[0]!], { env: this.#env })
        : undefined;
    const [container] =
      inspected?.exitCode === 0 ? (JSON.parse(inspected.stdout) as ContainerState[]) : [];
    const mustComplete = this.#mustComplete.has(`${project}/${resource.service}`);
    this.#hooks.onObservation(
      resource.name,
      observeContainer(resource.service, container, mustComplete),
    );
    return container;
  }
}
