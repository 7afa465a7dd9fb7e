import { messageOf } from "../errors.ts";
import { type AppliedObject, deleteObjects } from "../kubernetes/index.ts";
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
 * for each object that was applied.
 */
export function deleteAppliedAtEnd(
  session: Session,
  cluster: RunCluster,
): (object: AppliedObject) => void {
  const applied: ObjectRef[] = [];
  let recording: Promise<void> = Promise.resolve();
  if (session.options.cluster.type === "current" && session.options.cleanup) {
    session.cleanUps.push({
      name: "applied objects",
      close: async () => {
        if (applied.length > 0)
          await deleteObjects(await cluster.api(AbortSignal.timeout(10_000)), applied, {
            wait: true,
            signal: AbortSignal.timeout(120_000),
          });
      },
    });
  }
  return ({ apiVersion, kind, name, namespace }) => {
    applied.push({ apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) });
    const known = [...applied];
    recording = recording
      .then(() => cluster.reuse?.recordObjects(known))
      .catch((error: unknown) =>
        session.warn(`Cannot record what was applied: ${messageOf(error)}`),
      );
  };
}
