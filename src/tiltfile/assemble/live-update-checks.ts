import { isChild } from "../go/path.ts";
import type { RecordedImage, RecordedLiveUpdateStep } from "../recorded.ts";
import { TiltfileError } from "../tiltfile-error.ts";
import type { DraftResource } from "./draft-resource.ts";
import { withDependencies } from "./image-graph.ts";
import type { DraftImage } from "./image-index.ts";

/** A resource with what it runs, as far as live updates concern it. */
export interface LiveUpdated {
  readonly name: string;
  /** The builds of the images that it runs itself. */
  readonly images: readonly DraftImage[];
}

/**
 * Checks the live updates of images that are deployed: what they sync must be watched, that is, lie under the context
 * or the dependencies of the image or of one that it is built from.
 * @throws TiltfileError in Tilt's words
 */
export function checkLiveUpdates(resources: readonly LiveUpdated[]): void {
  for (const { name, images } of resources) {
    for (const image of images) {
      const { liveUpdate } = image.recorded;
      if (liveUpdate.length === 0) continue;
      const watched = withDependencies([image]).flatMap(({ recorded }) => watchedPaths(recorded));
      checkSteps(liveUpdate, watched, name);
    }
  }
}

/** Checks the live updates of k8s_custom_deploy against its `deps`. */
export function checkCustomDeployLiveUpdates(resources: readonly DraftResource[]): void {
  for (const { name, customDeploy } of resources) {
    if (customDeploy !== undefined) checkSteps(customDeploy.liveUpdate, customDeploy.deps, name);
  }
}

function watchedPaths(image: RecordedImage): readonly string[] {
  return image.type === "docker" ? [image.context] : image.deps;
}

function checkSteps(
  steps: readonly RecordedLiveUpdateStep[],
  watched: readonly string[],
  resource: string,
): void {
  const isWatched = (path: string) => watched.some((root) => isChild(root, path));
  const fail = (what: string, path: string, { position }: RecordedLiveUpdateStep) =>
    new TiltfileError(
      `${what} '${path}' is not a child of any watched filepaths ([${watched.join(" ")}])`,
      { positions: [position], resource },
    );
  for (const recorded of steps) {
    const { step } = recorded;
    if (step.type === "sync" && !isWatched(step.localPath)) {
      throw fail("sync step source", step.localPath, recorded);
    }
  }
  for (const recorded of steps) {
    const paths = recorded.step.type === "fall_back_on" ? recorded.step.paths : [];
    const outside = paths.find((path) => !isWatched(path));
    if (outside !== undefined) throw fail("fall_back_on paths", outside, recorded);
  }
}

/**
 * Refuses restart_container() in Kubernetes resources.
 * @throws TiltfileError
 */
export function checkRestartSteps(
  resources: readonly LiveUpdated[],
  neededBy: (images: readonly DraftImage[]) => DraftImage[],
): void {
  const restarting = resources.flatMap(({ name, images }) => {
    const step = neededBy(images)
      .flatMap(({ recorded }) => recorded.liveUpdate)
      .find((recorded) => recorded.step.type === "restart_container");
    return step === undefined ? [] : [{ name, position: step.position }];
  });
  if (restarting.length === 0) return;
  throw new TiltfileError(
    `Found \`restart_container()\` LiveUpdate step in resource(s): [${restarting.map(({ name }) => name).join(", ")}]. \`restart_container()\`  has been deprecated for k8s resources. We recommend the restart_process extension: https://github.com/tilt-dev/tilt-extensions/tree/master/restart_process. For more information, see https://docs.tilt.dev/live_update_reference.html#restarting-your-process`,
    { positions: restarting.map(({ position }) => position), resource: restarting[0]!.name },
  );
}

/**
 * Refuses live-update steps that no image uses.
 * @throws TiltfileError
 */
export function checkUnusedSteps(steps: readonly RecordedLiveUpdateStep[]): void {
  if (steps.length === 0) return;
  const lines = steps.map(({ position: { file, line, column }, text, typeName }) => {
    return `${file}:${line}:${column}: value '${text}' of type '${typeName}'`;
  });
  throw new TiltfileError(
    `found ${steps.length} live_update steps that were created but not used in a live_update:\n${lines.join("\n\t")}`,
    { positions: steps.map(({ position }) => position) },
  );
}
