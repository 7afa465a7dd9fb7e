import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  findHooks,
  hookScript,
  installHook,
  uninstallHook,
} from "../../../src/cli/hook/install.ts";
import { changedFilesArgv, parsePushedRefs, testable } from "../../../src/cli/hook/pushed.ts";
import { runHook } from "../../../src/cli/hook/run.ts";
import { main } from "../../../src/cli/main.ts";
import { UsageError } from "../../../src/errors.ts";
import { createHost } from "../../../src/host/node-host.ts";
import { type FakeProcess, fakeProcess } from "./process-io.ts";
import { Repository } from "./repository.ts";

const ZERO = "0".repeat(40);
const LOCAL = "local_resource('a', 'true', deps=['a.txt'])\n";

describe("parsePushedRefs()", () => {
  test("reads git's lines and passes over what is none", () => {
    expect(parsePushedRefs("refs/heads/a 11 refs/heads/b 22\n\nnonsense\n")).toEqual([
      { localRef: "refs/heads/a", localOid: "11", remoteRef: "refs/heads/b", remoteOid: "22" },
    ]);
  });
});

describe("testable()", () => {
  const ref = (localOid: string, remoteRef: string) => ({
    localRef: "x",
    localOid,
    remoteRef,
    remoteOid: ZERO,
  });

  test("leaves out deleted refs, tags and a commit's second name", () => {
    const refs = [
      ref(ZERO, "refs/heads/gone"),
      ref("11", "refs/tags/v1"),
      ref("11", "refs/heads/a"),
      ref("11", "refs/heads/b"),
      ref("22", "refs/heads/c"),
    ];
    expect(testable(refs).map(({ remoteRef }) => remoteRef)).toEqual([
      "refs/heads/a",
      "refs/heads/c",
    ]);
  });
});

describe("changedFilesArgv()", () => {
  test("compares with the remote's commit, for a new branch with all branches of the remote", () => {
    const ref = { localRef: "l", localOid: "11", remoteRef: "r" };
    expect(changedFilesArgv({ ...ref, remoteOid: "22" }, "origin")).toContain("22");
    expect(changedFilesArgv({ ...ref, remoteOid: ZERO }, "up")).toContain("--remotes=up");
  });
});

/** Runs the hook on a push of `refs`; the smoke test answers `code`. */
async function push(
  repository: Repository,
  lines: readonly string[],
  {
    code = 0,
    env = {},
    onSmoke,
  }: {
    readonly code?: number;
    readonly env?: Record<string, string>;
    readonly onSmoke?: (directory: string, io: FakeProcess) => void;
  } = {},
) {
  const io = fakeProcess(repository.path, {
    env: { ...repository.env, GIT_DIR: join(repository.path, ".git"), ...env },
    stdin: `${lines.join("\n")}\n`,
  });
  const tested: string[] = [];
  const exit = await runHook(
    {
      file: "Tiltfile",
      remote: "origin",
      program: async (argv, { cwd, env: given }) => {
        expect(argv[0]).toBe("smoke");
        expect(argv[argv.indexOf("--file") + 1]).toBe("Tiltfile");
        expect(Object.keys(given).filter((name) => name.startsWith("GIT_"))).toEqual([]);
        tested.push(readFileSync(join(cwd, "a.txt"), "utf8"));
        onSmoke?.(cwd, io);
        return code;
      },
    },
    io,
  );
  expect(repository.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(stale()).toEqual([]);
  return { exit, tested, said: io.err() };
}

const stale = () =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`tilt-ci-push-${process.pid}-`));

describe("runHook()", () => {
  test("tests the pushed commit, not the work tree", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "committed" });
    repository.write("a.txt", "dirty");
    const { exit, tested, said } = await push(repository, [
      `refs/heads/main ${oid} refs/heads/main ${ZERO}`,
    ]);
    expect({ exit, tested, said }).toMatchObject({ exit: 0, tested: ["committed"] });
    expect(said).toContain("TILT_CI_SKIP=1 git push");
  });

  test("stops the push when the test fails, and tells where the report is", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const { exit, said } = await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      code: 1,
    });
    expect(exit).toBe(1);
    expect(said).toContain(join(repository.path, ".git/tilt-ci-report/report.html"));
  });

  test("lets the push go on when the machine cannot test it", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const { exit, said } = await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      code: 3,
    });
    expect(exit).toBe(0);
    expect(said).toContain("untested");
  });

  test.each([
    ["a file that nothing reads", { "README.md": "new" }, []],
    ["a dependency of a command", { "a.txt": "new" }, ["new"]],
    ["the Tiltfile", { Tiltfile: `${LOCAL}# more\n` }, ["1"]],
    ["a build context", { "api/main.py": "new" }, ["1"]],
    ["what .dockerignore leaves out of it", { "api/notes.md": "new" }, []],
    ["a file that the Tiltfile reads", { "settings.json": "{}" }, ["1"]],
  ])("after a change of %s tests %o: %o", async (_what, change, expected) => {
    using repository = new Repository();
    const before = repository.commit({
      Tiltfile: `${LOCAL}read_json('settings.json', {})\ndocker_build('api', 'api')\nk8s_yaml(blob('''
apiVersion: v1
kind: Pod
metadata: {name: api}
spec: {containers: [{name: api, image: api}]}
'''))\n`,
      "a.txt": "1",
      "api/Dockerfile": "FROM scratch\n",
      "api/.dockerignore": "*.md\n",
    });
    const files =
      "Tiltfile" in change
        ? { Tiltfile: `${readFileSync(join(repository.path, "Tiltfile"), "utf8")}# more\n` }
        : change;
    const after = repository.commit(files as Record<string, string>);
    const { exit, tested, said } = await push(repository, [`x ${after} refs/heads/main ${before}`]);
    expect({ exit, tested }).toEqual({ exit: 0, tested: expected });
    if (expected.length === 0) expect(said).toContain("changes nothing that Tiltfile uses");
  });

  test("tests any change when a command does not say what it reads", async () => {
    using repository = new Repository();
    const before = repository.commit({ Tiltfile: "local_resource('a', 'true')\n", "a.txt": "1" });
    const after = repository.commit({ "README.md": "new" });
    const { tested } = await push(repository, [`x ${after} refs/heads/main ${before}`]);
    expect(tested).toEqual(["1"]);
  });

  test("tests a new branch only for what no branch of the remote has", async () => {
    using repository = new Repository();
    repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    repository.git("push", "--quiet", "origin", "main");
    const same = repository.git("rev-parse", "HEAD");
    expect((await push(repository, [`x ${same} refs/heads/new ${ZERO}`])).said).toContain(
      "nothing new",
    );
    const docs = repository.commit({ "README.md": "new" });
    expect((await push(repository, [`x ${docs} refs/heads/new ${ZERO}`])).tested).toEqual([]);
    const code = repository.commit({ "a.txt": "2" });
    expect((await push(repository, [`x ${code} refs/heads/new ${ZERO}`])).tested).toEqual(["2"]);
  });

  test("tests each of several commits once, and stops at the first that fails", async () => {
    using repository = new Repository();
    const one = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const two = repository.commit({ "a.txt": "2" });
    const lines = [
      `x ${one} refs/heads/a ${ZERO}`,
      `x ${one} refs/heads/b ${ZERO}`,
      `(delete) ${ZERO} refs/heads/c ${one}`,
      `x ${two} refs/tags/v1 ${ZERO}`,
      `x ${two} refs/heads/d ${ZERO}`,
    ];
    expect((await push(repository, lines)).tested).toEqual(["1", "2"]);
    const failed = await push(repository, lines, { code: 1 });
    expect(failed).toMatchObject({ exit: 1, tested: ["1"] });
  });

  test.each([
    ["the variable is set", { TILT_CI_SKIP: "1" }, LOCAL, "TILT_CI_SKIP is set"],
    ["the commit has no Tiltfile", {}, undefined, "has no Tiltfile"],
  ])("passes untested when %s", async (_when, env, tiltfile, message) => {
    using repository = new Repository();
    const oid = repository.commit({ "a.txt": "1", ...(tiltfile && { Tiltfile: tiltfile }) });
    const { exit, tested, said } = await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      env,
    });
    expect({ exit, tested }).toEqual({ exit: 0, tested: [] });
    expect(said).toContain(message);
  });

  test("tests a push over a commit that is not here", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const { tested } = await push(repository, [`x ${oid} refs/heads/main ${"1".repeat(40)}`]);
    expect(tested).toEqual(["1"]);
  });

  test("leaves a Tiltfile that cannot be evaluated to the test", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: "nonsense(\n", "a.txt": "1" });
    const { exit, tested } = await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      code: 2,
    });
    expect({ exit, tested }).toEqual({ exit: 2, tested: ["1"] });
  });

  test("removes its checkout and stops the push when it is interrupted", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const { exit } = await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      code: 130,
      onSmoke: (_directory, io) => io.signal("SIGINT"),
    });
    expect(exit).toBe(130);
  });

  test("removes what a killed hook has left", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    const { pid } = spawnSync("true");
    const left = join(dirname(repository.path), `tilt-ci-push-${pid}-x`, "repository");
    repository.git("worktree", "add", "--detach", left, oid);
    await push(repository, [`x ${oid} refs/heads/main ${ZERO}`]);
    expect(existsSync(left)).toBe(false);
  });

  test("runs none of the user's hooks for its checkout", async () => {
    using repository = new Repository();
    const oid = repository.commit({ Tiltfile: LOCAL, "a.txt": "1" });
    repository.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch ../ran ran\n", 0o755);
    await push(repository, [`x ${oid} refs/heads/main ${ZERO}`], {
      onSmoke: (directory) => expect(existsSync(join(directory, "ran"))).toBe(false),
    });
  });
});

describe("installHook() and uninstallHook()", () => {
  const program = (script: string) => ["/bin/sh", script];
  const place = (repository: Repository) =>
    findHooks(createHost({ env: repository.env, cwd: repository.path }));

  /** A tilt-ci that writes its words and input down, and fails when told. */
  const recorder = (repository: Repository, name = "recorder") => {
    const path = join(dirname(repository.path), name);
    execFileSync("sh", ["-c", `cat > "$0" && chmod +x "$0"`, path], {
      input: `#!/bin/sh\necho "${name}: $*" >> "$RECORD"\nsed "s/^/${name} in: /" >> "$RECORD"\nexit \${EXIT_OF_${name}:-0}\n`,
    });
    return path;
  };
  const record = (repository: Repository) => join(dirname(repository.path), "record");
  const gitPush = (repository: Repository, env: Record<string, string> = {}, ...flags: string[]) =>
    spawnSync("git", ["push", "--quiet", ...flags, "origin", "main"], {
      cwd: repository.path,
      env: { ...repository.env, RECORD: record(repository), ...env },
      encoding: "utf8",
    });

  test("makes git call tilt-ci with the refs; a failure stops the push, --no-verify does not call it", async () => {
    using repository = new Repository();
    const oid = repository.commit({ "a.txt": "1" });
    const text = await installHook(
      await place(repository),
      program(recorder(repository)),
      "it's/Tiltfile",
    );
    expect(text).toContain("Installed .git/hooks/pre-push");
    expect(gitPush(repository, { EXIT_OF_recorder: "1" }).status).not.toBe(0);
    const said = readFileSync(record(repository), "utf8");
    expect(said).toContain("recorder: hook run --file it's/Tiltfile origin");
    expect(said).toContain(`recorder in: refs/heads/main ${oid} refs/heads/main ${ZERO}`);
    expect(gitPush(repository, { EXIT_OF_recorder: "1" }, "--no-verify").status).toBe(0);
  });

  test("lets the hook that was there run first, with the same input, and puts it back", async () => {
    using repository = new Repository();
    repository.commit({ "a.txt": "1" });
    const own = `#!/bin/sh\nexec ${recorder(repository, "own")} "$@"\n`;
    repository.write(".git/hooks/pre-push", own, 0o755);
    const where = await place(repository);
    expect(await installHook(where, program(recorder(repository)), "Tiltfile")).toContain(
      "runs first",
    );
    await installHook(where, program(recorder(repository)), "Tiltfile"); // again: changes nothing
    expect(gitPush(repository, { EXIT_OF_own: "1" }).status).not.toBe(0);
    expect(readFileSync(record(repository), "utf8")).not.toContain("recorder:");
    expect(gitPush(repository).status).toBe(0);
    expect(readFileSync(record(repository), "utf8")).toMatch(
      /own in: refs[\s\S]*recorder in: refs/,
    );
    expect(await uninstallHook(where)).toContain("is back");
    const path = join(repository.path, ".git/hooks/pre-push");
    expect(readFileSync(path, "utf8")).toBe(own);
    expect(statSync(path).mode & 0o111).not.toBe(0);
    expect(await uninstallHook(where)).toContain("No hook of tilt-ci");
    expect(readFileSync(path, "utf8")).toBe(own);
  });

  test("respects core.hooksPath, and says when other repositories share it", async () => {
    using repository = new Repository();
    repository.git("config", "core.hooksPath", "tools/hooks");
    expect(await installHook(await place(repository), program("x"), "Tiltfile")).toContain(
      "Installed tools/hooks/pre-push",
    );
    const shared = join(dirname(repository.path), "shared-hooks");
    repository.git("config", "core.hooksPath", shared);
    const text = await installHook(await place(repository), program("x"), "Tiltfile");
    expect(text).toContain(`Installed ${shared}/pre-push`);
    expect(text).toContain("for other repositories, too");
  });

  test("finds the hooks from a folder of the work tree and from a linked one", async () => {
    using repository = new Repository();
    repository.commit({ "sub/a.txt": "1" });
    const sub = createHost({ env: repository.env, cwd: join(repository.path, "sub") });
    expect((await findHooks(sub)).directory).toBe(join(repository.path, ".git/hooks"));
    const linked = join(dirname(repository.path), "linked");
    repository.git("worktree", "add", linked);
    const found = await findHooks(createHost({ env: repository.env, cwd: linked }));
    expect(found).toEqual({
      top: linked,
      directory: join(repository.path, ".git/hooks"),
      isShared: false,
    });
  });

  test.each([
    ["husky", "core.hooksPath", ".husky/_", ".husky/pre-push"],
    ["lefthook", "", "#!/bin/sh\ncall_lefthook run pre-push\n", "lefthook.yml"],
    ["pre-commit", "", "#!/bin/sh\n# File generated by pre-commit\n", ".pre-commit-config.yaml"],
  ])("leaves the hooks of %s to it", async (name, key, value, advice) => {
    using repository = new Repository();
    if (key) repository.git("config", key, value);
    else repository.write(".git/hooks/pre-push", value, 0o755);
    const where = await place(repository);
    const installing = installHook(where, program("x"), "Tiltfile");
    await expect(installing).rejects.toThrow(UsageError);
    await expect(installing).rejects.toThrow(
      new RegExp(`${name} manages.*${advice.replace(".", "\\.")}`),
    );
  });

  test("lets a push go on when tilt-ci is gone", async () => {
    using repository = new Repository();
    repository.commit({ "a.txt": "1" });
    await installHook(await place(repository), ["/no/node", "/no/cli.cjs"], "Tiltfile");
    const pushed = gitPush(repository);
    expect(pushed.status).toBe(0);
    expect(pushed.stderr).toContain("not installed any more");
  });

  test("refuses outside a work tree", async () => {
    await expect(findHooks(createHost({ env: {}, cwd: tmpdir() }))).rejects.toThrow(UsageError);
  });

  test("says so where there is no git", async () => {
    using repository = new Repository();
    repository.write("Tiltfile", LOCAL);
    const io = fakeProcess(repository.path, { env: { ...repository.env, PATH: "/nowhere" } });
    expect(await main(["hook", "install"], io)).toBe(3);
    expect(io.err()).toBe(
      'Error: Cannot run "git": no such program on PATH\nInstall it; tilt-ci doctor says how\n',
    );
  });

  test.each([
    ["is not there", "Tiltfile", /There is no Tiltfile here[\s\S]*--file/],
    ["is in another repository", "../Tiltfile", /\.\.\/Tiltfile is not in this repository/],
  ])("tilt-ci hook install refuses a Tiltfile that %s", async (_what, file, message) => {
    using repository = new Repository();
    repository.write("../Tiltfile", LOCAL);
    const io = fakeProcess(repository.path, { env: repository.env });
    expect(await main(["hook", "install", "--file", file], io)).toBe(2);
    expect(io.err()).toMatch(message);
    expect(existsSync(join(repository.path, ".git/hooks/pre-push"))).toBe(false);
  });

  test("hookScript() is a shell script whatever the paths hold", () => {
    const script = hookScript(["/a b/node", "/c'd/$(x)/cli.cjs"], "e`f/Tiltfile");
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
    expect(script).toContain(`'/c'\\''d/$(x)/cli.cjs'`);
  });

  test("hookScript() lets a push go on whose tilt-ci, or the Node.js for it, is no more", () => {
    for (const program of [
      ["/none/node", "/bin/sh"],
      ["/bin/sh", "/none/cli.cjs"],
    ]) {
      const env = { PATH: "/usr/bin:/bin" };
      const input = hookScript(program, "Tiltfile");
      const { status, stderr } = spawnSync("sh", ["-c", input], {
        env,
        encoding: "utf8",
        input: "",
      });
      expect({ status, stderr }).toMatchObject({
        status: 0,
        stderr: expect.stringContaining("not installed any more"),
      });
    }
  });
});
