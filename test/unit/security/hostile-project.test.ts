import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { safeFileName } from "../../../src/report/log-path.ts";
import { type RunOutcome, runProgram } from "../../fake-api-server/whole-run.ts";

/** Names that would leave the report directory, meet each other in it, or be read by a shell. */
const NAMES = [
  "C:\\\\windows\\\\x",
  "x".repeat(400),
  "web",
  "Web",
  "WEB",
  "con",
  "nul.txt",
  "a b",
  "a\\tb",
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned",
  "'; touch pwned; '",
  "-rf",
  "--help",
  "é",
  "::error::x",
  "<img src=x onerror=alert(1)>",
];

/** A whole run of a project by somebody who means harm. */
describe("a hostile project", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tci-hostile-"));
    // a path that a shell would read as a command
    mkdirSync(join(root, "stage $(touch pwned) ;x", "project"), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const stage = () => ({ directory: join(root, "stage $(touch pwned) ;x"), onEvent: () => {} });

  function run(tiltfile: string, args: readonly string[] = []): Promise<RunOutcome> {
    writeFileSync(join(stage().directory, "project", "Tiltfile"), tiltfile);
    return runProgram(stage(), ["--cluster", "none", ...args]);
  }

  test("writes nothing outside of the report directory through names, and keeps them apart", async () => {
    const lines = NAMES.map(
      (name, index) =>
        `local_resource("${name}", "echo this is number ${index}.", allow_parallel=True)`,
    );
    const { code, report, output } = await run(`${lines.join("\n")}\n`);
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    const { directory } = stage();
    expect(
      filesIn(root).filter((path) => path.includes("pwned") && !path.includes("stage")),
    ).toEqual([]);
    const outside = readdirSync(directory).filter((name) => !["project", "reports"].includes(name));
    // the state directory is the run's own, and empty of it
    expect(outside.filter((name) => name !== "tilt-ci")).toEqual([]);
    expect(readdirSync(join(directory, "project"))).toEqual(["Tiltfile"]);
    const logs = report.artifacts.filter(({ path }) => /^logs\/.*command\.log$/.test(path));
    const texts = logs.map(({ path }) => readFileSync(join(directory, "reports", path), "utf8"));
    const folded = new Set(logs.map(({ path }) => path.toLowerCase()));
    expect(folded.size).toBe(NAMES.length);
    for (const index of NAMES.keys())
      expect(texts.filter((text) => text.includes(`this is number ${index}.`))).toHaveLength(1);
  });

  test("writes nothing through a folder of links that it has committed", async () => {
    const logs = join(stage().directory, "reports/logs");
    mkdirSync(logs, { recursive: true });
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(logs, "web"));
    const { output } = await run('local_resource("web", "echo hello")\n');
    expect(readdirSync(join(root, "elsewhere"))).toEqual([]);
    expect(output).toContain("logs/web is a symbolic link");
  });

  test("cannot name a resource with a slash", async () => {
    const { code, output } = await run('local_resource("../../x", "true")\n');
    expect(code).toBe(2);
    expect(output).toContain("may not contain '/'");
  });

  test.each(["../../x", "/etc/x", "/", "a/../../../b", "..\\x"])(
    "gets a harmless file name for %j",
    (name) => {
      expect(safeFileName(name)).toMatch(/^[a-z0-9_][a-z0-9._-]*-[0-9a-f]{8}$/);
    },
  );

  test("cannot have a name with NUL for a file", () => {
    expect(safeFileName("a\0b")).toMatch(/^a_b-[0-9a-f]{8}$/);
    expect(safeFileName("")).toMatch(/^_-[0-9a-f]{8}$/);
  });

  test("keeps what a run writes for itself to its user", async () => {
    let modes: string[] = [];
    writeFileSync(join(stage().directory, "project", "Tiltfile"), "local_resource('a', 'true')\n");
    const state = join(stage().directory, "tilt-ci");
    await runProgram(
      {
        directory: stage().directory,
        onEvent: (event) => {
          if (event.type !== "planned") return;
          modes = filesIn(join(state, "runs")).map((path) =>
            (statSync(join(state, "runs", path)).mode & 0o777).toString(8),
          );
          modes.push((statSync(join(state, "runs")).mode & 0o777).toString(8));
        },
      },
      ["--cluster", "none"],
    );
    expect(modes).toEqual(["600", "700"]);
    expect(existsSync(join(state, "runs"))).toBe(true);
    expect(readdirSync(join(state, "runs"))).toEqual([]);
  });

  test.each([
    ["local('touch pwned')", "local()"],
    ["local_resource('a', 'touch pwned')", 'local_resource("a")'],
    ["local_resource('a', serve_cmd='touch pwned')", 'local_resource("a")'],
    ["custom_build('a', 'touch pwned', [])", 'custom_build("a")'],
    ["k8s_custom_deploy('a', 'touch pwned', 'true', [])", 'k8s_custom_deploy("a")'],
    ["helm('.')", "helm()"],
    ["kustomize('.')", "kustomize()"],
    ["docker_compose('compose.yaml')", "docker_compose()"],
  ])("is refused at its line with --no-local-exec: %s", async (call, what) => {
    const { code, output, report } = await run(`# harmless\n${call}\n`, ["--no-local-exec"]);
    expect(code).toBe(2);
    expect(output).toContain(
      `${what} runs a command on this machine, which --no-local-exec forbids`,
    );
    expect(report.firstCause[0]?.position).toMatchObject({ line: 2 });
    expect(existsSync(join(stage().directory, "project", "pwned"))).toBe(false);
  });

  test("cannot speak to GitHub's runner, nor break out of its reports", async () => {
    const text = "::set-env name=PATH::x%0A::error::y</script><!--]]>\\x1b[31m";
    const { code } = await run(
      `local_resource("bad", ["printf", "%s\\n", "${text}"], env={})\nlocal_resource("worse", "echo '${text}'; exit 1")\n`,
    );
    expect(code).toBe(1);
    const page = readFileSync(join(stage().directory, "reports", "report.html"), "utf8");
    expect(page).not.toContain("y</script>");
    const xml = readFileSync(join(stage().directory, "reports", "junit.xml"), "utf8");
    expect(xml).not.toMatch(/[^ -\uffff\n\t]/);
  });
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
