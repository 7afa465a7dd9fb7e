/** Go's path/filepath for Unix: Node's path differs in join, base, dirname and trailing slashes. */

export function isAbsolute(path: string): boolean {
  return path.startsWith("/");
}

/** filepath.Clean: the shortest equivalent path, `.` for an empty one. */
export function clean(path: string): string {
  if (path === "") return ".";
  const rooted = isAbsolute(path);
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!rooted) parts.push("..");
  }
  if (rooted) return `/${parts.join("/")}`;
  return parts.length === 0 ? "." : parts.join("/");
}

/** filepath.Join: an absolute later part does not start anew; empty parts are left out; "" when all are empty. */
export function join(...parts: readonly string[]): string {
  const first = parts.findIndex((part) => part !== "");
  return first < 0 ? "" : clean(parts.slice(first).join("/"));
}

/** filepath.Dir. */
export function dirname(path: string): string {
  return clean(path.slice(0, path.lastIndexOf("/") + 1));
}

/** filepath.Base. */
export function basename(path: string): string {
  if (path === "") return ".";
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return "/";
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/**
 * filepath.Rel.
 * @throws Error in Go's words when there is no such path.
 */
export function relative(base: string, target: string): string {
  const from = clean(base);
  const to = clean(target);
  if (from === to) return ".";
  const fromParts = from === "." ? [] : from.split("/").filter((part) => part !== "");
  const toParts = to.split("/").filter((part) => part !== "");
  if (isAbsolute(from) !== isAbsolute(to)) throw cannotRelate(base, target);
  let common = 0;
  while (common < fromParts.length && fromParts[common] === toParts[common]) common++;
  const up = fromParts.slice(common);
  if (up.includes("..")) throw cannotRelate(base, target);
  const rest = toParts.slice(common).filter((part) => part !== ".");
  return [...up.map(() => ".."), ...rest].join("/") || ".";
}

function cannotRelate(base: string, target: string): Error {
  return new Error(`Rel: can't make ${target} relative to ${base}`);
}

/** Whether `path` is `directory` or lies under it (both clean, absolute). */
export function isChild(directory: string, path: string): boolean {
  if (directory === path) return true;
  const prefix = directory.endsWith("/") ? directory : `${directory}/`;
  return path.startsWith(prefix);
}
