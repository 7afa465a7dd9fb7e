import { type BringUpHooks, bakeNode, type WarmOptions } from "../cluster/index.ts";
import type { ClusterChoice } from "../run-options.ts";
import type { Session } from "./session.ts";

/** How the cluster may start from a baked node; `undefined` with `--warm never`. */
export function warmOptions(
  session: Pick<Session, "host" | "signal" | "stateDir">,
  choice: Extract<ClusterChoice, { type: "kind" }>,
  { onLine, onWarning }: BringUpHooks,
): WarmOptions | undefined {
  const { warm: mode, warmNode, nodeImage, kubernetesVersion, kindConfig: kindConfigFile } = choice;
  if (mode === "never") return undefined;
  const { host, signal, stateDir } = session;
  const options = { stateDir, nodeImage, kubernetesVersion, kindConfigFile, signal };
  return {
    mode,
    image: warmNode,
    bake: () =>
      bakeNode(options, host, {
        onLine: (text) => onLine?.(text),
        onWarning: (message) => onWarning?.(message),
      }),
    bakeCommand: [
      "tilt-ci node bake",
      ...(nodeImage === undefined ? [] : [`--node-image ${nodeImage}`]),
      ...(kubernetesVersion === undefined ? [] : [`--k8s-version ${kubernetesVersion}`]),
      ...(kindConfigFile === undefined ? [] : [`--kind-config ${kindConfigFile}`]),
    ].join(" "),
  };
}
