import { CancelledError, EnvironmentError, PhaseFailure } from "../errors.ts";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import {
  type ApiObject,
  type AppliedObject,
  appliedObject,
  applyObjects,
  injectImages,
  type Watcher,
} from "../kubernetes/index.ts";
import { commandEnvironment } from "../local/index.ts";
import { parseYamlStream } from "../manifests/yaml.ts";
import { commandText, commandTitle } from "../model/command-text.ts";
import type { CustomResource, KubernetesObject, KubernetesResource, Plan } from "../model/plan.ts";
import { maskedYaml } from "../report/index.ts";
import type { RunCluster } from "./cluster.ts";
import type { Surroundings } from "./commands.ts";
import type { ImageTasks } from "./images.ts";
import type { TaskOutcome } from "./loop.ts";
import { mayStillBeDefined } from "./on-its-way.ts";
import { appliedSecrets } from "./secrets.ts";
import type { Session } from "./session.ts";
import { mayStillAnswer, webhookServer } from "./webhooks.ts";

/** Tilt's limit for one object or one custom deploy. */
const TILT_UPSERT_TIMEOUT_MS = 30_000;
const QUOTED_OUTPUT = 500;

export interface Deploys {
  kubernetes(resource: KubernetesResource, signal: AbortSignal): Promise<TaskOutcome>;
  custom(resource: CustomResource, signal: AbortSignal): Promise<TaskOutcome>;
}

export interface DeployParts {
  readonly plan: Plan;
  readonly cluster: RunCluster;
  readonly images: ImageTasks;
  readonly watcher: () => Promise<Watcher>;
  readonly surroundings: Surroundings;
  readonly dryRun: boolean;
  /** Told of each object at once: what a clean-up has to know even when a later one fails. */
  readonly onApplied: (object: AppliedObject) => void;
  /** Told of each custom deploy before its command runs. */
  readonly onCustomDeploy: (resource: CustomResource) => void;
}

/** Brings resources into the cluster and has them watched from then on. */
export function createDeploys(session: Session, parts: DeployParts): Deploys {
  const { plan, cluster, images, dryRun } = parts;
  const upsertTimeoutMs = plan.settings.update.upsertTimeoutMs ?? TILT_UPSERT_TIMEOUT_MS;
  const tell = (resource: string) => (text: string) =>
    session.line({ resource, phase: "deploy", level: "info", source: "runtime", text });

  /**
   * A cluster of our own gets its objects while its network still comes up. What is started again finds that out by
   * itself; a Job whose one try falls into that moment would fail for good.
   */
  async function network(resource: KubernetesResource, signal: AbortSignal): Promise<void> {
    const isFinal = resource.objects.some(({ object }) => runsOnce(object));
    if (isFinal && !dryRun) await cluster.lease?.dns(AbortSignal.any([session.signal, signal]));
  }

  async function watch(
    resource: KubernetesResource | CustomResource,
    applied: readonly AppliedObject[],
    deployedAt: number,
  ): Promise<TaskOutcome> {
    if (!dryRun) {
      const watcher = await parts.watcher();
      const { name, readiness: mode, extraPodSelectors, discoveryStrategy } = resource;
      watcher.track({ name, mode, applied, extraPodSelectors, discoveryStrategy, deployedAt });
    }
    return { facts: { objects: applied.length } };
  }

  return {
    async kubernetes(resource, signal) {
      const connection = await cluster.api(signal);
      await Promise.all([images.sentAhead(resource, signal), network(resource, signal)]);
      const objects = injectImages(resource, deployedImages(plan, images));
      session.reports.applied(resource.name, maskedYaml(objects.map(({ object }) => object)));
      const deployedAt = session.now();
      const say = tell(resource.name);
      const applied = await applyObjects(connection, objects, {
        fieldManager: "tilt-ci",
        createNamespaces: session.options.createNamespaces,
        upsertTimeoutMs,
        dryRun,
        signal,
        mayStillBeDefined: (apiVersion, kind) =>
          mayStillBeDefined({ apiVersion, kind }, resource.name, plan, session.log.events),
        mayStillPass: (message) =>
          mayStillAnswer(message, plan, session.log.events, cluster.lease !== undefined),
        onLine: say,
        onRetry: ({ object, message, attempt }) =>
          session.log.append({
            type: "phase-retried",
            at: session.now(),
            resource: resource.name,
            phase: "deploy",
            attempt,
            failure: { code: "Infra", object, message: `${object}: ${message}` },
            ...waitsFor(webhookServer(message, plan)),
          }),
        onApplied: parts.onApplied,
      });
      return watch(resource, applied, deployedAt);
    },
    async custom(resource, signal) {
      await cluster.api(signal);
      const deployedAt = session.now();
      parts.onCustomDeploy(resource);
      const applied = await runApplyCommand(session, resource, parts, upsertTimeoutMs, signal);
      return watch(resource, applied, deployedAt);
    },
  };
}

function waitsFor(resource: string | undefined): { readonly waitsFor?: string } {
  return resource === undefined ? {} : { waitsFor: resource };
}

/** Jobs, and Pods that are not started again. */
function runsOnce({ kind, spec }: KubernetesObject): boolean {
  return (
    kind === "Job" ||
    (kind === "Pod" && (spec as { restartPolicy?: string } | undefined)?.restartPolicy === "Never")
  );
}

/** What injection needs of the images that were built: by ref, their name in the cluster. */
function deployedImages(plan: Plan, images: ImageTasks) {
  return new Map(
    plan.images.flatMap((build) => {
      const result = images.built.get(build.ref);
      return result ? [[build.ref, { clusterRef: result.clusterRef, build }] as const] : [];
    }),
  );
}

/** `apply_cmd` of a custom deploy: it prints the objects that it applied, with their UIDs (tiltfile-api.md §3). */
async function runApplyCommand(
  session: Session,
  resource: CustomResource,
  { plan, images, surroundings }: DeployParts,
  upsertTimeoutMs: number,
  signal: AbortSignal,
): Promise<AppliedObject[]> {
  const command = resource.applyCmd;
  // Helm may well take longer than Tilt's 30 s: only an explicit limit, or Tilt's semantics, ends it.
  const limited =
    plan.settings.update.upsertTimeoutMs !== undefined ||
    session.options.policy.semantics === "tilt";
  const outcome = await session.host
    .run(command.argv, {
      cwd: command.dir,
      env: {
        ...commandEnvironment(surroundings(), command.env),
        ...imageVariables(resource, images),
      },
      signal,
      ...(limited ? { timeoutMs: upsertTimeoutMs } : {}),
      onLine: (line, stream) =>
        stream === "stderr"
          ? session.line({
              resource: resource.name,
              phase: "deploy",
              level: "info",
              source: "runtime",
              text: line,
            })
          : undefined,
    })
    .catch((error: unknown) => {
      if (error instanceof CommandNotFoundError)
        throw new PhaseFailure({
          code: "ApplyRejected",
          message: `apply command error: ${error.message}`,
        });
      throw error;
    });
  const quoted = outcome.stdout.trim()
    ? `\nstdout:\n${outcome.stdout.slice(0, QUOTED_OUTPUT)}`
    : "";
  const fail = (
    why: string,
    detail?: string,
    code: "ApplyRejected" | "Timeout" = "ApplyRejected",
  ) =>
    new PhaseFailure({
      code,
      object: commandText(command.argv),
      message: `apply command "${commandTitle(command.argv)}" ${why}`,
      detail: detail ?? `${outcome.stderr.trim().split("\n").slice(-20).join("\n")}${quoted}`,
    });
  if (outcome.timedOut)
    throw fail(
      `timed out after ${upsertTimeoutMs / 1000}s: update_settings(k8s_upsert_timeout_secs=) allows more`,
      undefined,
      "Timeout",
    );
  if (outcome.exitCode !== 0) throw fail(`exited with status ${outcome.exitCode}`);
  try {
    const applied = parseApplied(outcome.stdout);
    session.scrubber.add(appliedSecrets(applied.map(({ object }) => object)));
    return applied;
  } catch (error) {
    if (error instanceof CancelledError || error instanceof EnvironmentError) throw error;
    throw fail(`printed no YAML of applied objects: ${(error as Error).message}`, quoted.trim());
  }
}

function imageVariables(resource: CustomResource, images: ImageTasks): Record<string, string> {
  return Object.fromEntries(
    resource.images.flatMap((ref, index) => {
      const result = images.built.get(ref);
      return [
        [`TILT_IMAGE_MAP_${index}`, ref],
        ...(result ? [[`TILT_IMAGE_${index}`, result.clusterRef]] : []),
      ] as [string, string][];
    }),
  );
}

/** The objects that an apply command printed. Throws a plain Error for what is no YAML or has no UID. */
function parseApplied(stdout: string): AppliedObject[] {
  const objects = parseYamlStream(stdout, { file: "stdout" }).flatMap(({ value }) => {
    if (value === null) return [];
    if (typeof value !== "object" || Array.isArray(value))
      throw new Error(`it holds ${JSON.stringify(value).slice(0, 100)}, which is no object`);
    const document = value as unknown as ApiObject | { items: ApiObject[] };
    return "items" in document && Array.isArray(document.items)
      ? document.items
      : [document as ApiObject];
  });
  if (objects.length === 0) throw new Error("it is empty");
  return objects.map((object) => {
    if (!object.metadata?.uid)
      throw new Error(
        `${object.kind ?? "an object"} ${object.metadata?.name ?? ""} has no UID: print what the API server returned`,
      );
    return appliedObject(object);
  });
}
