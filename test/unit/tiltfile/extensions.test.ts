import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EvaluateOptions } from "../../../src/tiltfile/options.ts";
import { evaluateFiles } from "./evaluation.ts";

const URL = "https://github.com/tilt-dev/tilt-extensions";
const CACHED = ".cache/tilt_modules/github.com/tilt-dev/tilt-extensions";
const LOADING = 'load("ext://hello", "greet")\ngreet()';
const hasGit = spawnSync("git", ["--version"]).status === 0;

function git(directory: string, ...args: string[]): string {
  const result = spawnSync(
    "git",
    ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args],
    { cwd: directory, encoding: "utf8" },
  );
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout.trim();
}

/** A repository with the extension `hello` in two states; `url` leads git to it. */
function makeRepository(directory: string): { readonly commits: readonly string[]; env: object } {
  const repository = join(directory, "origin");
  mkdirSync(join(repository, "hello"), { recursive: true });
  git(repository, "init", "--quiet", "--initial-branch=main");
  const commits = ["one", "two"].map((word) => {
    writeFileSync(join(repository, "hello/Tiltfile"), `def greet(): print("${word}")\n`);
    git(repository, "add", ".");
    git(repository, "commit", "--quiet", "--message", word);
    git(repository, "tag", `v-${word}`);
    return git(repository, "rev-parse", "HEAD");
  });
  const env = {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${repository}.insteadOf`,
    GIT_CONFIG_VALUE_0: URL,
  };
  return { commits, env };
}

function options(directory: string, env: object, offline = false): Partial<EvaluateOptions> {
  return {
    env: { PATH: process.env.PATH ?? "", HOME: directory, ...env },
    extensions: { cacheDir: join(directory, ".cache"), offline },
  };
}

describe("ext://", () => {
  test("takes what was put into the cache by hand", () => {
    const { log } = evaluateFiles({
      Tiltfile: LOADING,
      [`${CACHED}/hello/Tiltfile`]: 'def greet(): print("from the cache")',
    });
    expect(log).toBe("from the cache\n");
  });

  test("says where to put a copy when nothing may be fetched", () => {
    const { error } = evaluateFiles({ Tiltfile: LOADING });
    expect(error?.message).toContain(
      `cannot load ext://hello: loading extension repo default: download error: cannot fetch ${URL}`,
    );
    expect(error?.message).toContain(`put a copy of the repository at $D/${CACHED}`);
  });

  test("names an extension that the repository does not have", () => {
    const { error } = evaluateFiles({ Tiltfile: LOADING, [`${CACHED}/README.md`]: "" });
    expect(error?.message).toContain(
      `cannot load ext://hello: loading extension hello: no extension tiltfile found at $D/${CACHED}/hello/Tiltfile`,
    );
  });

  test("places what an extension makes, and says, where the Tiltfile asks for it", () => {
    const { plan } = evaluateFiles({
      Tiltfile: 'load("ext://hello", "make")\ninclude("lib/Tiltfile")\ninclude("ext://direct")\n',
      "lib/Tiltfile": 'load("ext://hello", "make")\n\nmake("in-lib")\n',
      [`${CACHED}/hello/Tiltfile`]: `load("../shared/Tiltfile", "shared")
def make(name):
    warn("from " + name)
    shared(name)
`,
      [`${CACHED}/shared/Tiltfile`]: `def shared(name):
    local_resource(name, "true")
`,
      [`${CACHED}/direct/Tiltfile`]: 'local_resource("direct", "true")\n',
    });
    const place = (position?: { file: string; line: number }) =>
      position && [basename(dirname(position.file)) === "lib", position.line];
    expect(plan?.resources.map(({ name, position }) => [name, place(position)])).toEqual([
      ["in-lib", [true, 3]],
      ["direct", [false, 3]],
    ]);
    expect(plan?.warnings.map(({ position }) => place(position))).toEqual([[true, 3]]);
  });

  test("points reports at the Tiltfile for what fails in an extension, with all frames in the text", () => {
    const { error } = evaluateFiles({
      Tiltfile: 'load("ext://hello", "make")\n\nmake()\n',
      [`${CACHED}/hello/Tiltfile`]: 'def make():\n    fail("no")\n',
    });
    expect(error?.message).toContain(`$D/Tiltfile:3:5: in <toplevel>
  $D/${CACHED}/hello/Tiltfile:2:9: in make`);
    expect(error?.position).toMatchObject({ line: 3, column: 5 });
  });

  test("keeps the places of other files in a file:// repository", () => {
    const { plan } = evaluateFiles({
      Tiltfile: `v1alpha1.extension_repo(name="ours", url="file://" + os.getcwd())
v1alpha1.extension(name="make", repo_name="ours", repo_path="make")
load("ext://make", "make")
include("lib/Tiltfile")
`,
      "make/Tiltfile": 'def make(name): local_resource(name, "true")\n',
      "lib/Tiltfile": '\nlocal_resource("own", "true")\nload("ext://make", "make")\nmake("made")\n',
    });
    expect(plan?.resources.map(({ position }) => basename(dirname(position.file)))).toEqual([
      "lib",
      "lib",
    ]);
    expect(plan?.resources.map(({ position }) => position.line)).toEqual([2, 4]);
  });

  test("stays inside of the repository", () => {
    const { error } = evaluateFiles({
      Tiltfile: [
        'v1alpha1.extension(name="up", repo_name="default", repo_path="../../../../..")',
        'load("ext://up", "x")',
      ].join("\n"),
      [`${CACHED}/README.md`]: "",
    });
    expect(error?.message).toContain("invalid repo path: ../../../../..");
  });

  test("loads no second repository by the name of the first", () => {
    const registering = (url: string) =>
      `${LOADING}\nv1alpha1.extension_repo("default", url="${url}")`;
    const files = { [`${CACHED}/hello/Tiltfile`]: "def greet(): pass" };
    const { error } = evaluateFiles({ ...files, Tiltfile: registering("file:///tmp") });
    expect(error?.message).toContain('extensionrepos "default" already registered');
    expect(evaluateFiles({ ...files, Tiltfile: registering(URL) }).error).toBeUndefined();
  });

  test.each([
    ['url="ftp://x"', "URLs must start with http(s):// or file://"],
    ['url="file://x"', "file:// URLs must be absolute"],
    ['url="file:///nonexistent"', "loading: stat /nonexistent: no such file or directory"],
    ['url="file:///tmp", ref="main"', "spec.ref not supported on file:// repos"],
  ])("refuses a repository with %s", (repository, message) => {
    const { error } = evaluateFiles({
      Tiltfile: `v1alpha1.extension_repo(name="default", ${repository})\n${LOADING}`,
    });
    expect(error?.message).toContain(message);
  });
});

describe.runIf(hasGit)("ext:// with git", () => {
  test("clones a repository once and takes its newest state", () => {
    const { log } = evaluateFiles({ Tiltfile: LOADING }, (directory) =>
      options(directory, makeRepository(directory).env),
    );
    expect(log).toBe("two\n");
  });

  test("takes the tag or commit that the Tiltfile asks for", () => {
    const Tiltfile = `v1alpha1.extension_repo(name="default", url="${URL}", ref="v-one")\n${LOADING}`;
    const { log } = evaluateFiles({ Tiltfile }, (directory) =>
      options(directory, makeRepository(directory).env),
    );
    expect(log).toBe("one\n");
  });

  test("comes back to the newest state of a copy that was at a commit before", () => {
    const Tiltfile = `v1alpha1.extension_repo(name="default", url="${URL}", ref="v-one")\n${LOADING}`;
    const directory = mkdtempSync(join(tmpdir(), "tci-cache-"));
    const { env } = makeRepository(directory);
    const logs = [Tiltfile, LOADING, Tiltfile].map(
      (text) => evaluateFiles({ Tiltfile: text }, () => options(directory, env)).log,
    );
    rmSync(directory, { recursive: true });
    expect(logs).toEqual(["one\n", "two\n", "one\n"]);
  });

  test("does not wait for a host that says nothing", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const startedAt = performance.now();
    const { error } = evaluateFiles(
      {
        Tiltfile: `v1alpha1.extension_repo(name="default", url="http://127.0.0.1:${port}/x")\n${LOADING}`,
      },
      (directory) => options(directory, { GIT_HTTP_LOW_SPEED_TIME: "1" }),
    );
    server.close();
    expect(error?.message).toContain(`cannot fetch http://127.0.0.1:${port}/x: fatal: `);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("fetches at once or never: no cluster has to do with it", () => {
    const { sync } = evaluateFiles({ Tiltfile: LOADING }, (directory) =>
      options(directory, makeRepository(directory).env),
    );
    const git = sync.executed.filter(({ argv }) => argv[0] === "git");
    expect(git.length).toBeGreaterThan(0);
    for (const { options: given } of git)
      expect(given).toMatchObject({ retryable: false, timeoutMs: expect.any(Number) });
  });

  test("takes the commit of the lock file", () => {
    const { log } = evaluateFiles({ Tiltfile: LOADING }, (directory) => {
      const { commits, env } = makeRepository(directory);
      const lockFile = join(directory, "lock.json");
      writeFileSync(lockFile, JSON.stringify({ [URL]: commits[0] }));
      const base = options(directory, env);
      return { ...base, extensions: { ...base.extensions!, lockFile } };
    });
    expect(log).toBe("one\n");
  });

  test("refuses a repository that the lock file does not name", () => {
    const { error } = evaluateFiles({ Tiltfile: LOADING, "lock.json": "{}" }, (directory) => ({
      extensions: {
        cacheDir: join(directory, ".cache"),
        lockFile: join(directory, "lock.json"),
        offline: false,
      },
    }));
    expect(error?.message).toContain(`$D/lock.json has no commit for ${URL}`);
  });

  test.each([
    ['url="https://../../mine"', "invalid: URL: https://../../mine"],
    ['url="https://a/../.."', "invalid: URL: https://a/../.."],
    [`url="${URL}", ref="--upload-pack=x"`, "invalid: no commit is called --upload-pack=x"],
  ])("keeps to its own folder, and gives git no options: %s", (given, message) => {
    const Tiltfile = `v1alpha1.extension_repo(name="default", ${given})\n${LOADING}`;
    const seed = (directory: string) => {
      const { env } = makeRepository(directory);
      return options(directory, env, true);
    };
    expect(evaluateFiles({ Tiltfile }, seed).error?.message).toContain(message);
  });

  test("uses an old clone when there is no network, and says so when a commit is missing", () => {
    const seed = (directory: string) => {
      const { env } = makeRepository(directory);
      const cached = join(directory, CACHED);
      mkdirSync(cached, { recursive: true });
      git(directory, "clone", "--quiet", join(directory, "origin"), cached);
      return options(directory, env, true);
    };
    expect(evaluateFiles({ Tiltfile: LOADING }, seed).log).toBe("two\n");
    const Tiltfile = `v1alpha1.extension_repo(name="default", url="${URL}", ref="v-none")\n${LOADING}`;
    expect(evaluateFiles({ Tiltfile }, seed).error?.message).toContain(
      `sync to ref v-none: ${URL} has no such commit in $D/${CACHED}`,
    );
  });

  test("tells what git said when a repository cannot be cloned, and leaves nothing behind", () => {
    let cache = "";
    const { error } = evaluateFiles({ Tiltfile: LOADING }, (directory) => {
      cache = join(directory, CACHED);
      return options(directory, {
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: `url.${directory}/none.insteadOf`,
        GIT_CONFIG_VALUE_0: URL,
      });
    });
    expect(error?.message).toContain(`download error: cannot fetch ${URL}: fatal: `);
    expect(existsSync(cache)).toBe(false);
  });
});
