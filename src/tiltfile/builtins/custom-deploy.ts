import { parseImageReference } from "../../manifests/image-reference.ts";
import { types, type Value } from "../../starlark/index.ts";
import { kinds, labelled, pathTypes, toCommand } from "../arguments.ts";
import type { BuiltinTable, Call } from "../builtin.ts";
import type { Evaluation } from "../evaluation.ts";
import { goQuote } from "../go/quote.ts";
import { liveUpdateSteps } from "../live-update.ts";
import { claimImage, imageRefs } from "./docker.ts";

/** k8s_custom_deploy: the resource exists at once, k8s_resource can tune it. */
export function customDeployBuiltins(evaluation: Evaluation): BuiltinTable {
  const { paths } = pathTypes(evaluation);
  const spec = {
    name: types.string,
    apply_cmd: types.value,
    delete_cmd: types.value,
    deps: paths,
    "image_selector?": types.string,
    "live_update?": types.value,
    "apply_dir?": types.value,
    "apply_env?": kinds.textMap,
    "apply_cmd_bat?": types.value,
    "delete_dir?": types.value,
    "delete_env?": kinds.textMap,
    "delete_cmd_bat?": types.value,
    "container_selector?": types.string,
    "image_deps?": imageRefs,
  } as const;
  return {
    k8s_custom_deploy(call) {
      const given = call.unpack(spec);
      const applyCmd = deployCommand(evaluation, "apply_cmd", {
        command: given.apply_cmd,
        dir: given.apply_dir,
        env: given.apply_env,
      });
      const deleteCmd = deployCommand(evaluation, "delete_cmd", {
        command: given.delete_cmd,
        dir: given.delete_dir,
        env: given.delete_env,
      });
      const liveUpdate = labelled("live_update", () =>
        liveUpdateSteps(evaluation, given.live_update),
      );
      evaluation.refuseCommand(`k8s_custom_deploy(${goQuote(given.name)})`);
      labelled(`error making resource for ${given.name}`, () =>
        evaluation.checkNameIsFree(given.name),
      );
      const { image_selector, container_selector } = given;
      // The resource is there even if its selector is wrong, as in Tilt.
      evaluation.sync.needsCluster?.();
      evaluation.customDeploys.push({
        name: given.name,
        position: call.position(),
        applyCmd,
        deleteCmd,
        deps: given.deps,
        ...(image_selector ? { imageSelector: image_selector } : {}),
        ...(container_selector ? { containerSelector: container_selector } : {}),
        imageDeps: given.image_deps ?? [],
        liveUpdate,
      });
      if (liveUpdate.length > 0) {
        claimSelected(evaluation, call, given.name, image_selector, container_selector);
      }
      return null;
    },
  };
}

function deployCommand(
  evaluation: Evaluation,
  name: string,
  parts: { command: Value; dir: Value | undefined; env: Record<string, string> | undefined },
) {
  const command = labelled(name, () => toCommand(evaluation, parts));
  if (command.argv.length === 0) throw new Error(`k8s_custom_deploy: ${name} cannot be empty`);
  return command;
}

/** The live update of a deploy belongs to an image: the one selected, or one made up for the container. */
function claimSelected(
  evaluation: Evaluation,
  call: Call,
  name: string,
  imageSelector: string | undefined,
  containerSelector: string | undefined,
): void {
  const parse = (ref: string) =>
    labelled(`can't parse ${goQuote(ref)}`, () => parseImageReference(ref));
  const image = imageSelector ? parse(imageSelector) : undefined;
  const container = containerSelector ? parse(`k8s_custom_deploy:${name}`) : undefined;
  if (image !== undefined && container !== undefined) {
    throw new Error(`${call.name}: cannot specify more than one Live Update selector`);
  }
  const reference = image ?? container;
  if (reference === undefined) throw new Error(`${call.name}: no Live Update selector specified`);
  claimImage(evaluation, reference);
}
