import { CancelledError, EnvironmentError, PhaseFailure } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { CommandOptions, CommandOutcome, Host } from "../host/host.ts";
import type { ComposeProject, ComposeResource } from "../model/plan.ts";
import { projectArgv, projectInput, upArgv } from "./argv.ts";
import { ServiceWatch, type WatchHooks } from "./service-watch.ts";
import { upFailure } from "./up-failure.ts";

const TAIL_LINES = 20;
const LOGS_TIMEOUT_MS = 5000;

/** What of a project stood before this run, and is none of its business. */
export interface StandingProject {
  readonly name: string;
  /** Containers stood: the project is somebody's, who goes on with it. */
  readonly inUse: boolean;
  /** Names of volumes and networks. */
  readonly parts: readonly string[];
}

export interface StackHooks extends WatchHooks {
  /** Before anything of a project is created. */
  readonly onClaim: (project: StandingProject) => void | Promise<void>;
  /** Around each command that creates containers. */
  readonly onMaking: (project: string, attempt: number) => Promise<void>;
  readonly onMade: (project: string, attempt: number) => Promise<void>;
}

/** The Compose services of a run. */
export interface ComposeStack {
  /**
   * Has Compose build the image of one service (`build:`). A status other than 0 is an outcome, for whoever knows what
   * builders say. `override` is a compose file that is read last. Throws `EnvironmentError` when there is no Compose,
   * `CancelledError`.
   */
  build(
    resource: ComposeResource,
    onLine: (line: string) => void | Promise<void>,
    signal: AbortSignal,
    override?: string,
  ): Promise<CommandOutcome>;
  /** Starts one service. Throws `PhaseFailure`, `EnvironmentError`, `CancelledError`. */
  up(resource: ComposeResource, signal: AbortSignal): Promise<void>;
  /** Ends logs and watches. What was created is removed by whoever keeps account of it. */
  close(): Promise<void>;
}

export interface StackOptions {
  readonly projects: readonly ComposeProject[];
  readonly resources: readonly ComposeResource[];
  /** The environment after evaluation: Compose interpolates from it. */
  readonly env: Readonly<Record<string, string>>;
  readonly semantics: "strict" | "tilt";
}

/** Nothing happens before the first `up`. */
export function createComposeStack(
  options: StackOptions,
  host: Host,
  hooks: StackHooks,
): ComposeStack {
  return new Stack(options, host, hooks);
}

class Stack implements ComposeStack {
  readonly #options: StackOptions;
  readonly #host: Host;
  readonly #hooks: StackHooks;
  readonly #watch: ServiceWatch;
  readonly #claimed = new Map<string, Promise<void>>();
  #cli: Promise<readonly string[]> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #ups = 0;

  constructor(options: StackOptions, host: Host, hooks: StackHooks) {
    this.#options = options;
    this.#host = host;
    this.#hooks = hooks;
    const { env, semantics, resources } = options;
    this.#watch = new ServiceWatch(
      host,
      { env, semantics, mustComplete: servicesToComplete(resources) },
      hooks,
    );
  }

  build(
    resource: ComposeResource,
    onLine: (line: string) => void | Promise<void>,
    signal: AbortSignal,
    override?: string,
  ): Promise<CommandOutcome> {
    const files = override === undefined ? [] : ["--file", override];
    // Attestations would give an unchanged image a new digest at each build.
    const env = { BUILDX_NO_DEFAULT_ATTESTATIONS: "1", ...this.#options.env, NO_COLOR: "1" };
    return this.#run(this.#projectOf(resource), [...files, "build", resource.service], {
      env,
      signal,
      onLine,
      maxBuffer: 0,
    });
  }

  async up(resource: ComposeResource, signal: AbortSignal): Promise<void> {
    const project = this.#projectOf(resource);
    if (!this.#claimed.has(project.name)) this.#claimed.set(project.name, this.#claim(project));
    await this.#claimed.get(project.name);
    // Two `up`s at once would create the project's network twice.
    await this.#serialised(() => this.#start(project, resource, signal));
    await this.#watch.follow(resource);
  }

  close(): Promise<void> {
    return this.#watch.close();
  }

  #projectOf({ project }: ComposeResource): ComposeProject {
    return this.#options.projects.find(({ name }) => name === project)!;
  }

  async #start(
    project: ComposeProject,
    resource: ComposeResource,
    signal: AbortSignal,
  ): Promise<void> {
    const attempt = ++this.#ups;
    await this.#hooks.onMaking(project.name, attempt);
    try {
      await this.#up(project, resource, signal);
    } catch (error) {
      // A command that was cut off leaves Docker at work.
      if (error instanceof CancelledError) throw error;
      await this.#hooks.onMade(project.name, attempt);
      await this.#tellLogs(project, resource, signal);
      throw error;
    }
    await this.#hooks.onMade(project.name, attempt);
  }

  /** What the containers of a service that did not come up have said (`--wait`): nobody follows them. */
  async #tellLogs(
    project: ComposeProject,
    { name, service }: ComposeResource,
    signal: AbortSignal,
  ): Promise<void> {
    const words = ["logs", "--no-color", "--no-log-prefix", "--tail", "100", service];
    await this.#run(project, words, {
      signal,
      timeoutMs: LOGS_TIMEOUT_MS,
      onLine: (line) => this.#hooks.onLine(name, "deploy", line),
    }).catch(() => {}); // the failure of `up` is what counts
  }

  #serialised<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => {});
    return next;
  }

  async #up(
    project: ComposeProject,
    { name, service }: ComposeResource,
    signal: AbortSignal,
  ): Promise<void> {
    const tail: string[] = [];
    const outcome = await this.#run(project, upArgv(project, service), {
      signal,
      maxBuffer: 0,
      onLine: (line) => {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        return this.#hooks.onLine(name, "deploy", line);
      },
    });
    if (outcome.exitCode === 0) return;
    const detail = tail.join("\n");
    if (/Cannot connect to the Docker daemon/.test(detail))
      throw new EnvironmentError("Cannot reach Docker", { hint: detail });
    throw new PhaseFailure(upFailure(service, outcome.exitCode, tail));
  }

  /** Runs Compose on a project. */
  async #run(
    project: ComposeProject,
    words: readonly string[],
    options: CommandOptions,
  ): Promise<CommandOutcome> {
    const { env } = this.#options;
    const input = projectInput(project);
    this.#cli ??= composeCli(env, this.#host);
    return this.#host
      .run([...projectArgv(project, await this.#cli), ...words], {
        env,
        cwd: project.directory,
        ...(input === undefined ? {} : { input }),
        ...options,
      })
      .catch(missingCompose);
  }

  /** A project of which containers stand is somebody's; of all others, volumes from before are kept. */
  async #claim({ name }: ComposeProject): Promise<void> {
    const list = async (...words: readonly string[]) => {
      const filter = ["--filter", `label=com.docker.compose.project=${name}`];
      const outcome = await this.#host
        .run(["docker", ...words, ...filter], { env: this.#options.env })
        .catch(missingCompose);
      if (outcome.exitCode !== 0)
        throw new EnvironmentError(`Cannot look at Compose project ${name}`, {
          hint: outcome.stderr.trim(),
        });
      return outcome.stdout.split("\n").filter(Boolean);
    };
    const [containers, volumes, networks] = await Promise.all([
      list("ps", "--all", "--quiet"),
      list("volume", "ls", "--format", "{{.Name}}"),
      list("network", "ls", "--format", "{{.Name}}"),
    ]);
    await this.#hooks.onClaim({
      name,
      inUse: containers.length > 0,
      parts: [...volumes, ...networks],
    });
  }
}

/** Services, as `project/service`, of which another waits for the end. */
function servicesToComplete(resources: readonly ComposeResource[]): ReadonlySet<string> {
  return new Set(
    resources.flatMap(({ project, dependsOn }) =>
      Object.entries(dependsOn)
        .filter(([, condition]) => condition === "service_completed_successfully")
        .map(([service]) => `${project}/${service}`),
    ),
  );
}

/** `TILT_DOCKER_COMPOSE_CMD`, else Docker's plugin, else the program of its own: as at evaluation. */
async function composeCli(env: StackOptions["env"], host: Host): Promise<readonly string[]> {
  if (env.TILT_DOCKER_COMPOSE_CMD) return [env.TILT_DOCKER_COMPOSE_CMD];
  const plugin = await host.run(["docker", "compose", "version"], { env }).catch(missingCompose);
  return plugin.exitCode === 0 ? ["docker", "compose"] : ["docker-compose"];
}

function missingCompose(error: unknown): never {
  if (!(error instanceof CommandNotFoundError)) throw error;
  throw new EnvironmentError(`Cannot run Docker Compose: ${error.message}`, { cause: error });
}
