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

/** Branches whose commits are worth a test, one for each commit: no deletions, no tags. */
export function testable(refs: readonly PushedRef[]): PushedRef[] {
  const seen = new Set<string>();
  return refs.filter(({ localOid, remoteRef }) => {
    if (isZero(localOid) || remoteRef.startsWith("refs/tags/") || seen.has(localOid)) return false;
    seen.add(localOid);
    return true;
  });
}

/**
 * The `git` words that list the files a push changes: against what the remote branch has, for a new branch what is in
 * commits that no branch of the remote has.
 */
export function changedFilesArgv({ localOid, remoteOid }: PushedRef, remote: string): string[] {
  if (!isZero(remoteOid))
    return ["diff", "--name-only", "--no-renames", "-z", remoteOid, localOid, "--"];
  const isNew = ["--not", `--remotes=${remote}`];
  return ["log", "-m", "--name-only", "--no-renames", "-z", "--format=", localOid, ...isNew, "--"];
}

/** The paths of that list, each once. */
export function parseChangedFiles(stdout: string): string[] {
  return [...new Set(stdout.split("\0").map((path) => path.replace(/^\n+/, "")))].filter(Boolean);
}
