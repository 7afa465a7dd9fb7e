import { relative } from "node:path";
import { formatPosition, type Position } from "../../model/position.ts";

/** `Tiltfile:3:1`: a position with its file relative to a directory, or absolute when it lies outside. */
export function relativePosition(position: Position, directory: string): string {
  return formatPosition({ ...position, file: relativePath(position.file, directory) });
}

/** A path below a directory without that directory; any other path as it is. */
export function relativePath(path: string, directory: string): string {
  const inside = relative(directory, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}
