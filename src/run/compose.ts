import { type ComposeStack, createComposeStack } from "../compose/index.ts";
import type { OtherBuild } from "../images/index.ts";
import type { ComposeResource, Plan } from "../model/plan.ts";
import { withoutPrivateFiles } from "./compose-context.ts";
import type { Session } from "./session.ts";

/** The Compose services of a plan; their projects are on record before anything of them is created. */
export function startCompose(session: Session, plan: Plan): ComposeStack {
  const { host, log, record, options } = session;
  const stack = createComposeStack(
    {
      projects: plan.composeProjects,
      resources: plan.resources.filter(
        (resource): resource is ComposeResource => resource.type === "compose",
      ),
      env: plan.environment.env,
      semantics: options.policy.semantics,
    },
    host,
    {
      onLine: (resource, phase, text) =>
        session.line({ resource, phase, level: "info", source: "runtime", text }),
      onObservation: (resource, observation) =>
        log.append({ type: "observed", at: session.now(), resource, observation }),
      onLost: (error) => session.broken.abort(error),
      onMaking: (name, attempt) => record.add({ type: "making", name, attempt }),
      onMade: (name, attempt) => record.add({ type: "made", name, attempt }),
      onClaim: async ({ name, inUse, parts }) => {
        if (inUse)
          return session.notice(
            `Compose project ${name} has containers from before this run: it is left up at the end`,
          );
        await record.add({ type: "compose", name, cli: "docker", standing: parts });
        keepable(session, name);
      },
    },
  );
  session.closables.push({ name: "the watch of Compose services", close: () => stack.close() });
  return stack;
}

/** The image that Compose builds for a service. */
export function composeBuild(
  resource: ComposeResource,
  stack: ComposeStack,
  around: Pick<Session, "privatePaths" | "temporaryDirectory">,
): OtherBuild {
  return {
    ref: resource.imageRef,
    position: resource.position,
    run: async (onLine, signal) =>
      stack.build(resource, onLine, signal, await withoutPrivateFiles(resource, around)),
  };
}

/** With `--keep` services stay like a cluster does. */
function keepable(session: Session, project: string): void {
  const { kept } = session;
  session.kept = {
    settle: async () => kept?.settle(),
    isReused: kept?.isReused === true,
    describe: async () =>
      [
        ...(kept ? [await kept.describe()] : []),
        `The services of Compose project ${project} stay. To see them:`,
        `  docker compose --project-name ${project} ps`,
        "To remove them:",
        `  tilt-ci down ${session.info.id}`,
      ].join("\n"),
  };
}
