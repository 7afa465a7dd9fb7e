import type { ComposeProject } from "../model/plan.ts";

/** The words before a subcommand that name the project: the same for every call. */
export function projectArgv(
  project: ComposeProject,
  cli: readonly string[] = ["docker", "compose"],
): string[] {
  return [
    ...cli,
    ...["--project-name", project.name, "--project-directory", project.directory],
    ...project.files.flatMap((file) => ["--file", "path" in file ? file.path : "-"]),
    ...(project.envFile ? ["--env-file", project.envFile] : []),
    ...project.profiles.flatMap((profile) => ["--profile", profile]),
  ];
}

/** What is fed on stdin: a compose file that the Tiltfile gave as text. */
export function projectInput(project: ComposeProject): string | undefined {
  return project.files.find((file) => "content" in file)?.content;
}

/** `up` of one service alone: its dependencies are resources of their own (tiltfile-api.md §6). */
export function upArgv(project: ComposeProject, service: string): string[] {
  const wait = project.wait ? ["--wait"] : [];
  return ["up", "--no-deps", "--no-build", "--detach", ...wait, service];
}
