import { EnvironmentError, messageOf } from "../errors.ts";
import { type AppliedObject, deleteObjects } from "../kubernetes/index.ts";
import { commandEnvironment } from "../local/index.ts";
import { commandTitle } from "../model/command-text.ts";
import type { CustomResource } from "../model/plan.ts";
import type { RunCluster } from "./cluster.ts";
import type { Surroundings } from "./commands.ts";
import { type ObjectRef, refOf } from "./earlier-objects.ts";
import type { Session } from "./session.ts";

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
  let earlier: readonly ObjectRef[] | undefined;
  let recording: Promise<void> = Promise.resolve();
  if (session.options.cluster.type === "current" && session.options.cleanup) {
    session.cleanUps.push({
      name: "what was applied",
      close: async () => {
        if (applied.length === 0) return;
        const connection = await cluster.api(AbortSignal.timeout(10_000));
        const { failures } = await deleteObjects(connection, applied, {
          wait: true,
          signal: AbortSignal.timeout(120_000),
        });
        if (failures.length > 0)
          throw new EnvironmentError(failures.join("; "), { hint: "Delete it with kubectl." });
      },
    });
  }
  return (object) => {
    // What could not be deleted is still there. It is known by now: nothing is applied before that is through.
    earlier ??= cluster.reuse?.objects ?? [];
    applied.push(refOf(object));
    const known = [...earlier, ...applied];
    recording = recording
      .then(() => cluster.reuse?.recordObjects(known))
      .catch((error: unknown) =>
        session.warn(`Cannot record what was applied: ${messageOf(error)}`),
      );
  };
}

const DELETE_TIMEOUT_MS = 120_000;

/**
 * With `--cleanup`, custom deploys take away at the end what they brought: only their `delete_cmd` knows of all of it.
 * Call the returned function before the apply command of one starts.
 */
export function runDeleteCommandsAtEnd(
  session: Session,
  surroundings: Surroundings,
): (resource: CustomResource) => void {
  const { options, unmarkedHost: host } = session;
  if (options.cluster.type !== "current" || !options.cleanup) return () => undefined;
  return ({ name, deleteCmd: { argv, dir, env } }) => {
    session.cleanUps.push({
      name: `${name} by its delete_cmd`,
      close: async () => {
        const { exitCode, stderr, timedOut } = await host.run(argv, {
          cwd: dir,
          env: commandEnvironment(surroundings(), env),
          timeoutMs: DELETE_TIMEOUT_MS,
        });
        if (exitCode === 0) return;
        const end = timedOut ? "timed out" : `exited with status ${exitCode}`;
        const said = stderr.trim().split("\n").slice(-5).join("\n");
        throw new EnvironmentError(`"${commandTitle(argv)}" ${end}\n${said}`.trim(), {
          hint: "Delete what is left with the tool that deployed it.",
        });
      },
    });
  };
}
