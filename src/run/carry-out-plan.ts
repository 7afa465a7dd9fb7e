import type { ComposeStack } from "../compose/index.ts";
import { buildGraph, type Graph } from "../engine/index.ts";
import { createImages, type DeliveryTarget } from "../images/index.ts";
import { mentionsCluster } from "../local/index.ts";
import type {
  ComposeResource,
  CustomResource,
  KubernetesResource,
  LocalResource,
  Plan,
  Resource,
} from "../model/plan.ts";
import { deleteAppliedAtEnd, runDeleteCommandsAtEnd } from "./applied-objects.ts";
import { needsCluster } from "./check-plan.ts";
import type { RunCluster } from "./cluster.ts";
import { runLocalCommand, type Surroundings } from "./commands.ts";
import { composeBuild, startCompose } from "./compose.ts";
import { createDeploys } from "./deploys.ts";
import { hasProbe } from "./has-probe.ts";
import { imagePhases } from "./image-phases.ts";
import { createImageTasks, type ImageTasks } from "./images.ts";
import { carryOut, type Execute, type TaskOutcome } from "./loop.ts";
import { plannedResources } from "./planned.ts";
import { effectivePolicy } from "./policy.ts";
import { buildSecrets, plannedSecrets, registryCredentials } from "./secrets.ts";
import { sendAhead } from "./send-ahead.ts";
import { createServers } from "./servers.ts";
import type { Session } from "./session.ts";
import { type CancelSignal, cancelledBy, type RunVerdict, verdictOf } from "./verdict.ts";
import { createClusterWatch } from "./watch.ts";

/** Does what a plan asks for until the verdict is clear. */
export async function carryOutPlan(
  session: Session,
  plan: Plan,
  candidate: RunCluster | undefined,
): Promise<RunVerdict> {
  const { log, options } = session;
  await learnSecrets(session, plan);
  for (const { message, position, hint } of plan.warnings)
    session.warn(hint ? `${message}\n${hint}` : message, position ? { position } : {});
  const { policy, notices } = effectivePolicy(options, plan.settings);
  for (const notice of notices) session.notice(notice);
  const cluster = needsCluster(plan) ? candidate : undefined;
  cluster?.start();
  const graph = buildGraph(plan, {
    needsCluster: (argv) => cluster !== undefined && mentionsCluster(argv, plan.directory),
    registry: cluster !== undefined,
    isProbed: hasProbe,
    dryRun: options.command === "smoke",
  });
  log.append({ type: "planned", at: session.now(), resources: plannedResources(plan, graph) });
  const execute = createExecutor(session, plan, graph, cluster);
  const { reason } = await carryOut({
    graph,
    policy,
    log,
    clock: session.host.clock,
    startedAt: session.startedAt,
    execute,
    signal: session.cancelled,
    broken: session.broken.signal,
    confirm: () => confirmAll(session),
    // whoever cancels may not wait for builds to stop: the reports are complete before that
    onEnd: (reason) => {
      if (reason === "cancelled") session.conclude(cancelledBy(cancelSignal(session)));
    },
  });
  return reason === "cancelled"
    ? cancelledBy(cancelSignal(session))
    : verdictOf(reason, log.events, {
        command: options.command,
        broken: session.broken.signal.reason,
      });
}

/**
 * Before anything runs that could say them, but for the Tiltfile, whose output is scrubbed now. It may have logged in to
 * a registry.
 */
async function learnSecrets({ scrubber, host, reports, log }: Session, plan: Plan): Promise<void> {
  const { env } = plan.environment;
  scrubber.add([
    ...plannedSecrets(plan),
    ...(await buildSecrets(plan.images, env, host.cwd)),
    ...(await registryCredentials(env)),
  ]);
  reports.rescrub(log.events);
}

function cancelSignal({ cancelled }: Session): CancelSignal {
  return cancelled.reason as CancelSignal;
}

function confirmAll({ confirmations }: Session): Promise<unknown> | undefined {
  const asked = confirmations.flatMap((confirm) => confirm() ?? []);
  return asked.length === 0 ? undefined : Promise.all(asked);
}

/** What each kind of task does, with the parts that do it. */
function createExecutor(
  session: Session,
  plan: Plan,
  graph: Graph,
  cluster: RunCluster | undefined,
): Execute {
  const resources = new Map(plan.resources.map((resource) => [resource.name, resource]));
  const surroundings: Surroundings = () => ({
    env: plan.environment.env,
    kubeconfig: cluster?.kubeconfig,
    color: false,
  });
  const images = startImages(session, plan, graph, cluster);
  const servers = createServers(session, surroundings);
  session.closables.push({ name: "servers", close: () => servers.stop() });
  const compose = startCompose(session, plan);
  const deploy = createDeployers(session, plan, images, compose, cluster, surroundings);
  return async (task, signal) => {
    const resource = resources.get(task.resource)!;
    switch (task.phase) {
      case "build":
        return resource.type === "compose" && resource.composeBuild
          ? images.buildOther(task, composeBuild(resource, compose, session), signal)
          : images.build(task, signal);
      case "push":
        return images.push(task, signal);
      case "deploy":
        return deploy(resource, signal);
      case "serve":
        await servers.start(resource as LocalResource);
        return undefined;
      default:
        await runLocalCommand(
          session,
          resource as LocalResource,
          task.phase,
          cluster,
          surroundings,
          signal,
        );
        return undefined;
    }
  };
}

function createDeployers(
  session: Session,
  plan: Plan,
  images: ImageTasks,
  compose: ComposeStack,
  cluster: RunCluster | undefined,
  surroundings: Surroundings,
) {
  const kubernetes = cluster && startDeploys(session, plan, images, cluster, surroundings);
  return async (resource: Resource, signal: AbortSignal): Promise<TaskOutcome | undefined> => {
    if (resource.type === "compose") {
      await images.tagFor(resource, signal);
      await compose.up(resource as ComposeResource, signal);
      return undefined;
    }
    return resource.type === "custom"
      ? kubernetes!.custom(resource as CustomResource, signal)
      : kubernetes!.kubernetes(resource as KubernetesResource, signal);
  };
}

function startDeploys(
  session: Session,
  plan: Plan,
  images: ImageTasks,
  cluster: RunCluster,
  surroundings: Surroundings,
) {
  const watch = createClusterWatch(session, plan, cluster);
  session.closables.push({
    name: "the watch of the cluster",
    close: ({ verdict }) => watch.close(verdict === "passed"),
  });
  session.confirmations.push(() => watch.confirm());
  return createDeploys(session, {
    plan,
    cluster,
    images,
    surroundings,
    watcher: watch.watcher,
    dryRun: session.options.command === "smoke",
    onApplied: deleteAppliedAtEnd(session, cluster),
    onCustomDeploy: runDeleteCommandsAtEnd(session, surroundings),
  });
}

/** Builds begin before it is known where their images go; base and third-party images go there while they run. */
function startImages(
  session: Session,
  plan: Plan,
  graph: Graph,
  cluster: RunCluster | undefined,
): ImageTasks {
  const { builder, cacheTo, cacheFrom } = session.options.images;
  const phaseOf = imagePhases(graph);
  const images = createImages({
    host: session.host,
    env: plan.environment.env,
    target: deliveryTarget(session, plan, cluster),
    builder,
    cacheTo,
    cacheFrom,
    ...(cluster ? { platform: () => cluster.platform() } : {}),
    temporaryDirectory: session.temporaryDirectory,
    excludeFromContexts: session.privatePaths,
    hooks: {
      onLine: (image, text) =>
        session.line({
          ...phaseOf(image, "build"),
          level: "info",
          source: "build",
          text,
        }),
      onStep: (image, phase, { name, startedAt, at }) =>
        session.log.append({
          type: "step",
          ...phaseOf(image, phase),
          name,
          startedAt,
          at,
        }),
      onWarning: (message) => session.warn(message),
      onRetry: (image, phase, failure, attempt) =>
        session.log.append({
          type: "phase-retried",
          at: session.now(),
          ...phaseOf(image, phase),
          attempt,
          failure,
        }),
    },
  });
  session.closables.push({ name: "image tags", close: () => images.cleanUp() });
  const sentAhead = cluster ? sendAhead(session, plan, images, cluster) : async () => {};
  return createImageTasks(session, plan, graph, images, cluster, sentAhead);
}

/** `--registry HOST`, else the cluster's own registry, which beats `default_registry()` as in Tilt. */
async function deliveryTarget(
  session: Session,
  plan: Plan,
  cluster: RunCluster | undefined,
): Promise<DeliveryTarget> {
  if (!cluster) return { type: "none" };
  const { registry: chosen } = session.options;
  if (typeof chosen === "object") return { type: "registry", registry: { host: chosen.host } };
  const found = await cluster.registry();
  if (found)
    return { type: "registry", registry: { ...found, ownedByRun: cluster.lease !== undefined } };
  const { defaultRegistry } = plan.settings;
  if (!defaultRegistry) return cluster.withoutRegistry();
  const { host, hostFromCluster, singleName } = defaultRegistry;
  return {
    type: "registry",
    registry: {
      host,
      ...(hostFromCluster ? { hostFromContainerRuntime: hostFromCluster } : {}),
      ...(singleName ? { singleName } : {}),
    },
  };
}
