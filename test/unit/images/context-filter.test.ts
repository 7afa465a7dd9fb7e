import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  excludedBy,
  ignoreLines,
  selectContext,
  selectedEntries,
} from "../../../src/images/context-filter.ts";
import { IgnoreMatcher } from "../../../src/images/dockerignore.ts";
import type { ContextFilter } from "../../../src/model/plan.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tilt-ci-context-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function files(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), path);
  }
}

const filter = (patterns: string[], directory = root, source = "test"): ContextFilter => ({
  directory,
  patterns,
  source,
});

async function selected(filters: ContextFilter[], never: string[] = [], directory = root) {
  const paths: string[] = [];
  for await (const { path } of selectedEntries(await selectContext(directory, filters, never))) {
    paths.push(path);
  }
  return paths;
}

/** The files that BuildKit takes with the generated list, by the rules of its own walk. */
async function selectedByLines(filters: ContextFilter[], never: string[] = [], directory = root) {
  const lines = await ignoreLines(await selectContext(directory, filters, never));
  return selected([filter(lines, directory)], [], directory);
}

describe("selectedEntries()", () => {
  test("gives all, sorted, directories before what is in them, without filters", async () => {
    await files("b/x", "a.txt", "b/a", "Dockerfile");
    expect(await selected([])).toEqual(["Dockerfile", "a.txt", "b", "b/a", "b/x"]);
  });

  test("leaves out what any of several filters excludes", async () => {
    await files("src/a.go", "src/a.md", "docs/b.md", ".git/HEAD", "Tiltfile");
    const filters = [
      filter(["**", "!src", "!Tiltfile"]),
      filter(["**/*.md"]),
      filter([".git"]),
      filter(["Tiltfile"]),
    ];
    expect(await selected(filters)).toEqual(["src", "src/a.go"]);
  });

  test("a ! of one filter brings nothing back that another excludes", async () => {
    await files("keep/a.secret", "keep/b");
    expect(await selected([filter(["*.secret", "keep/*.secret"]), filter(["*", "!keep"])])).toEqual(
      ["keep", "keep/b"],
    );
  });

  test("keeps the directories above what is brought back, and no empty ones", async () => {
    await files("a/b/c/keep", "a/b/other", "x/y");
    expect(await selected([filter(["**", "!a/b/c/keep"])])).toEqual([
      "a",
      "a/b",
      "a/b/c",
      "a/b/c/keep",
    ]);
  });

  test("keeps empty directories that nothing excludes", async () => {
    await mkdir(join(root, "empty"));
    expect(await selected([])).toEqual(["empty"]);
  });

  test("does not follow links", async () => {
    await files("real/file");
    await symlink("real", join(root, "link"));
    await symlink("missing", join(root, "dangling"));
    expect(await selected([])).toEqual(["dangling", "link", "real", "real/file"]);
  });

  test("applies a filter of a directory above to the paths it means", async () => {
    await files("app/src/a.test.js", "app/src/a.js", "app/b.js");
    const filters = [filter(["app/b.js", "**/*.test.js"], root)];
    expect(await selected(filters, [], join(root, "app"))).toEqual(["src", "src/a.js"]);
  });

  test("applies a filter of a directory above that excludes the context itself to all of it", async () => {
    await files("app/a");
    expect(await selected([filter(["app"], root)], [], join(root, "app"))).toEqual([]);
  });

  test("applies a filter of a directory below only there", async () => {
    await files("lib/a.md", "a.md", "lib/b");
    expect(await selected([filter(["*.md"], join(root, "lib"))])).toEqual(["a.md", "lib", "lib/b"]);
  });

  test("takes absolute patterns for paths of the disk", async () => {
    await files("a/b", "c");
    expect(await selected([filter([join(root, "a")])])).toEqual(["c"]);
  });

  test("ignores filters of other directories", async () => {
    await files("a");
    expect(await selected([filter(["**"], "/somewhere/else")])).toEqual(["a"]);
  });

  test("never lets our own files in, whatever brings them back", async () => {
    await files("report/junit.xml", "src/a");
    const never = [join(root, "report"), "/elsewhere", root];
    expect(await selected([filter(["**", "!src", "!report"])], never)).toEqual(["src", "src/a"]);
  });
});

describe("ignoreLines()", () => {
  test("joins filters that do not use ! as they are, without looking at the disk", async () => {
    const selection = await selectContext(
      "/nowhere",
      [filter(["a", "b/"], "/nowhere"), filter(["**/c"], "/nowhere")],
      ["/nowhere/r*"],
    );
    expect(await ignoreLines(selection)).toEqual(["a", "b", "**/c", "r\\*"]);
  });

  test.each([
    ["a Tiltfile above the context", ["Tiltfile"], []],
    ["a file in the context", ["app/Tiltfile", "other/x"], ["Tiltfile"]],
    ["an escaped file in the context", ["app/a\\*b"], ["a\\*b"]],
    ["the context itself", ["app"], ["**"]],
  ])("does not walk for %s", async (_, patterns, expected) => {
    const selection = await selectContext("/nowhere/app", [filter(patterns, "/nowhere")], []);
    expect(await ignoreLines(selection)).toEqual(expected);
  });

  test("walks for patterns of a directory above that may mean anything", async () => {
    await files("app/a.tmp", "app/b", "app/c/d.tmp");
    const selection = await selectContext(join(root, "app"), [filter(["**/*.tmp"])], []);
    expect(await ignoreLines(selection)).toEqual(["a.tmp", "c/d.tmp"]);
  });

  test("puts the one filter with ! before the others, which it must not undo", async () => {
    const selection = await selectContext(
      "/nowhere",
      [filter(["c"], "/nowhere"), filter(["*", "!keep"], "/nowhere")],
      [],
    );
    expect(await ignoreLines(selection)).toEqual(["*", "!keep", "c"]);
  });

  test("spells out what a second filter with ! excludes", async () => {
    await files("src/a.go", "src/a_test.go", "vendor/x", "docs/y");
    const filters = [
      filter(["**", "!src", "!vendor"]),
      filter(["*", "!src", "!docs", "src/*_test.go"]),
    ];
    expect(await selectedByLines(filters)).toEqual(["src", "src/a.go"]);
    expect(await ignoreLines(await selectContext(root, filters, []))).toEqual([
      "**",
      "!src",
      "!vendor",
      "src/a_test.go",
      "vendor",
    ]);
  });

  test("means the same as the filters one by one, whatever they are", async () => {
    await files("a/a", "a/b/a", "a/b/b", "a/b/c/a", "b/a", "b/c/a", "b/c/c", "c", "d*/[a]", "d*/b");
    const atoms = [
      "a",
      "b",
      "c",
      "*",
      "**",
      "a/b",
      "**/a",
      "b/*",
      "a/**",
      "!a",
      "!b",
      "!a/b",
      "!**/c",
      "!b/c/c",
      "!*",
      "d\\*",
    ];
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return (seed >>> 10) % below;
    };
    const list = () => Array.from({ length: 1 + random(4) }, () => atoms[random(atoms.length)]!);
    for (let round = 0; round < 150; round += 1) {
      const filters = Array.from({ length: 1 + random(3) }, () => filter(list()));
      const expected = await selected(filters);
      expect(await selectedByLines(filters), JSON.stringify(filters)).toEqual(expected);
      // The meaning of "independent": a file is in if every filter alone lets it in.
      const alone = filters.map(({ patterns }) => new IgnoreMatcher(patterns));
      for (const path of ["a/a", "a/b/c/a", "b/c/c", "c", "d*/[a]"]) {
        expect(expected.includes(path), `${path} ${JSON.stringify(filters)}`).toBe(
          alone.every((matcher) => !matcher.excludes(path)),
        );
      }
    }
  });
});

describe("excludedBy()", () => {
  test("names the filter that leaves a path out", async () => {
    const selection = await selectContext(
      root,
      [filter(["*.md"], root, ".dockerignore"), filter(["tmp"], root, "ignore=")],
      [],
    );
    expect(excludedBy(selection, "tmp/x")).toBe("ignore=");
    expect(excludedBy(selection, "src")).toBeUndefined();
  });
});
