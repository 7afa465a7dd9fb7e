import { composeInput, composeSources } from "../manifests/compose-sources.ts";
import type { ComposeProject } from "../model/plan.ts";

/** The words before a subcommand that name the project: the same for every call. */
export function projectArgv(
  project: ComposeProject,
  cli: readonly string[] = ["docker", "compose"],
): string[] {
  return [
    ...cli,
    ...["--project-name", project.name, "--project-directory", project.directory],
    ...composeSources(project.files).flatMap((source) => ["--file", source]),
    ...(project.envFile ? ["--env-file", project.envFile] : []),
    ...project.profiles.flatMap((profile) => ["--profile", profile]),
  ];
}

/** What is fed on stdin: the compose files that the Tiltfile gave as text. */
export function projectInput(project: ComposeProject): string | undefined {
  return composeInput(project.files);
}

/** `up` of one service alone: its dependencies are resources of their own (tiltfile-api.md §6). */
export function upArgv(project: ComposeProject, service: string): string[] {
  const wait = project.wait ? ["--wait"] : [];
  return ["up", "--no-deps", "--no-build", "--detach", ...wait, service];
}
