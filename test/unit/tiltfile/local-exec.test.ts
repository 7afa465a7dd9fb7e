import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { tiltShim } from "../../../src/tiltfile/tilt-shim.ts";
import { evaluateFiles, failureOf, logOf } from "./evaluation.ts";

describe("--no-local-exec refuses", () => {
  test.each([
    ['local("true")', "Error in local: local() runs a command"],
    ['local_resource("a", "true")', 'Error in local_resource: local_resource("a") runs a command'],
    ['test("a", "true")', 'Error in test: test("a") runs a command'],
    ['custom_build("a", "true", [])', 'Error in custom_build: custom_build("a") runs a command'],
    [
      'k8s_custom_deploy("a", "true", "true", [])',
      'Error in k8s_custom_deploy: k8s_custom_deploy("a") runs a command',
    ],
    ['helm(".")', "Error in helm: helm() runs a command"],
    ['kustomize(".")', "Error in kustomize: kustomize() runs a command"],
    ['docker_compose("c.yml")', "Error in docker_compose: docker_compose() runs a command"],
  ])("%s", (call, message) => {
    const { error } = evaluateFiles(
      { Tiltfile: call, "Chart.yaml": "name: a", "c.yml": "" },
      () => ({
        allowLocalExec: false,
      }),
    );
    expect(error?.message).toContain(`${message} on this machine, which --no-local-exec forbids`);
  });
});

describe("commands of a Tiltfile", () => {
  test("see the environment as the Tiltfile left it", () => {
    const log = logOf(
      'os.putenv("A", "1")\nos.environ["B"] = "2"\nlocal("echo $A$B$C", env={"C": "3"}, echo_off=True)',
    );
    expect(log).toBe(" → 123");
  });

  test("find a stand-in for tilt first on PATH", () => {
    expect(logOf('local("tilt version", echo_off=True)')).toMatch(/^ → v0\.\d+\.\d+, built /);
    expect(logOf('local(["tilt", "get", "uiresource", "-o", "json"], echo_off=True)')).toContain(
      '"items":[]',
    );
    expect(logOf('local("echo {} | tilt apply -f -")')).toContain("[no output]");
    expect(failureOf('local("tilt demo")')).toBe("error: exit status 1");
  });

  test("cannot set variables that no process can have", () => {
    expect(logOf('os.putenv("", "x")\nos.putenv("A=B", "x")\nprint(os.getenv("A=B"))')).toBe(
      "None",
    );
  });

  test.each([
    ['local(["none-such"])', 'error: exec: "none-such": executable file not found in $PATH'],
    ['local(["./none"])', "error: fork/exec ./none: no such file or directory"],
    ['local("")', "error: empty cmd"],
    ['local("x\\0")', expect.stringMatching(/^error: fork\/exec .*\/sh: invalid argument$/)],
    ['local("x", env={"A": "\\0"})', "error: exec: environment variable contains NUL"],
    ['local("x", dir="none")', expect.stringMatching(/^error: fork\/exec .*\/sh: no such file/)],
    ['local("kill -9 $$")', "error: exit status -1"],
  ])("%s fails in Go's words", (call, message) => {
    expect(failureOf(call)).toEqual(message);
  });
});

test("the plan tells neither the arguments of commands whose echo is off nor where the stand-in is", () => {
  const { plan } = evaluateFiles({
    Tiltfile: `local("echo shown | %s apply -f -" % sys.executable)
local(["echo", "hunter2"], echo_off=True)
local("echo hunter2 | cat", echo_off=True, quiet=True)
local("A=hunter2 true", echo_off=True)`,
  });
  expect(plan?.environment.commands).toEqual([
    ["sh", "-c", "echo shown | tilt apply -f -"],
    ["echo", "…"],
    ["sh", "-c", "echo …"],
    ["sh", "-c", "…"],
  ]);
});

describe("the stand-in for tilt", () => {
  const shimDirectory = mkdtempSync(join(tmpdir(), "tci-shim-"));
  const { executable } = tiltShim({ shimDirectory })!;
  afterAll(() => rmSync(shimDirectory, { recursive: true }));
  const ask = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(executable, args, { encoding: "utf8", input: "" });
    return { status, stdout, stderr };
  };

  test.each(["doctor", "docker-prune", "verify-install", "apply", "delete", "analytics"])(
    "takes tilt %s in silence",
    (command) => expect(ask(command, "x")).toEqual({ status: 0, stdout: "", stderr: "" }),
  );

  test.each(["trigger", "enable", "disable"])("says that tilt %s changes nothing", (command) => {
    expect(ask(command, "x")).toEqual({
      status: 0,
      stdout: "",
      stderr: `tilt ${command} has no effect within tilt-ci\n`,
    });
  });

  test("does not pretend to have waited", () => {
    expect(ask("wait", "--for=condition=Ready", "uiresource/web")).toEqual({
      status: 1,
      stdout: "",
      stderr: "tilt wait is not available within tilt-ci: use resource_deps\n",
    });
  });

  test("dumps an engine that knows nothing", () => {
    expect(ask("dump", "engine")).toEqual({ status: 0, stdout: "{}\n", stderr: "" });
  });

  test.each([
    [["get", "kd", "-o", "json"]],
    [["get", "--output=json", "uiresources"]],
    [["get", "-ojson", "cmd", "--port", "1"]],
  ])("answers %j with an empty list", (args) => {
    const { status, stdout } = ask(...args);
    expect([status, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ items: [] })]);
  });

  test.each([[["get", "kd"]], [["get", "uiresource", "-o", "name"]], [["get", "-l", "a=b", "kd"]]])(
    "answers %j with nothing",
    (args) => {
      expect(ask(...args)).toEqual({ status: 0, stdout: "", stderr: "No resources found\n" });
    },
  );

  test.each([
    [["get", "kd", "web", "-ojsonpath={.status}"], "kd", "web"],
    [["get", "-o", "json", "kd", "web"], "kd", "web"],
    [["get", "uiresource/web"], "uiresource", "web"],
    [["describe", "--port", "1", "cmd", "x"], "cmd", "x"],
  ])(
    "says of %j that there is none, as Tilt does before it has deployed anything",
    (args, kind, name) => {
      expect(ask(...args)).toEqual({
        status: 1,
        stdout: "",
        stderr: `Error from server (NotFound): ${kind}.tilt.dev "${name}" not found
tilt-ci keeps no objects of Tilt's API\n`,
      });
    },
  );

  test("finds nothing where that is allowed", () => {
    expect(ask("get", "kd", "web", "--ignore-not-found")).toMatchObject({ status: 0, stdout: "" });
  });

  test("watches for ever", async () => {
    const child = spawn(executable, ["get", "cmd", "--watch", "-o", "name"], { stdio: "ignore" });
    const ended = new Promise((done) => child.on("exit", (_, signal) => done(signal)));
    expect(await Promise.race([ended, sleep(300, "watching")])).toBe("watching");
    child.kill();
    expect(await ended).toBe("SIGTERM");
  });

  test("comes first on the PATH of what runs later", () => {
    const { plan } = evaluateFiles({ Tiltfile: 'os.putenv("PATH", "/bin")' });
    expect(plan?.environment.env.PATH).toMatch(/^\/.*\/shim:\/bin$/);
  });

  test.each(["up", "down", "ci"])("has no tilt %s", (command) => {
    expect(ask(command)).toEqual({
      status: 1,
      stdout: "",
      stderr: `tilt ${command} is not available within tilt-ci\n`,
    });
  });
});

test("the stand-in reports the version that was asked for", () => {
  const shimDirectory = mkdtempSync(join(tmpdir(), "tci-shim-"));
  const shim = tiltShim({ shimDirectory, tiltVersion: "9.8.7" });
  expect(execFileSync(shim!.executable, ["version"], { encoding: "utf8" })).toMatch(/^v9\.8\.7, /);
  rmSync(shimDirectory, { recursive: true });
  expect(tiltShim({ tiltVersion: "9.8.7" })).toBeUndefined();
  const { error } = evaluateFiles({ Tiltfile: 'version_settings(constraint="<1.0.0")' }, () => ({
    tiltVersion: "9.8.7",
  }));
  expect(error?.message).toContain("you are running Tilt version 9.8.7");
});
