import type { Observation } from "../model/event.ts";
import type { Failure } from "../model/result.ts";

/** The part of `docker inspect` of a container that a verdict needs. */
export interface ContainerState {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    readonly FinishedAt: string;
    readonly StartedAt: string;
    readonly Health?: {
      readonly Status: string;
      readonly Log?: readonly { readonly Output: string }[];
    };
  };
}

/** How a service is judged. */
export interface ServiceRules {
  /** Another service depends on it with `service_completed_successfully`. */
  readonly mustComplete: boolean;
  /** `tilt`: as `tilt ci` does, which knows neither healthchecks nor conditions (ci-engine.md §4). */
  readonly semantics: "strict" | "tilt";
}

/** From worst to best: a service is as good as the worst of its containers. */
const STATES: readonly Observation["state"][] = ["failed", "crashing", "pending", "ready"];

/** What all containers of a service say together. */
export function observeService(
  service: string,
  containers: readonly ContainerState[],
  rules: ServiceRules,
): Observation {
  const observe = rules.semantics === "tilt" ? observeAsTilt : observeContainer;
  const [worst, ...others] = containers
    .map((container) => observe(service, container, rules.mustComplete))
    .sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  if (!worst)
    return { state: "pending", summary: "no container yet", active: false, crashes: 0, pods: [] };
  const crashes = others.reduce((sum, other) => sum + other.crashes, worst.crashes);
  return { ...worst, crashes };
}

/**
 * What a service's container says. Running is ready (with a healthcheck once that passed); exited 0 is ready, and is
 * the only ready state of a service on which another depends with `service_completed_successfully`.
 */
export function observeContainer(
  service: string,
  container: ContainerState,
  mustComplete: boolean,
): Observation {
  const rest = { crashes: container.RestartCount, pods: [] } as const;
  const { Status: status, ExitCode: exitCode, Health: health } = container.State;
  const object = `compose service ${service}`;
  if (status === "exited" || status === "dead") {
    if (exitCode === 0 && status === "exited")
      return { ...rest, state: "ready", summary: "completed", active: false };
    return {
      ...rest,
      state: "failed",
      summary: `exited with ${exitCode}`,
      active: false,
      failure: exitFailure(object, container),
    };
  }
  if (status === "restarting" || (container.RestartCount > 0 && exitCode !== 0)) {
    return {
      ...rest,
      state: "crashing",
      summary: "restarting",
      active: false,
      failure: exitFailure(object, container),
    };
  }
  if (status !== "running") return { ...rest, state: "pending", summary: status, active: false };
  if (mustComplete)
    return { ...rest, state: "pending", summary: "running, must complete", active: true };
  if (!health || health.Status === "healthy" || health.Status === "none")
    return { ...rest, state: "ready", summary: "running", active: true };
  if (health.Status === "unhealthy")
    return {
      ...rest,
      state: "failed",
      summary: "unhealthy",
      active: true,
      failure: unhealthy(object, health),
    };
  return { ...rest, state: "pending", summary: `health: ${health.Status}`, active: true };
}

/** Running, or exited with 0, is good; another status of its end is a failure at once; all else is waited for. */
function observeAsTilt(_service: string, container: ContainerState): Observation {
  const { Status: status, ExitCode: exitCode } = container.State;
  const rest = { crashes: container.RestartCount, pods: [], active: status === "running" } as const;
  if (status === "running") return { ...rest, state: "ready", summary: "running" };
  if (status !== "exited" && status !== "dead")
    return { ...rest, state: "pending", summary: status };
  if (exitCode === 0) return { ...rest, state: "ready", summary: "completed" };
  const message = `Container ${container.Id} exited with ${exitCode}`;
  const failure = { code: "CrashLoop", message } as const;
  return { ...rest, state: "failed", summary: `exited with ${exitCode}`, failure };
}

function unhealthy(
  object: string,
  health: NonNullable<ContainerState["State"]["Health"]>,
): Failure {
  const last = health.Log?.at(-1)?.Output.trim();
  return {
    code: "ProbeFailed",
    object,
    message: `${object}: its healthcheck fails${last ? `: ${last.split("\n").at(-1)}` : ""}`,
    ...(last?.includes("\n") ? { detail: last } : {}),
  };
}

function exitFailure(
  object: string,
  { State: state, RestartCount: restarts }: ContainerState,
): Failure {
  const evidenceAt = Date.parse(state.FinishedAt);
  const again = restarts > 0 ? `, ${restarts} restarts` : "";
  const reason = state.OOMKilled
    ? "was killed for using too much memory"
    : `exited with status ${state.ExitCode}${again}`;
  return {
    code: state.OOMKilled ? "OOMKilled" : "CrashLoop",
    object,
    message: `${object} ${reason}${state.Error ? `: ${state.Error}` : ""}`,
    ...(Number.isNaN(evidenceAt) ? {} : { evidenceAt }),
  };
}
