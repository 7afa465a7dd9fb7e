/**
 * What of a directory goes into a build. The plan gives several independent matchers and a file goes if any of them
 * excludes it; BuildKit takes one list in which the last match decides. The two are the same as long as at most one
 * matcher uses `!`; what else the others exclude is found by walking and added as literal paths.
 */

import { realpath } from "node:fs/promises";
import { isAbsolute, relative, sep } from "node:path";
import type { ContextFilter } from "../model/plan.ts";
import { type ContextEntry, walkContext } from "./context-walk.ts";
import {
  IgnoreMatcher,
  literalIgnorePattern,
  normalizeIgnorePattern,
  type ParentMatch,
} from "./dockerignore.ts";

/** One matcher, its patterns relative to the context. */
interface Rule {
  readonly patterns: readonly string[];
  readonly matcher: IgnoreMatcher;
  /** Put before a path of the context to get the path that the patterns mean; ends in a slash. */
  readonly prefix: string;
  readonly source: string;
}

/** What is left out of a build context. */
export interface ContextSelection {
  readonly directory: string;
  readonly rules: readonly Rule[];
}

/** The entries of a directory as the matchers of each rule saw them. */
type RuleMatches = readonly (ParentMatch | undefined)[];

/**
 * The selection for a context directory. `never` are absolute paths (report directory, state) that are left out
 * whatever the filters say, where they lie inside the context.
 * @throws IgnorePatternError
 */
export async function selectContext(
  directory: string,
  filters: readonly ContextFilter[],
  never: readonly string[],
): Promise<ContextSelection> {
  const root = await realPath(directory);
  const rules: Rule[] = [];
  for (const filter of filters) {
    const rule = ruleFor(filter, root, await realPath(filter.directory));
    if (rule) rules.push(rule);
  }
  const inside = (await Promise.all(never.map(realPath)))
    .map((path) => slashed(relative(root, path)))
    .filter((path) => path !== "" && !isOutside(path));
  if (inside.length > 0) {
    rules.push(makeRule(inside.map(literalIgnorePattern), "", "tilt-ci's own files"));
  }
  return { directory, rules };
}

/** Lines at the end of a `.dockerignore` that leave out what is private of a context; none where nothing of that is inside. */
export async function privateLines(
  directory: string,
  never: readonly string[],
): Promise<readonly string[]> {
  const { rules } = await selectContext(directory, [], never);
  return rules.flatMap(({ patterns }) => patterns);
}

function ruleFor(filter: ContextFilter, root: string, directory: string): Rule | undefined {
  const patterns = filter.patterns
    .map((pattern) => relativePattern(pattern, filter.directory))
    .map(normalizeIgnorePattern)
    .filter((pattern) => pattern !== undefined);
  if (patterns.length === 0) return undefined;
  const below = slashed(relative(root, directory));
  if (below === "") return makeRule(patterns, "", filter.source);
  if (!isOutside(below)) {
    const prefix = literalIgnorePattern(below);
    const under = patterns.map((pattern) =>
      pattern.startsWith("!") ? `!${prefix}/${pattern.slice(1)}` : `${prefix}/${pattern}`,
    );
    return makeRule(under, "", filter.source);
  }
  const above = slashed(relative(directory, root));
  if (isOutside(above)) return undefined;
  const inside = patterns.map((pattern) => movedPattern(pattern, above));
  // Mostly a Tiltfile in the directory above: no need to walk for what cannot be in the context.
  if (!inside.includes(undefined)) {
    const moved = inside.filter((pattern) => pattern !== undefined && pattern !== "");
    return moved.length === 0 ? undefined : makeRule(moved as string[], "", filter.source);
  }
  return makeRule(patterns, `${above}/`, filter.source);
}

/**
 * A literal pattern of a directory as the directory `below` it would spell it: empty if it means nothing in there.
 * Undefined for patterns that are not literal.
 */
function movedPattern(pattern: string, below: string): string | undefined {
  if (pattern.startsWith("!") || /[*?[\]|{]/.test(pattern.replace(/\\./gsu, ""))) return undefined;
  const path = pattern.replace(/\\(.)/gsu, "$1");
  if (path.startsWith(`${below}/`)) return literalIgnorePattern(path.slice(below.length + 1));
  return path === below || below.startsWith(`${path}/`) ? "**" : "";
}

/** Tiltfiles may give absolute paths; in a `.dockerignore` a leading slash means the context. */
function relativePattern(pattern: string, directory: string): string {
  const negated = pattern.startsWith("!");
  const path = negated ? pattern.slice(1) : pattern;
  if (!path.startsWith(`${directory}/`)) return pattern;
  return (negated ? "!" : "") + path.slice(directory.length + 1);
}

function makeRule(patterns: readonly string[], prefix: string, source: string): Rule {
  return { patterns, matcher: new IgnoreMatcher(patterns), prefix, source };
}

async function realPath(path: string): Promise<string> {
  // What does not exist yet cannot be a link either.
  return realpath(path).catch(() => path);
}

function slashed(path: string): string {
  return sep === "/" ? path : path.split(sep).join("/");
}

function isOutside(path: string): boolean {
  return path === ".." || path.startsWith("../") || isAbsolute(path);
}

/** The first rule that leaves a path out, by its source; undefined if the path is in. */
export function excludedBy(selection: ContextSelection, path: string): string | undefined {
  return selection.rules.find(({ matcher, prefix }) => matcher.excludes(prefix + path))?.source;
}

/** The entries of the context that no rule excludes, and the directories above them, sorted by path. */
export async function* selectedEntries(selection: ContextSelection): AsyncGenerator<ContextEntry> {
  const { rules, directory } = selection;
  const top = rules.map(matchAbove);
  const held: ContextEntry[] = [];
  for await (const entry of walkContext<RuleMatches>(directory, top, (entry, parent) =>
    visit(rules, entry, parent),
  )) {
    while (held.length > 0 && !entry.path.startsWith(`${held.at(-1)!.path}/`)) held.pop();
    if (entry.excluded) {
      if (entry.type === "directory") held.push(entry);
      continue;
    }
    // An excluded directory is there all the same once something in it is not excluded.
    yield* held.splice(0);
    yield entry;
  }
}

/**
 * One list of patterns with the meaning of all rules together, for a `.dockerignore`. Walks the directory only if the
 * rules cannot be joined as they are.
 */
export async function ignoreLines(selection: ContextSelection): Promise<string[]> {
  const joinable = selection.rules.filter(({ prefix }) => prefix === "");
  const negating = joinable.find(({ matcher }) => matcher.hasNegations);
  const positive = joinable.filter(({ matcher }) => !matcher.hasNegations);
  const joined = [...(negating ? [negating] : []), ...positive].flatMap(({ patterns }) => patterns);
  const rest = selection.rules.filter(
    (rule) => rule.prefix !== "" || (rule.matcher.hasNegations && rule !== negating),
  );
  if (rest.length === 0) return joined;
  return [...joined, ...(await excludedPaths(selection, joined)).map(literalIgnorePattern)];
}

/** The paths that the rules exclude and `known` patterns do not; whole directories where nothing in them is left. */
async function excludedPaths(
  selection: ContextSelection,
  known: readonly string[],
): Promise<string[]> {
  const kept = new Set<string>();
  for await (const { path } of selectedEntries(selection)) kept.add(path);
  const matcher = new IgnoreMatcher(known);
  const missing: string[] = [];
  const entries = walkContext<ParentMatch | undefined>(
    selection.directory,
    undefined,
    ({ path }, parent) => {
      const { excluded, match } = matcher.match(path, parent);
      const prune = excluded ? !matcher.mayIncludeUnder(path) : !kept.has(path);
      return { excluded, state: match, prune };
    },
  );
  for await (const { path, excluded } of entries) {
    if (!excluded && !kept.has(path)) missing.push(path);
  }
  return missing;
}

/** What matched the directories between a rule's directory and the context. */
function matchAbove({ matcher, prefix }: Rule): ParentMatch | undefined {
  let parent: ParentMatch | undefined;
  const parts = prefix.split("/").slice(0, -1);
  parts.forEach((_, index) => {
    parent = matcher.match(parts.slice(0, index + 1).join("/"), parent).match;
  });
  return parent;
}

function visit(rules: readonly Rule[], { path }: ContextEntry, parents: RuleMatches) {
  const results = rules.map(({ matcher, prefix }, index) => {
    const { excluded, match } = matcher.match(prefix + path, parents[index]);
    return { match, excluded, prune: excluded && !matcher.mayIncludeUnder(prefix + path) };
  });
  return {
    excluded: results.some(({ excluded }) => excluded),
    state: results.map(({ match }) => match),
    prune: results.some(({ prune }) => prune),
  };
}
