import { describe, expect, test } from "vitest";
import type { LocalResource } from "../../../../src/model/plan.ts";
import { evaluateFiles, failureOf, logOf, withShortPaths } from "../evaluation.ts";

/* Commands of this machine, probes and trigger modes (tiltfile-api.md §4), where no golden file says it. */

const refused = (call: string) => failureOf(call)?.replace(/^Error in \w+: /, "");

function locals(tiltfile: string): LocalResource[] {
  const { plan, error } = withShortPaths(evaluateFiles({ Tiltfile: tiltfile }));
  if (error !== undefined) throw error;
  return plan!.resources.filter((r): r is LocalResource => r.type === "local");
}

describe("local()", () => {
  test.each([
    ["local()", "local: missing argument for command"],
    ['local("")', /empty cmd$/],
    ["local([])", /empty cmd$/],
    ["local(None)", "a command must be a string or list of strings. found starlark.NoneType"],
    ['local(blob("x"))', "a command must be a string or list of strings. found io.Blob"],
    [
      'local(["a", 1])',
      "a command must be a string or a list of strings: '1' is a starlark.Int, not a string",
    ],
    ['local("true", quiet=None)', 'local: for parameter "quiet": got NoneType, want bool'],
    [
      'local("true", env={"A": 1})',
      'local: for parameter "env": value is not a string: starlark.Int (1)',
    ],
    ['local("true", dir="none")', /no such file or directory$/],
  ])("refuses %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });

  test.each([
    ['local("echo a; echo b >&2")', "local: echo a; echo b >&2\n → a\n → b"],
    ['local("true")', "local: true\n → [no output]"],
    ['local("true", quiet=True)', "local: true"],
    ['local("true", echo_off=True)', ""],
    ['local("echo a", quiet=True, echo_off=True)', ""],
    ['local(["printf", "%s", "a b"])', 'local: printf %s "a b"\n → a b'],
    ['local("cat", stdin="in", echo_off=True)', " → in"],
    ['local("cat", stdin=blob("in"), echo_off=True)', " → in"],
    ['os.putenv("A", "1")\nlocal("echo $A$B", env={"B": "2"}, echo_off=True)', " → 12"],
  ])("%s logs %j", (tiltfile, log) => {
    expect(logOf(tiltfile)).toBe(log);
  });

  test("gives standard output as it is, its last line end included", () => {
    expect(
      logOf(
        "x = local(\"printf 'a\\\\n\\\\n'\", quiet=True, echo_off=True)\nprint(repr(str(x)), type(x))",
      ),
    ).toBe('"a\\n\\n" blob');
  });

  test("shows a failed command's output only when it was quiet", () => {
    const { error, log } = evaluateFiles({ Tiltfile: 'local("echo out; echo err >&2; exit 2")' });
    expect(error?.message).toMatch(
      /Error in local: command "echo out; echo err >&2; exit 2" failed\.\nerror: exit status 2$/,
    );
    expect(log).toContain(" → out\n");
    const quiet = evaluateFiles({
      Tiltfile: 'local("echo out; echo err >&2; exit 2", quiet=True)',
    });
    expect(quiet.error?.message).toContain("error: exit status 2\nstdout:\nout\n\nstderr:\nerr\n");
  });

  test("is refused for a cluster that may be somebody's, unless it is allowed before", () => {
    const foreign = { kubeContext: { name: "prod", namespace: "default", allowed: false } };
    const { error } = evaluateFiles(
      { Tiltfile: 'local("true")\nallow_k8s_contexts("prod")' },
      () => foreign,
    );
    expect(error?.message).toContain(
      "Refusing to run 'local' because prod might be a production kube context.",
    );
    const allowed = evaluateFiles(
      { Tiltfile: 'allow_k8s_contexts(["a", "prod"])\nlocal("true")' },
      () => foreign,
    );
    expect(allowed.error).toBeUndefined();
  });
});

describe("local_resource()", () => {
  test.each([
    [
      'local_resource("a")',
      "local_resource must have a cmd and/or a serve_cmd, but both were empty",
    ],
    [
      'local_resource("a", "", serve_cmd=[])',
      "local_resource must have a cmd and/or a serve_cmd, but both were empty",
    ],
    [
      'local_resource("a", "x", serve_dir="d")',
      "local_resource: 'serve_dir' specified but 'serve_cmd' is empty",
    ],
    ['local_resource("a", dir="d")', "local_resource: 'dir' specified but 'cmd' is empty"],
    [
      'local_resource("a/b", "x")',
      "local_resource: for parameter name: invalid value \"a/b\": may not contain '/'",
    ],
    [
      'local_resource("a%", "x")',
      "local_resource: for parameter name: invalid value \"a%\": may not contain '%'",
    ],
    ['local_resource("..", "x")', /^local_resource: for parameter name: invalid value "\.\."/],
    ['local_resource("", "x")', "local_resource: name must not be empty"],
    [
      'local_resource("a", "x")\nlocal_resource("a", "y")',
      'local_resource named "a" already exists',
    ],
    [
      'k8s_custom_deploy("a", "x", "y", [])\nlocal_resource("a", "y")',
      'k8s_resource named "a" already exists',
    ],
    [
      'local_resource("a", "x", trigger_mode=1)',
      'local_resource: for parameter "trigger_mode": got int, want TriggerMode',
    ],
    [
      'local_resource("a", "x", deps={})',
      'local_resource: for parameter "deps": value should be a string or List or Tuple of strings, but is of type dict',
    ],
    [
      'local_resource("a", "x", ignore=[1])',
      "ignore must be a string or a sequence of strings; found a starlark.Int",
    ],
    [
      'local_resource("a", "x", resource_deps=[1])',
      "local_resource: resource_deps: '1' is a starlark.Int, not a string",
    ],
    [
      'local_resource("a", "x", links="")',
      /^local_resource: for parameter "links": validating URL "": url empty$/,
    ],
    [
      'local_resource("a", "x", readiness_probe=1)',
      /^local_resource: for parameter "readiness_probe": /,
    ],
    [
      'local_resource("a", "x", allow_parallel=1)',
      'local_resource: for parameter "allow_parallel": got int, want bool',
    ],
  ])("refuses %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });

  test("runs alone when it has a command, unless it may run beside others", () => {
    const parallel = (rest: string) => locals(`local_resource("a", ${rest})`)[0]!.allowParallel;
    expect(parallel('"x"')).toBe(false);
    expect(parallel('"x", allow_parallel=True')).toBe(true);
    expect(parallel('serve_cmd="x"')).toBe(true);
    expect(parallel('"x", serve_cmd="y"')).toBe(false);
  });

  test("resolves paths against the file that runs, not the one that defines the function", () => {
    const { plan } = withShortPaths(
      evaluateFiles({
        Tiltfile: 'load("lib/Tiltfile", "make")\nmake("main")',
        "lib/Tiltfile": 'def make(name): local_resource(name, "x", deps="src")\nmake("lib")\n',
      }),
    );
    const found = (plan!.resources as LocalResource[]).map(({ name, deps, updateCmd }) => [
      name,
      deps,
      updateCmd!.dir,
    ]);
    expect(found).toEqual([
      ["lib", ["$D/lib/src"], "$D/lib"],
      ["main", ["$D/src"], "$D"],
    ]);
  });
});

test("test() is local_resource() that may run beside others, with a warning", () => {
  const { plan } = evaluateFiles({ Tiltfile: 'test("a", "x")' });
  expect(plan!.resources[0]).toMatchObject({ allowParallel: true, isTest: true });
  expect(plan!.warnings[0]!.message).toContain(
    "test() is deprecated and will be removed in a future release.",
  );
});

describe("probe()", () => {
  test.each([
    [
      'probe(exec=exec_action(["x"]), tcp_socket=tcp_socket_action(1))',
      "exactly one of exec, http_get, or tcp_socket must be specified",
    ],
    ["probe(exec=1)", 'probe: for parameter "exec": got starlark.Int, want ExecAction'],
    [
      "probe(exec=tcp_socket_action(1))",
      'probe: for parameter "exec": got probe.TCPSocketAction, want ExecAction',
    ],
    [
      "probe(timeout_secs=1 << 40, tcp_socket=tcp_socket_action(1))",
      /for parameter "timeout_secs": .*out of range/,
    ],
    ["exec_action()", "exec_action: missing argument for command"],
    ['exec_action("x")', /^exec_action: for parameter command: /],
    ["exec_action([1])", "exec_action: for parameter command: '1' is a starlark.Int, not a string"],
    ["http_get_action()", "http_get_action: missing argument for port"],
    ['http_get_action("80")', "http_get_action: for parameter port: got string, want int"],
    ["tcp_socket_action(host='h')", "tcp_socket_action: missing argument for port"],
  ])("refuses %s", (call, message) => {
    if (typeof message === "string") expect(refused(call)).toBe(message);
    else expect(refused(call)).toMatch(message);
  });

  test.each([
    ["tcp_socket=tcp_socket_action(1)", { type: "tcp", port: 1, host: "localhost" }],
    [
      'http_get=http_get_action(80, scheme="https", host="h", path="/p")',
      { type: "http", port: 80, host: "h", path: "/p", scheme: "https" },
    ],
    [
      "http_get=http_get_action(80)",
      { type: "http", port: 80, host: "localhost", path: "", scheme: "http" },
    ],
    ['exec=exec_action(("a", "b"))', { type: "exec", argv: ["a", "b"] }],
    ["exec=None, tcp_socket=tcp_socket_action(2)", { type: "tcp", port: 2, host: "localhost" }],
  ])("takes %s", (argument, action) => {
    const [resource] = locals(
      `local_resource("a", serve_cmd="x", readiness_probe=probe(${argument}))`,
    );
    expect(resource!.readinessProbe).toEqual({
      initialDelaySecs: 0,
      timeoutSecs: 1,
      periodSecs: 10,
      successThreshold: 1,
      failureThreshold: 3,
      action,
    });
  });
});

describe("trigger_mode()", () => {
  test.each([
    [
      "trigger_mode(TRIGGER_MODE_AUTO)\ntrigger_mode(TRIGGER_MODE_AUTO)",
      "trigger_mode can only be called once. It was already called at $D/Tiltfile:1:13",
    ],
    ["trigger_mode(0)", /^trigger_mode: for parameter trigger_mode: got int, want TriggerMode$/],
    ["trigger_mode()", "trigger_mode: missing argument for trigger_mode"],
  ])("refuses %s", (calls, message) => {
    if (typeof message === "string") expect(refused(calls)).toBe(message);
    else expect(refused(calls)).toMatch(message);
  });
});

describe("k8s_custom_deploy()", () => {
  const build = 'docker_build("app", ".", dockerfile_contents="FROM x")\n';

  test.each([
    ['k8s_custom_deploy("a", "", "y", [])', "k8s_custom_deploy: apply_cmd cannot be empty"],
    ['k8s_custom_deploy("a", "x", [], [])', "k8s_custom_deploy: delete_cmd cannot be empty"],
    [
      'k8s_custom_deploy("a", None, "y", [])',
      "apply_cmd: a command must be a string or list of strings. found starlark.NoneType",
    ],
    [
      'k8s_custom_deploy("a", "x", "y", [], live_update=[run("z")])',
      "k8s_custom_deploy: no Live Update selector specified",
    ],
    [
      'k8s_custom_deploy("a", "x", "y", [], live_update=[run("z")], image_selector="i", container_selector="c")',
      "k8s_custom_deploy: cannot specify more than one Live Update selector",
    ],
    [
      'local_resource("a", "x")\nk8s_custom_deploy("a", "x", "y", [])',
      'error making resource for a: local_resource named "a" already exists',
    ],
    [
      'k8s_custom_deploy("a", "x", "y", [])\nk8s_custom_deploy("a", "x", "y", [])',
      'error making resource for a: k8s_resource named "a" already exists',
    ],
  ])("refuses %s", (calls, message) => {
    expect(refused(calls)).toBe(message);
  });

  test("names the build that it wants and nothing makes", () => {
    const { error } = evaluateFiles({
      Tiltfile: `${build}k8s_custom_deploy("a", "x", "y", [], image_deps=["ap"])`,
    });
    expect(error?.message).toContain('resource "a": image build "ap" not found');
  });
});
