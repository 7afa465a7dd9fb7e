import { contextOf } from "./kubeconfig.ts";

/** What `--keep` prints at the end of a run: how to use the cluster, and how to be rid of it. */
export function keepInstructions({
  run,
  clusterName,
  kubeconfig,
  registryHost,
}: {
  readonly run: string;
  readonly clusterName: string;
  readonly kubeconfig: string;
  readonly registryHost?: string | undefined;
}): string {
  return [
    `The cluster ${clusterName} stays. To use it:`,
    `  export KUBECONFIG=${shellWord(kubeconfig)}`,
    `  kubectl --context ${contextOf(clusterName)} get pods --all-namespaces`,
    ...(registryHost ? [`Its registry is ${registryHost}.`] : []),
    "To remove it:",
    `  tilt-ci down ${run}`,
  ].join("\n");
}

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
