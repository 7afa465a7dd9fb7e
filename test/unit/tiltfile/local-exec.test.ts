import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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
