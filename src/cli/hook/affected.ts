import { inputsAmong } from "../../images/index.ts";
import type { DockerBuild, Plan } from "../../model/plan.ts";

/** What the Tiltfile's own builtins run: the files they read are on record. */
const READERS = [/^helm$/, /^(.*\/)?kustomize$/, /^kubectl$/, /^docker(-compose)?$/];

/**
 * The first changed file (absolute paths) that can matter to a plan, or `undefined`: one that its evaluation read, one
 * in a build context that no ignore pattern leaves out, a dependency of a command. A plan with commands that do not
 * say what they read may depend on anything.
 */
export async function affectedBy(
  plan: Plan,
  changed: readonly string[],
): Promise<string | undefined> {
  if (changed.length === 0) return undefined;
  if (isOpaque(plan)) return changed[0];
  const read = [
    plan.tiltfile,
    ...plan.environment.files,
    ...plan.images.flatMap((image) =>
      image.type === "docker" ? (image.dockerfile ?? []) : image.deps,
    ),
    ...plan.resources.flatMap((resource) =>
      resource.type === "local" || resource.type === "custom" ? resource.deps : [],
    ),
    ...plan.composeProjects.flatMap(({ files, envFile }) => [
      ...files.flatMap((file) => ("path" in file ? [file.path] : [])),
      ...(envFile ? [envFile] : []),
    ]),
  ];
  const direct = changed.find((file) => read.some((root) => isIn(file, root)));
  if (direct !== undefined) return direct;
  for (const image of plan.images.filter((one): one is DockerBuild => one.type === "docker")) {
    const [first] = await inputsAmong(image, changed);
    if (first !== undefined) return first;
  }
  return undefined;
}

function isOpaque({ environment, resources, images }: Plan): boolean {
  return (
    environment.commands.some(([program = ""]) => !READERS.some((known) => known.test(program))) ||
    resources.some(
      (resource) =>
        resource.enabled &&
        ((resource.type === "local" && resource.deps.length === 0) ||
          (resource.type === "custom" && resource.deps.length === 0) ||
          (resource.type === "compose" && resource.composeBuild)),
    ) ||
    images.some((image) => image.type === "custom" && image.deps.length === 0)
  );
}

function isIn(file: string, root: string): boolean {
  return file === root || file.startsWith(root.endsWith("/") ? root : `${root}/`);
}
