import type { Plan } from "../model/plan.ts";

/** A line that git gives a pre-push hook on stdin. */
export interface PushedRef {
  readonly localRef: string;
  readonly localOid: string;
  readonly remoteRef: string;
  readonly remoteOid: string;
}

const isZero = (oid: string) => /^0+$/.test(oid);

/** Reads what git hands a pre-push hook (githooks(5)); lines of another shape are passed over. */
export function parsePushedRefs(stdin: string): PushedRef[] {
  return stdin.split("\n").flatMap((line) => {
    const [localRef, localOid, remoteRef, remoteOid, more] = line.trim().split(/\s+/);
    if (!localRef || !localOid || !remoteRef || !remoteOid || more !== undefined) return [];
    return [{ localRef, localOid, remoteRef, remoteOid }];
  });
}

/** Branches whose new commits are worth a test: no deletions, no tags. */
export function testable(refs: readonly PushedRef[]): PushedRef[] {
  return refs.filter(
    ({ localOid, remoteRef }) => !isZero(localOid) && !remoteRef.startsWith("refs/tags/"),
  );
}

/** The `git` words that list the files a push changes: against what the remote has, else what no remote branch has. */
export function changedFilesArgv({ localOid, remoteOid }: PushedRef, remote: string): string[] {
  if (!isZero(remoteOid)) return ["git", "diff", "--name-only", "-z", `${remoteOid}...${localOid}`];
  return ["git", "log", "--name-only", "-z", "--format=", localOid, "--not", `--remotes=${remote}`];
}

/**
 * Whether changed files (absolute) can matter to a plan: files its evaluation read, build contexts, dependencies of
 * commands. A plan that runs commands without naming what they read may be affected by anything.
 */
export function isAffected(plan: Plan, changed: readonly string[]): boolean {
  const roots = [
    plan.tiltfile,
    ...plan.environment.files,
    ...plan.images.flatMap((image) =>
      image.type === "docker" ? [image.context, image.dockerfile ?? image.context] : image.deps,
    ),
    ...plan.resources.flatMap((resource) =>
      resource.type === "local" || resource.type === "custom" ? resource.deps : [],
    ),
    ...plan.composeProjects.flatMap((project) =>
      project.files.flatMap((file) => ("path" in file ? [file.path] : [])),
    ),
  ];
  const opaque =
    plan.environment.commands.length > 0 ||
    plan.resources.some(
      (resource) => resource.type === "local" && resource.enabled && resource.deps.length === 0,
    );
  if (opaque) return changed.length > 0;
  return changed.some((file) =>
    roots.some((root) => file === root || file.startsWith(root.endsWith("/") ? root : `${root}/`)),
  );
}
