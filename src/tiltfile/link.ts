import { goQuote } from "./go/quote.ts";

/**
 * The URL that a Tiltfile gives for a link; `http://` is put before one without a scheme.
 * @throws Error in Tilt's words
 */
export function parseLink(url: string): string {
  try {
    return withScheme(url);
  } catch (error) {
    throw new Error(`validating URL ${goQuote(url)}: ${(error as Error).message}`);
  }
}

function withScheme(url: string): string {
  if (url === "") throw new Error("url empty");
  checkUrl(url);
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(url)?.[0];
  if (scheme !== undefined) return scheme.toLowerCase() + url.slice(scheme.length);
  // Go's URL: a bare path gets the scheme alone, and its String() puts "//" in unless it is rooted.
  return url.startsWith("//") ? `http:${url}` : `http://${url}`;
}

/**
 * The little that Go's url.Parse refuses.
 * @throws Error in Go's words
 */
export function checkUrl(url: string): void {
  const fail = (reason: string) => new Error(`parse ${goQuote(url)}: ${reason}`);
  if (/[\x00-\x1f\x7f]/.test(url)) throw fail("net/url: invalid control character in URL");
  if (url.startsWith(":")) throw fail("missing protocol scheme");
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(url)?.[0] ?? "";
  const rest = url.slice(scheme.length);
  if (scheme === "" && !url.startsWith("/") && /^[^/?#]*:/.test(url)) {
    throw fail("first path segment in URL cannot contain colon");
  }
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(rest.split("?")[0]!);
  if (badEscape) throw fail(`invalid URL escape ${goQuote(badEscape[0])}`);
  const authority = /^\/\/([^/?#]*)/.exec(rest)?.[1] ?? "";
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host.startsWith("[") && !host.includes("]")) throw fail("missing ']' in host");
  if (/[ <>"]/.test(host))
    throw fail(`invalid character ${goQuote(/[ <>"]/.exec(host)![0])} in host name`);
  const port = /:([^:\]]*)$/.exec(host)?.[1];
  if (port !== undefined && !/^\d*$/.test(port)) {
    throw fail(`invalid port ${goQuote(`:${port}`)} after host`);
  }
}
