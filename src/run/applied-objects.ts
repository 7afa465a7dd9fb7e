import { deleteObjects } from "../kubernetes/index.ts";
import type { RunCluster } from "./cluster.ts";
import type { Session } from "./session.ts";

/** An object by which it can be found and deleted again. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/**
 * Keeps account of what is applied to a cluster that outlives the run: on a reused one it is recorded for the next
 * run to delete, on the current one it is deleted at the end if `--cleanup` asks for it. Call the returned function
 * before each apply.
 */
export function deleteAppliedAtEnd(
  session: Session,
  cluster: RunCluster,
): (objects: readonly ObjectRef[]) => Promise<void> {
  const applied: ObjectRef[] = [];
  if (session.options.cluster.type === "current" && session.options.cleanup) {
    session.cleanUps.push({
      name: "applied objects",
      close: async () => {
        if (applied.length > 0)
          await deleteObjects(await cluster.api(AbortSignal.timeout(10_000)), applied, {
            wait: true,
          });
      },
    });
  }
  return async (objects) => {
    applied.push(...objects);
    await cluster.reuse?.recordObjects([...applied]);
  };
}
