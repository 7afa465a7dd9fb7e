import type { RunEvent } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import { plansNoMakers } from "./nobody-else.ts";
import { mayStillAppear } from "./on-its-way.ts";

/** The API server calls webhooks by the name of their Service, and says so when that fails. */
const CALLED =
  /webhook\b.* Post "https:\/\/(?<name>[a-z0-9-]+)\.(?<namespace>[a-z0-9-]+)\.svc[:/]/s;
const HAS_NO_SERVICE = /: service "[^"]+" not found/;

/** The resource of this run that serves the webhook whose failed call a message tells of. */
export function webhookServer(
  message: string,
  { resources }: Pick<Plan, "resources">,
): string | undefined {
  const called = CALLED.exec(message)?.groups;
  return resources.find(
    (resource) =>
      resource.type === "k8s" &&
      resource.enabled &&
      resource.autoInit &&
      resource.objects.some(
        ({ object: { kind, metadata } }) =>
          kind === "Service" &&
          metadata.name === called?.name &&
          (metadata.namespace ?? called?.namespace) === called?.namespace,
      ),
  )?.name;
}

/**
 * Whether the webhook whose failed call a message tells of may still answer; true for messages of anything else. One that
 * this run serves does not once its resource has failed; one without a Service does not, in a cluster of the run's own,
 * when nothing of the run may make that.
 */
export function mayStillAnswer(
  message: string,
  plan: Pick<Plan, "resources" | "directory">,
  events: readonly RunEvent[],
  isOwnCluster: boolean,
): boolean {
  const called = CALLED.exec(message)?.groups;
  if (called === undefined) return true;
  const server = webhookServer(message, plan);
  if (server !== undefined)
    return !events.some(
      (event) =>
        event.type === "phase-finished" &&
        event.resource === server &&
        (event.status === "failed" || event.status === "error"),
    );
  if (!isOwnCluster || !HAS_NO_SERVICE.test(message) || !plansNoMakers(plan)) return true;
  const missed = { kind: "Service", namespace: called.namespace!, name: called.name! };
  return mayStillAppear(missed, plan, events);
}
