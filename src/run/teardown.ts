import { rm } from "node:fs/promises";
import { teardown } from "../cluster/index.ts";
import { EnvironmentError, messageOf } from "../errors.ts";
import { CLUSTER_SUBJECT } from "../model/result.ts";
import { type Closable, clusterStep, phase, type Session, tellCluster } from "./session.ts";
import type { RunVerdict } from "./verdict.ts";

/**
 * Leaves nothing behind, or says what is left. Everything is tried, whatever fails. Not cancelled by the run's
 * signal: clean-up outlives a cancel. Returns whether all of it went well.
 */
export async function tearDown(session: Session, verdict: RunVerdict): Promise<boolean> {
  const { keep } = session.options;
  const stays =
    session.kept !== undefined &&
    (session.options.leaveTeardown ||
      keep === "always" ||
      (keep === "on-failure" && verdict.verdict !== "passed"));
  // One of --reuse that is cut off half made would be made anew by every run. Its failure is told by its own phase.
  if (stays || session.kept?.isReused) await session.kept?.settle().catch(() => {});
  if (stays) tellCluster(session, { stays });
  session.over.abort();
  try {
    await phase(session, CLUSTER_SUBJECT, "teardown", () => work(session, stays, verdict));
    return true;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    // why is told by its phase
    session.warn(`Not everything is removed. ${error.hint ?? ""}`.trimEnd());
    return false;
  } finally {
    if (stays && session.kept && !session.options.leaveTeardown)
      session.notice(await session.kept.describe());
    if (verdict.verdict === "passed") for (const hint of session.hints) session.notice(hint);
  }
}

async function work(session: Session, stays: boolean, verdict: RunVerdict): Promise<void> {
  const failures: string[] = [];
  const hints = new Set<string>();
  const finishIt = `Finish it with: tilt-ci down ${session.info.id}`;
  for (const closables of [session.closables, session.cleanUps, session.connections])
    for (const { message, hint } of await closeAll(closables, verdict)) {
      failures.push(message);
      hints.add(hint ?? finishIt);
    }
  if (stays) {
    await session.record.add({ type: "kept" });
    await rm(session.temporaryDirectory, { recursive: true, force: true });
  } else {
    const { failures: left } = await teardown(session.record, session.unmarkedHost, {
      onStep: clusterStep(session, "teardown"),
    });
    failures.push(...left);
    if (left.length > 0) hints.add(finishIt);
  }
  if (failures.length > 0)
    throw new EnvironmentError(failures.join("; "), { hint: [...hints].join(" ") });
}

async function closeAll(
  closables: readonly Closable[],
  verdict: RunVerdict,
): Promise<{ readonly message: string; readonly hint: string | undefined }[]> {
  const outcomes = await Promise.allSettled(closables.map(({ close }) => close(verdict)));
  return outcomes.flatMap((outcome, index) => {
    if (outcome.status === "fulfilled") return [];
    const { reason } = outcome;
    const message = `Cannot end ${closables[index]!.name}: ${messageOf(reason)}`;
    return [{ message, hint: reason instanceof EnvironmentError ? reason.hint : undefined }];
  });
}
