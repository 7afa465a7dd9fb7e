import type { Graph, Task } from "../engine/index.ts";
import { CancelledError } from "../errors.ts";
import {
  type BuiltImage,
  type DeliveredImage,
  fingerprintInputs,
  type Images,
  type OtherBuild,
} from "../images/index.ts";
import type { RunEvent } from "../model/event.ts";
import type { ComposeResource, DockerBuild, ImageBuild, Plan } from "../model/plan.ts";
import type { RunCluster } from "./cluster.ts";
import type { TaskOutcome } from "./loop.ts";
import type { SentAhead } from "./send-ahead.ts";
import type { Session } from "./session.ts";

/** Image builds and deliveries of a run, with what they have brought so far. */
export interface ImageTasks {
  build(task: Task, signal: AbortSignal): Promise<TaskOutcome>;
  push(task: Task, signal: AbortSignal): Promise<TaskOutcome>;
  /** The build that Compose does for a service, once the commands that may change what it reads have ended. */
  buildOther(task: Task, build: OtherBuild, signal: AbortSignal): Promise<TaskOutcome>;
  /** Gives a Compose service's images the name under which it runs them. */
  tagFor(resource: ComposeResource, signal: AbortSignal): Promise<void>;
  /** Waits for other people's images of a resource that are on their way to the registry. */
  readonly sentAhead: SentAhead;
  /** Built images by ref, for what comes after. */
  readonly built: ReadonlyMap<string, BuiltImage>;
}

export function createImageTasks(
  session: Session,
  plan: Plan,
  graph: Graph,
  images: Images,
  cluster: RunCluster | undefined,
  sentAhead: SentAhead,
): ImageTasks {
  const byRef = new Map(plan.images.map((image) => [image.ref, image]));
  const built = new Map<string, BuiltImage>();
  const buildOnce = (image: ImageBuild, signal: AbortSignal) => images.build(image, built, signal);
  const inputs = (image: DockerBuild) => fingerprintInputs(image, session.privatePaths);

  /**
   * A build does not wait for the commands that may change what it reads: it starts at once, and when they are done
   * its inputs are looked at again. Unchanged, it stands; changed (or failed), it is done again, from the cache what
   * can be. A custom build may do anything, so it waits.
   */
  async function build(task: Task, signal: AbortSignal): Promise<TaskOutcome> {
    const image = byRef.get(task.subject!)!;
    const writersDone = () => commandsDone(session, graph, task.confirmAfter, signal);
    if (task.confirmAfter.length === 0) return keep(image, await buildOnce(image, signal));
    if (image.type === "custom") {
      await writersDone();
      return keep(image, await buildOnce(image, signal));
    }
    const before = await inputs(image);
    const first = await buildOnce(image, signal).then(
      (result) => ({ result }),
      (error: unknown) => {
        if (error instanceof CancelledError) throw error;
        return { error };
      },
    );
    const ran = await writersDone();
    if ("result" in first && (await inputs(image)) === before) return keep(image, first.result);
    if (!ran && "error" in first) throw first.error;
    session.notice(
      `${image.ref} is built again: ${task.confirmAfter.join(", ")} may have changed what it reads`,
      task.resource,
    );
    return keep(image, await buildOnce(image, signal));
  }

  function keep(image: ImageBuild, result: BuiltImage): TaskOutcome {
    built.set(image.ref, result);
    return {
      ...(result.cached ? { cached: true } : {}),
      facts: {
        ref: result.localRef,
        ...(result.local ? { imageId: result.local.id, size: result.local.size } : {}),
      },
    };
  }

  async function push(task: Task, signal: AbortSignal): Promise<TaskOutcome> {
    const result = built.get(task.subject!)!;
    const delivered = await images.deliver(result, signal);
    if (cluster?.lease && delivered.digest) prefetch(session, cluster, task, delivered);
    return {
      ...(delivered.cached ? { cached: true } : {}),
      facts: {
        ref: delivered.clusterRef,
        bytesUploaded: delivered.bytesUploaded,
        ...(delivered.digest ? { digest: delivered.digest } : {}),
      },
    };
  }

  async function buildOther(
    task: Task,
    other: OtherBuild,
    signal: AbortSignal,
  ): Promise<TaskOutcome> {
    await commandsDone(session, graph, task.confirmAfter, signal);
    const { cached } = await images.buildOther(other, signal);
    return cached ? { cached } : {};
  }

  async function tagFor(resource: ComposeResource, signal: AbortSignal): Promise<void> {
    for (const ref of resource.images) await images.tag(built.get(ref)!, resource.imageRef, signal);
  }

  return { build, buildOther, push, tagFor, sentAhead, built };
}

/** The nodes fetch an image while the control plane still boots; the kubelet would only begin after the apply. */
function prefetch(
  session: Session,
  cluster: RunCluster,
  task: Task,
  { clusterRef, layers }: DeliveredImage,
): void {
  const startedAt = session.now();
  const tell = (event: Pick<Extract<RunEvent, { type: "step" }>, "name">) =>
    session.log.append({
      type: "step",
      resource: task.resource,
      phase: "push",
      subject: task.subject!,
      startedAt,
      at: session.now(),
      ...event,
    });
  cluster.lease!.pull({ ref: clusterRef, layers }, session.signal).then(
    () => tell({ name: "pull into nodes" }),
    // The kubelet pulls it again and tells better what is wrong.
    () => tell({ name: "pull into nodes (failed, left to the kubelet)" }),
  );
}

/**
 * Waits until the commands of these resources have ended, whichever way. False when one did not succeed: then what
 * they write is not there to be read. Rejects with `CancelledError` when the signal fires.
 */
function commandsDone(
  session: Session,
  graph: Graph,
  names: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const open = new Set(
    names.flatMap(
      (name) =>
        graph.resources
          .get(name)
          ?.tasks.filter(({ phase }) => phase === "command" || phase === "test")
          .map(({ id }) => id) ?? [],
    ),
  );
  let passed = true;
  return new Promise((resolve, reject) => {
    const settle = () => {
      stop();
      resolve(passed);
    };
    const cancel = () => {
      stop();
      reject(new CancelledError());
    };
    const take = (event: RunEvent) => {
      if (event.type !== "phase-finished") return;
      if (!open.delete(`${event.resource}|${event.phase}`)) return;
      passed &&= event.status === "passed";
      if (open.size === 0) settle();
    };
    const unlisten = session.log.listen(take);
    const stop = () => {
      unlisten();
      signal.removeEventListener("abort", cancel);
    };
    if (signal.aborted) return cancel();
    signal.addEventListener("abort", cancel, { once: true });
    for (const event of session.log.events) take(event);
    if (open.size === 0) settle();
  });
}
