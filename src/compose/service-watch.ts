import { EnvironmentError, messageOf } from "../errors.ts";
import type { Host, RunningProcess } from "../host/host.ts";
import type { Observation } from "../model/event.ts";
import type { ComposeResource } from "../model/plan.ts";
import { type ContainerState, observeService } from "./observe.ts";

const PROJECT_LABEL = "com.docker.compose.project";
const SERVICE_LABEL = "com.docker.compose.service";
/** What changes a verdict; healthchecks alone would bring two more events a second. */
const EVENTS = ["start", "die", "oom", "restart", "health_status", "destroy", "pause", "unpause"];
/** For a Docker that hangs: what a container has said is read in 0.1 s on an idle machine. */
const LAST_LOGS_MS = 10_000;
/** `docker logs --follow` may miss the end of a container that ends as it begins. */
const FOLLOWER_END_MS = 200;
/** A `docker logs` that is older has shown what there was. */
const YOUNG_MS = 2000;
const RETRY_MS = 500;
const MAX_RETRIES = 10;

export interface WatchHooks {
  /** `deploy`: Compose says it; `ready`: a container does. */
  readonly onLine: (
    resource: string,
    phase: "deploy" | "ready",
    line: string,
  ) => void | Promise<void>;
  readonly onObservation: (resource: string, observation: Observation) => void;
  /** Docker does not tell any more how the services are. */
  readonly onLost: (error: EnvironmentError) => void;
}

export interface WatchOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly semantics: "strict" | "tilt";
  /** Services, as `project/service`, that have to end. */
  readonly mustComplete: ReadonlySet<string>;
}

/** Who follows the output of one start of a container. */
interface LogFollower {
  readonly child: RunningProcess;
  /** It may not have shown yet what there was. */
  isYoung(): boolean;
  /** Tells what it has not told, once and after its end. */
  catchUp(): Promise<void>;
}

/** Follows state and output of services that have been started. */
export class ServiceWatch {
  readonly #host: Host;
  readonly #options: WatchOptions;
  readonly #hooks: WatchHooks;
  readonly #startedAt: number;
  readonly #followed = new Map<string, ComposeResource>();
  readonly #events = new Map<string, Promise<void>>();
  readonly #children = new Set<RunningProcess>();
  /** By the starts of containers: who follows the output. */
  readonly #logs = new Map<string, LogFollower>();
  /** Last known ends of containers, epoch ms. */
  readonly #ends = new Map<string, number>();
  readonly #looks = new Map<string, { again: boolean; done: Promise<void> }>();
  #closed = false;

  constructor(host: Host, options: WatchOptions, hooks: WatchHooks) {
    this.#host = host;
    this.#options = options;
    this.#hooks = hooks;
    this.#startedAt = host.clock.now();
  }

  /** From now on what becomes of a service is told. */
  async follow(resource: ComposeResource): Promise<void> {
    const { project } = resource;
    this.#followed.set(`${project}/${resource.service}`, resource);
    if (!this.#events.has(project)) this.#events.set(project, this.#listen(project, 0));
    await this.#events.get(project);
    await this.#look(resource);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#events.values());
    await Promise.allSettled([...this.#looks.values()].map(({ done }) => done));
    const following = [...this.#logs.values()].filter(({ child }) => this.#children.has(child));
    await Promise.all([...this.#children].map((child) => child.stop(500)));
    const young = following.filter(({ isYoung }) => isYoung());
    await Promise.allSettled(young.map(({ catchUp }) => catchUp()));
  }

  /** Events since the run began: none is lost between a look and the first event that Docker sends. */
  async #listen(project: string, failures: number): Promise<void> {
    let heard = false;
    const argv = [
      ...["docker", "events", "--format", "{{json .}}"],
      ...["--since", (this.#startedAt / 1000).toFixed(3), "--filter", "type=container"],
      ...["--filter", `label=${PROJECT_LABEL}=${project}`],
      ...EVENTS.flatMap((event) => ["--filter", `event=${event}`]),
    ];
    const child = await this.#spawn(argv, (line, stream) => {
      if (stream === "stderr") return;
      heard = true;
      const { Actor } = JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } };
      const resource = this.#followed.get(`${project}/${Actor?.Attributes?.[SERVICE_LABEL]}`);
      if (resource) void this.#look(resource);
    });
    void child.exited.then(() => this.#resume(project, heard ? 1 : failures + 1));
  }

  async #resume(project: string, failures: number): Promise<void> {
    if (this.#closed) return;
    if (failures > MAX_RETRIES) return this.#lose("docker events ends again and again");
    await this.#host.clock.sleep(RETRY_MS);
    if (this.#closed) return;
    const listening = this.#listen(project, failures);
    listening.catch((error: unknown) => this.#lose(messageOf(error)));
    this.#events.set(project, listening);
    for (const [, resource] of this.#followed)
      if (resource.project === project) void this.#look(resource);
  }

  #lose(why: string): void {
    if (this.#closed) return;
    this.#hooks.onLost(
      new EnvironmentError(`Cannot follow the Compose services: ${why}`, {
        hint: "Check Docker with: docker info",
      }),
    );
  }

  /** One look at a time, and one more for what came meanwhile: an older answer never replaces a newer one. */
  #look(resource: ComposeResource): Promise<void> {
    const looking = this.#looks.get(resource.name);
    if (looking) {
      looking.again = true;
      return looking.done;
    }
    const look = { again: false, done: Promise.resolve() };
    look.done = this.#lookUntilQuiet(resource, look)
      .catch((error: unknown) => this.#lose(messageOf(error)))
      .finally(() => this.#looks.delete(resource.name));
    this.#looks.set(resource.name, look);
    return look.done;
  }

  async #lookUntilQuiet(resource: ComposeResource, look: { again: boolean }): Promise<void> {
    do {
      look.again = false;
      const containers = await this.#inspect(resource);
      if (this.#closed) return;
      if (!containers) continue;
      for (const container of containers) await this.#followLogs(resource, container);
      this.#hooks.onObservation(
        resource.name,
        observeService(resource.service, containers, {
          mustComplete: this.#options.mustComplete.has(`${resource.project}/${resource.service}`),
          semantics: this.#options.semantics,
        }),
      );
    } while (look.again);
  }

  /** The service's containers as Docker knows them; undefined when one went while we asked: an event will tell. */
  async #inspect({ project, service }: ComposeResource): Promise<ContainerState[] | undefined> {
    const labels = [
      `${PROJECT_LABEL}=${project}`,
      `${SERVICE_LABEL}=${service}`,
      "com.docker.compose.oneoff=False",
    ];
    const { env } = this.#options;
    const listed = await this.#host.run(
      [
        ...["docker", "ps", "--all", "--quiet", "--no-trunc"],
        ...labels.flatMap((label) => ["--filter", `label=${label}`]),
      ],
      { env },
    );
    // What the daemon does not answer now, the end of its events will tell.
    if (listed.exitCode !== 0) return undefined;
    const ids = listed.stdout.split("\n").filter(Boolean);
    if (ids.length === 0) return [];
    const inspected = await this.#host.run(["docker", "inspect", ...ids], { env });
    return inspected.exitCode === 0
      ? (JSON.parse(inspected.stdout) as ContainerState[])
      : undefined;
  }

  /** `docker logs --follow` ends with its container: each start is followed by itself. */
  async #followLogs(resource: ComposeResource, container: ContainerState): Promise<void> {
    const { Id, State } = container;
    if (!(Date.parse(State.StartedAt) > 0)) return;
    const start = `${Id} ${State.StartedAt}`;
    const since = new Date(logsSince(container, this.#ends.get(Id), this.#startedAt)).toISOString();
    const follower = this.#logs.get(start) ?? (await this.#startFollower(resource, Id, since));
    this.#logs.set(start, follower);
    if (State.Status !== "exited") return;
    this.#ends.set(Id, Date.parse(State.FinishedAt));
    await Promise.race([follower.child.exited, this.#host.clock.sleep(FOLLOWER_END_MS)]);
    if (this.#children.has(follower.child)) await follower.child.stop(FOLLOWER_END_MS);
    // What the container said last is what its failure is about.
    await follower.catchUp();
  }

  async #startFollower(
    { name }: ComposeResource,
    container: string,
    since: string,
  ): Promise<LogFollower> {
    const argv = (flags: readonly string[]) => [
      ...["docker", "logs", ...flags, "--since", since, container],
    ];
    const told = { stdout: 0, stderr: 0 };
    let isComplete = false;
    const startedAt = this.#host.clock.monotonic();
    const child = await this.#spawn(argv(["--follow"]), (line, stream) => {
      told[stream] += 1;
      return this.#hooks.onLine(name, "ready", line);
    });
    return {
      child,
      isYoung: () => this.#host.clock.monotonic() - startedAt <= YOUNG_MS,
      catchUp: async () => {
        if (isComplete) return;
        isComplete = true;
        const seen = { stdout: 0, stderr: 0 };
        await this.#host.run(argv([]), {
          env: this.#options.env,
          timeoutMs: LAST_LOGS_MS,
          maxBuffer: 0,
          onLine: (line, stream) => {
            seen[stream] += 1;
            return seen[stream] > told[stream]
              ? this.#hooks.onLine(name, "ready", line)
              : undefined;
          },
        });
      },
    };
  }

  async #spawn(
    argv: readonly string[],
    onLine: (line: string, stream: "stdout" | "stderr") => void | Promise<void>,
  ): Promise<RunningProcess> {
    const child = await this.#host.spawn(argv, { env: this.#options.env, onLine });
    this.#children.add(child);
    void child.exited.then(() => this.#children.delete(child));
    return child;
  }
}

/**
 * From when on a container has written what its present start wrote, epoch ms: after the end before it, and maybe before
 * Docker takes it for started. `end` is that end as far as known; `runStartedAt` is when we began to look.
 */
export function logsSince(
  { State }: ContainerState,
  end: number | undefined,
  runStartedAt: number,
): number {
  if (end !== undefined) return end;
  // the end of a container that has exited is that of this very start; one that exits at once may end before it "started"
  const finishedAt = State.Status === "exited" ? 0 : Date.parse(State.FinishedAt);
  const isEarlier = finishedAt < Date.parse(State.StartedAt);
  return Math.max(runStartedAt, isEarlier ? finishedAt : 0);
}
