import { type DockerfileImage, dockerfileImages } from "../manifests/dockerfile.ts";
import type { ImageReference } from "../manifests/image-reference.ts";
import type { DockerBuild } from "../model/plan.ts";

/**
 * The image from outside whose layers lie at the bottom of a build's result: the root of its target stage, followed
 * through the stages of the file. Undefined for `scratch` and for what is no reference.
 */
export function rootImage({
  dockerfileContents,
  buildArgs,
  target,
}: Pick<DockerBuild, "dockerfileContents" | "buildArgs" | "target">): ImageReference | undefined {
  const lines = dockerfileContents.split(/\r\n|\r|\n/);
  const stages = dockerfileImages(dockerfileContents, buildArgs)
    .filter(({ instruction }) => instruction === "FROM")
    .map((from) => ({ from, name: stageName(lines[from.line] ?? "") }));
  const wanted = target?.toLowerCase();
  let index = stages.findIndex(
    ({ name }, at) => wanted !== undefined && (name === wanted || String(at) === wanted),
  );
  if (index < 0) index = stages.length - 1;
  let stage = stages[index];
  while (stage) {
    const { written } = stage.from;
    const parent = stages
      .slice(0, index)
      .findLastIndex(({ name }) => name === written.toLowerCase());
    if (parent < 0) return outsideImage(stage.from);
    index = parent;
    stage = stages[parent];
  }
  return undefined;
}

function outsideImage({ written, reference }: DockerfileImage): ImageReference | undefined {
  return written === "scratch" ? undefined : reference;
}

function stageName(line: string): string | undefined {
  return /^\s*FROM\s.*\sAS\s+(\S+)\s*$/i.exec(line)?.[1]?.toLowerCase();
}
