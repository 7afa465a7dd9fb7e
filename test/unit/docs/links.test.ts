import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
// what a stranger gets: files of the index, not whatever lies around
const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter(Boolean);
const known = new Set(
  files.flatMap((file) => file.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/"))),
);
const pages = files.filter((file) => file.endsWith(".md"));

/** A page without its code, where brackets are no links. */
function prose(page: string): string {
  return readFileSync(join(root, page), "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/`[^`\n]*`/g, "");
}

/** The targets of a page's links and images, inline ones and those of references. */
function targetsOf(page: string): string[] {
  const text = prose(page);
  return [
    ...[...text.matchAll(/\]\(\s*<?([^()\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, to]) => to!),
    ...[...text.matchAll(/^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$/gm)].map(([, to]) => to!),
  ];
}

/** The anchors that GitHub gives the headings of a page; a title's second use gets `-1`. */
function anchorsOf(page: string): Set<string> {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  const seen = new Map<string, number>();
  const anchors = [...text.matchAll(/^#{1,6} (.+?)\s*#*$/gm)].map(([, title]) => {
    const words = title!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
  return new Set(anchors);
}

/** What is wrong with a link of a page; undefined when it leads somewhere, or out of the repository. */
function problemOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = decodeURI(target).split("#");
  const file = path === "" ? page : normalize(join(dirname(page), path)).replace(/\/$/, "");
  if (!known.has(file)) return `${target}: there is no ${file}`;
  if (anchor !== undefined && !anchorsOf(file).has(anchor))
    return `${target}: ${file} has no such heading`;
  return undefined;
}

describe("documentation", () => {
  test.each(pages)("%s has no dead link", (page) => {
    expect(targetsOf(page).flatMap((target) => problemOf(page, target) ?? [])).toEqual([]);
  });

  test("links are found, and dead ones seen", () => {
    expect(targetsOf("README.md")).toContain("docs/report.png");
    expect(targetsOf("docs/action.md")).toContain("reports.md#exit-codes");
    expect(problemOf("docs/action.md", "reports.md#exit-code")).toContain("no such heading");
    expect(problemOf("docs/action.md", "missing.md")).toContain("no docs/missing.md");
  });

  test("README.md leads to every page of docs", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached)
      for (const target of targetsOf(page)) {
        const file = normalize(join(dirname(page), target.split("#")[0]!));
        if (pages.includes(file)) reached.add(file);
      }
    const docs = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page));
    expect(docs.filter((page) => !reached.has(page))).toEqual([]);
  });
});
