import type { ComposeProject } from "../model/plan.ts";

type ComposeFiles = ComposeProject["files"];

/**
 * What Compose is told to read, in order: paths, and `-` for the texts of a Tiltfile. It reads standard input once, so
 * that all texts are found where the first of them stands.
 */
export function composeSources(files: ComposeFiles): string[] {
  const firstText = files.findIndex((file) => "content" in file);
  return files.flatMap((file, index) => {
    if ("path" in file) return [file.path];
    return index === firstText ? ["-"] : [];
  });
}

/** What stands behind `-`: the texts as documents of one stream, which Compose merges as it merges files. */
export function composeInput(files: ComposeFiles): string | undefined {
  const texts = files.flatMap((file) => ("content" in file ? [file.content] : []));
  if (texts.length === 0) return undefined;
  // A text may begin with the mark itself; an empty document is no project.
  return texts.map((text) => text.replace(/^\s*---[ \t]*\r?\n/, "")).join("\n---\n");
}
