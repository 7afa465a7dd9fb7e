import { join } from "node:path";
import { acquireReuse, chooseClusterName, useCurrentCluster } from "../cluster/index.ts";
import { createKindCluster, type RunCluster } from "./cluster.ts";
import { createCurrentCluster } from "./current-cluster.ts";
import type { Session } from "./session.ts";

export interface ChosenCluster {
  /** Absent with `--cluster none`. */
  readonly cluster: RunCluster | undefined;
  /** What the Tiltfile sees of it; a context that a run would make is known before it exists. */
  readonly kubeContext: {
    readonly name: string;
    readonly namespace: string;
    readonly allowed: boolean;
  };
}

/** Decides on the cluster without starting it: a Tiltfile without Kubernetes resources never does. */
export async function chooseCluster(session: Session): Promise<ChosenCluster> {
  const { cluster: choice, namespace = "default" } = session.options;
  if (choice.type === "none")
    return { cluster: undefined, kubeContext: { name: "", namespace, allowed: true } };
  if (choice.type === "current") {
    const current = await useCurrentCluster(choice, session.host);
    const cluster = createCurrentCluster(session, current);
    return {
      cluster,
      kubeContext: {
        name: current.context,
        namespace: session.options.namespace ?? current.namespace,
        allowed: current.allowed,
      },
    };
  }
  const reuse =
    choice.reuse === undefined
      ? undefined
      : await acquireReuse(choice.reuse, session.stateDir, session.host);
  if (reuse)
    session.cleanUps.push({
      name: `the lock of ${reuse.clusterName}`,
      close: () => reuse.release(),
    });
  const { name, warning } = reuse
    ? { name: reuse.clusterName, warning: undefined }
    : await chooseClusterName(choice.name, session.info.id, session.host, session.signal);
  if (warning) session.warn(warning);
  const directory = join(session.stateDir, reuse ? "reuse" : "clusters", name);
  if (!reuse) await session.record.add({ type: "path", path: directory });
  const cluster = createKindCluster(session, { choice, name, directory, reuse });
  return { cluster, kubeContext: { name: cluster.context, namespace, allowed: true } };
}
