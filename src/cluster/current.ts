import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { load } from "js-yaml";
import { EnvironmentError, messageOf, UsageError } from "../errors.ts";
import type { Host } from "../host/host.ts";

/** What made a cluster, as Tilt tells it. `unknown`: none that is made for development. */
export type ClusterProduct =
  | "kind"
  | "k3d"
  | "minikube"
  | "docker-desktop"
  | "microk8s"
  | "rancher-desktop"
  | "colima"
  | "orbstack"
  | "crc"
  | "krucible"
  | "unknown";

/** A cluster that was there before the run, from a kubeconfig. */
export interface CurrentCluster {
  readonly context: string;
  /** The cluster's name in the kubeconfig: `kind-dev`. */
  readonly clusterName: string;
  readonly namespace: string;
  readonly product: ClusterProduct;
  /** A development cluster: Tiltfiles may use it without `allow_k8s_contexts`. */
  readonly allowed: boolean;
  /** The file that holds the context, for `KUBECONFIG` of child processes. */
  readonly kubeconfig: string;
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly clusters?: readonly {
    readonly name?: string;
    readonly cluster?: { readonly "certificate-authority"?: string };
  }[];
  readonly contexts?: readonly {
    readonly name?: string;
    readonly context?: { readonly cluster?: string; readonly namespace?: string };
  }[];
}

/**
 * The context of `--context`, or the current one, in `--kubeconfig`, `KUBECONFIG` or `~/.kube/config`.
 * Throws `UsageError` for a context that is not there, `EnvironmentError` when there is no usable kubeconfig.
 */
export async function useCurrentCluster(
  options: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  { env, cwd }: Pick<Host, "env" | "cwd">,
): Promise<CurrentCluster> {
  const paths = kubeconfigPaths(options.kubeconfig, env);
  const files = await readKubeconfigs(paths, cwd);
  if (files.length === 0)
    throw new EnvironmentError(`There is no kubeconfig at ${paths.join(delimiter)}`, {
      hint: "Set KUBECONFIG, or let tilt-ci make a cluster with --cluster kind",
    });
  // as kubectl merges: of every value the first file that has it
  const wanted =
    options.context ?? files.map(({ config }) => config["current-context"]).find(Boolean);
  if (!wanted)
    throw new EnvironmentError("The kubeconfig has no current context", {
      hint: "Give --context, or set one: kubectl config use-context NAME",
    });
  for (const { path, config } of files) {
    const found = config.contexts?.find(({ name }) => name === wanted)?.context;
    if (!found) continue;
    const clusterName = found.cluster ?? wanted;
    const product = productOf(clusterName, {
      home: env.HOME || homedir(),
      kubeconfig: path,
      certificateAuthority: authorityOf(clusterName, files),
    });
    return {
      context: wanted,
      clusterName,
      namespace: found.namespace || "default",
      product,
      allowed: product !== "unknown",
      kubeconfig: paths.length === 1 ? path : paths.join(delimiter),
    };
  }
  throw new UsageError(
    `The kubeconfig has no context "${wanted}"`,
    "List them: kubectl config get-contexts",
  );
}

function authorityOf(
  clusterName: string,
  files: readonly { readonly config: Kubeconfig }[],
): string | undefined {
  return files
    .flatMap(({ config }) => config.clusters ?? [])
    .find(({ name }) => name === clusterName)?.cluster?.["certificate-authority"];
}

function kubeconfigPaths(flag: string | undefined, env: Host["env"]): readonly string[] {
  if (flag) return [flag];
  const listed = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  return listed.length > 0 ? listed : [join(env.HOME || homedir(), ".kube", "config")];
}

async function readKubeconfigs(
  paths: readonly string[],
  cwd: string,
): Promise<readonly { readonly path: string; readonly config: Kubeconfig }[]> {
  const files: { path: string; config: Kubeconfig }[] = [];
  for (const path of paths) {
    const absolute = path.startsWith("/") ? path : join(cwd, path);
    try {
      const config = (load(await readFile(absolute, "utf8")) ?? {}) as Kubeconfig;
      files.push({ path: absolute, config });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue; // as kubectl does
      throw new EnvironmentError(`Cannot read the kubeconfig ${path}: ${messageOf(error)}`);
    }
  }
  return files;
}

const PREFIXES: readonly (readonly [prefix: string, product: ClusterProduct])[] = [
  ["minikube", "minikube"],
  ["docker-for-desktop-cluster", "docker-desktop"],
  ["docker-desktop", "docker-desktop"],
  ["kind-", "kind"],
  ["microk8s-cluster", "microk8s"],
  ["api-crc-testing", "crc"],
  ["krucible-", "krucible"],
  ["k3d-", "k3d"],
  ["rancher-desktop", "rancher-desktop"],
  ["colima", "colima"],
  ["orbstack", "orbstack"],
];

/**
 * The product that writes such entries into a kubeconfig: by the cluster's name first, as Tilt's clusterid does,
 * then by where its files are.
 */
export function productOf(
  clusterName: string,
  {
    home = "",
    kubeconfig = "",
    certificateAuthority = "",
  }: {
    readonly home?: string | undefined;
    readonly kubeconfig?: string | undefined;
    readonly certificateAuthority?: string | undefined;
  } = {},
): ClusterProduct {
  if (clusterName === "kind") return "kind";
  const byName = PREFIXES.find(([prefix]) => clusterName.startsWith(prefix))?.[1];
  if (byName) return byName;
  // GKE names start with gke_: no development cluster, like all others
  if (home && kubeconfig.startsWith(`${join(home, ".config", "k3d")}/`)) return "k3d";
  if (home && certificateAuthority.startsWith(`${join(home, ".minikube")}/`)) return "minikube";
  // where old versions of kind put a cluster's kubeconfig
  if (basename(kubeconfig).startsWith("kind-config-")) return "kind";
  return "unknown";
}
