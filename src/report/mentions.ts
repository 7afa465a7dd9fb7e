/**
 * Whether a text names a peer. A resource called `api` or `test` is also an ordinary word: a name counts only where it
 * stands like a host (`//db`, `@db`, `=db`, `db:5432`, `db.default.svc`) or on a line that tells of trouble with a connection.
 */
export interface Mention {
  readonly line: string;
  /** The line tells of trouble (refused, timed out, no such host …), as opposed to just naming the peer. */
  readonly trouble: boolean;
}

const SYSTEM_ERRORS =
  "ENOTFOUND|ECONN\\w+|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|dial tcp|dial udp|getaddrinfo";

const TROUBLE = new RegExp(
  [
    "refused|unreachable|time[d]?[ -]?out|deadline exceeded|no such host|no route|not known|resolv|resolution",
    `${SYSTEM_ERRORS}|EPIPE|lookup|nxdomain`,
    "unavailable|not available|no endpoints|not (?:yet )?(?:ready|running|reachable)|unhealthy|waiting for|wait(?:ed)? .*for",
    "can ?not|can't|could ?n[o']t|unable to|fail|error|exception|connect|reset by peer|broken pipe|\\bEOF\\b|gave up",
    "\\b50[0234]\\b|bad gateway|is down|went away|lost|closed",
  ].join("|"),
  "i",
);

const NO_CONNECTION = new RegExp(
  [
    "connection\\b.{0,60}\\b(?:refused|reset|failed|timed out|error|lost|closed)|no such host|no route to host|not known",
    SYSTEM_ERRORS,
    "(?:can ?not|can't|could ?n[o']t|unable to|fail(?:ed)? to) (?:connect|reach|resolve)|has gone away",
  ].join("|"),
  "i",
);

/** Whether a line tells of a connection that failed, to whomever. */
export function tellsOfNoConnection(line: string): boolean {
  return NO_CONNECTION.test(line);
}

const BEFORE = /(?<before>^|[\s"'`([{<=:,;@|>]|\/\/)/.source;
// A dot after the name belongs to a host name only if more of one follows: `db.sqlite3` is a file.
const AFTER =
  /(?<after>$|:\d|:|[\s"'`)\]}>,;?!/]|\.(?:svc\b|[a-z0-9-]+\.svc\b|[a-z0-9-]+:\d|local\b)|(?:\.+|…)(?=$|\s))/
    .source;

/** The expression that finds any of the names; undefined when there are none. */
export function namePattern(names: readonly string[]): RegExp | undefined {
  const known = names.filter((name) => name.length > 0);
  if (known.length === 0) return undefined;
  const alternatives = known
    .toSorted((a, b) => b.length - a.length)
    .map((name) => name.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(`${BEFORE}(?:${alternatives.join("|")})${AFTER}`, "i");
}

/** The last line of output that names a peer; a line that tells of trouble is preferred. */
export function findInOutput(pattern: RegExp, lines: readonly string[]): Mention | undefined {
  let named: Mention | undefined;
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = lines[index]!;
    const match = pattern.exec(line);
    if (match === null) continue;
    if (TROUBLE.test(line)) return { line, trouble: true };
    if (named === undefined && looksLikeHost(match)) named = { line, trouble: false };
  }
  return named;
}

/** The first argument or `NAME=value` that names a peer as a host. */
export function findInSettings(pattern: RegExp, settings: readonly string[]): Mention | undefined {
  for (const line of settings) {
    const match = pattern.exec(line);
    if (match !== null && (match[0].length === line.length || looksLikeHost(match)))
      return { line, trouble: false };
  }
  return undefined;
}

function looksLikeHost({ groups }: RegExpExecArray): boolean {
  const before = groups?.before ?? "";
  const after = groups?.after ?? "";
  return /\/\/|[@=]/.test(before) || /^:\d|^\..+/.test(after);
}
