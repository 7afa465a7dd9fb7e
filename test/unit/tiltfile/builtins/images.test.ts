import { describe, expect, test } from "vitest";
import type { CustomBuild, DockerBuild } from "../../../../src/model/plan.ts";
import { evaluateFiles, failureOf, withShortPaths } from "../evaluation.ts";

/* docker_build, custom_build and default_registry (tiltfile-api.md §2, §10), where no golden file says it. */

const pod = (image: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "${image}"}]}\n`;

const docker = (ref: string, rest = "") =>
  `docker_build("${ref}", ".", dockerfile_contents="FROM scratch"${rest})`;

/** Evaluates with a pod that runs an image. */
function deploying(image: string, tiltfile: string, env: Readonly<Record<string, string>> = {}) {
  const files = { Tiltfile: `${tiltfile}\nk8s_yaml("p.yaml")`, "p.yaml": pod(image) };
  return withShortPaths(
    evaluateFiles(files, (directory) => ({
      env: { PATH: process.env.PATH ?? "", HOME: directory, ...env },
    })),
  );
}

function built(tiltfile: string, env: Readonly<Record<string, string>> = {}) {
  const { plan, error } = deploying("app", tiltfile, env);
  if (error !== undefined) throw error;
  return plan!.images;
}

const refused = (call: string) => failureOf(call)?.replace(/^Error in \w+: /, "");

describe("docker_build()", () => {
  test.each([
    ['docker_build("a")', "docker_build: missing argument for context"],
    ["docker_build(1, '.')", "docker_build: for parameter ref: got int, want string"],
    ['docker_build(blob("a"), ".")', "docker_build: for parameter ref: got blob, want string"],
    [
      'docker_build("a", None)',
      "docker_build: for parameter context: expected path | string. Actual type: starlark.NoneType",
    ],
    [
      'docker_build("a", blob("."))',
      "docker_build: for parameter context: expected path | string. Actual type: io.Blob",
    ],
    [
      'docker_build("a", ".", dockerfile="D", dockerfile_contents="FROM x")',
      "Cannot specify both dockerfile and dockerfile_contents keyword arguments",
    ],
    [
      'docker_build("a", ".", dockerfile_contents=None)',
      "Argument (dockerfile_contents): must be string or blob.",
    ],
    [
      docker("a", ", entrypoint=None"),
      "a command must be a string or list of strings. found starlark.NoneType",
    ],
    [
      docker("a", ', build_args={"A": 1}'),
      'docker_build: for parameter "build_args": value is not a string: starlark.Int (1)',
    ],
    [
      docker("a", ', build_args=["A"]'),
      'docker_build: for parameter "build_args": expected dict, got *starlark.List',
    ],
    [
      docker("a", ", ignore=[1]"),
      "ignore must be a string or a sequence of strings; found a starlark.Int",
    ],
    [docker("a", ', ignore="a\\nb"'), 'ignore cannot contain newlines; found ignore: "a\\nb"'],
    [
      docker("a", ', only="*.go"'),
      "'only' does not support '*' file globs. Must be a real path: *.go",
    ],
    [
      docker("a", ", container_args=[1]"),
      "Argument 'container_args': '1' is a starlark.Int, not a string",
    ],
    [
      docker("a", ', extra_tag="A"'),
      'Argument extra_tag="A" not a valid image reference: invalid reference format: repository name (library/A) must be lowercase',
    ],
    [
      docker("a", ", ssh={}"),
      'docker_build: for parameter "ssh": value should be a string or List or Tuple of strings, but is of type dict',
    ],
    [docker("a", ", pull=1"), 'docker_build: for parameter "pull": got int, want bool'],
    [
      docker("a", ", match_in_env_vars=None"),
      'docker_build: for parameter "match_in_env_vars": got NoneType, want bool',
    ],
    [
      docker("a", ", pathToContext=1"),
      'docker_build: unexpected keyword argument "pathToContext" (did you mean context?)',
    ],
  ])("refuses %s", (call, message) => {
    expect(refused(call)).toBe(message);
  });

  test("takes an absent Dockerfile from the context, and a given one from the Tiltfile's folder", () => {
    const files = { "sub/Dockerfile": "FROM a\n", "other.Dockerfile": "FROM b\n" };
    const dockerfileOf = (rest: string) => {
      const { plan } = withShortPaths(
        evaluateFiles({
          ...files,
          Tiltfile: `docker_build("x", "sub"${rest})\nk8s_yaml(blob("""${pod("x")}"""))`,
        }),
      );
      return (plan!.images[0] as DockerBuild).dockerfile;
    };
    expect(dockerfileOf("")).toBe("$D/sub/Dockerfile");
    expect(dockerfileOf(", dockerfile=None")).toBe("$D/sub/Dockerfile");
    expect(dockerfileOf(', dockerfile="other.Dockerfile"')).toBe("$D/other.Dockerfile");
  });

  test("takes its platform from the environment unless it is given one", () => {
    const platform = (rest: string) =>
      (built(docker("app", rest), { DOCKER_DEFAULT_PLATFORM: "linux/arm64" })[0] as DockerBuild)
        .platform;
    expect(platform("")).toBe("linux/arm64");
    expect(platform(', platform="linux/amd64"')).toBe("linux/amd64");
  });

  test("warns of cache=, which does nothing", () => {
    const { plan } = deploying("app", docker("app", ', cache="/x"'));
    expect(plan!.warnings.map(({ message }) => message)).toEqual([
      "docker_build(cache=...) is obsolete, and currently a no-op.\nYou should switch to live_update to optimize your builds.",
    ]);
  });
});

describe("custom_build()", () => {
  test.each([
    ['custom_build("a", "", [])', "Argument 2 (command) can't be empty"],
    ['custom_build("a", [], [])', "Argument 2 (command) can't be empty"],
    [
      'custom_build("a", None, [])',
      "Argument 2 (command): a command must be a string or list of strings. found starlark.NoneType",
    ],
    [
      'custom_build("a", blob("x"), [])',
      "Argument 2 (command): a command must be a string or list of strings. found io.Blob",
    ],
    [
      'custom_build("a", "x", {})',
      "custom_build: for parameter deps: value should be a string or List or Tuple of strings, but is of type dict",
    ],
    [
      'custom_build("a", "x", [1])',
      "custom_build: for parameter deps: unpacking list item at index 0: expected path | string. Actual type: starlark.Int",
    ],
    [
      'custom_build("a", "x", [], image_deps="b")',
      'custom_build: for parameter "image_deps": value should be a List or Tuple of strings, but is of type string',
    ],
    [
      'custom_build("a", "x", [], image_deps=["B"])',
      'custom_build: for parameter "image_deps": must be a valid image reference: invalid reference format: repository name (library/B) must be lowercase',
    ],
    [
      'custom_build("a", "x", [], env={"": "x"})',
      'Argument 2 (command): environment has empty key for value "x"',
    ],
    [
      'custom_build("a", "x", [], env={"A": None})',
      'custom_build: for parameter "env": value is not a string: starlark.NoneType (None)',
    ],
  ])("refuses %s", (call, message) => {
    expect(refused(call)).toBe(message);
  });

  test("takes None for no deps and no image_deps, and gives a value without attributes", () => {
    const { log, plan } = deploying(
      "app",
      'x = custom_build("app", ["make", "a b"], None, image_deps=None, env=None, dir=None)\nprint(type(x), x, dir(x))',
    );
    expect(log).toContain('custom_build custom_build("docker.io/library/app") []\n');
    expect(plan!.images[0]).toMatchObject({
      deps: [],
      imageDeps: [],
      command: { argv: ["make", "a b"], dir: "$D", env: {} },
    });
  });

  test("sorts its environment, over the inherited one", () => {
    const [image] = built(
      'custom_build("app", "make", [], env={"B": "2", "A": blob("1")}, dir="sub")',
    );
    expect(Object.entries((image as CustomBuild).command.env)).toEqual([
      ["A", "1"],
      ["B", "2"],
    ]);
    expect((image as CustomBuild).command.dir).toBe("$D/sub");
  });
});

describe("an image matches", () => {
  const runs = (image: string, ...builds: string[]) => {
    const { plan, error } = deploying(image, builds.map((ref) => docker(ref)).join("\n"));
    if (error !== undefined) throw error;
    return plan!.images.filter(({ usedBy }) => usedBy.length > 0).map(({ ref }) => ref);
  };

  test.each([
    ["index.docker.io/foo", ["foo"]],
    ["foo:v1", ["foo"]],
    [`foo@sha256:${"a".repeat(64)}`, ["foo"]],
    ["foo:v1", ["foo:v1"]],
    ["gcr.io/a/foo:x", ["gcr.io/a/foo"]],
  ])("%s for a build of %j", (image, builds) => {
    expect(runs(image, ...builds)).toEqual(builds);
  });

  test.each([
    ["foo", "foo:latest"],
    ["foo:v2", "foo:v1"],
    ["foo", "library2/foo"],
    ["gcr.io/foo", "foo"],
  ])("%s not for a build of %s", (image, ref) => {
    expect(runs(image, ref)).toEqual([]);
  });

  test("however it is spelt", () => {
    expect(runs("foo", "docker.io/library/foo")).toEqual(["foo"]);
  });

  test("exactly, when builds share a name", () => {
    expect(runs("foo:b", "foo:a", "foo:b")).toEqual(["foo:b"]);
    expect(runs("foo:c", "foo:a", "foo:b")).toEqual([]);
  });

  test("in environment variables only where its build says so, and as a whole", () => {
    const yaml = (value: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x, env: [{name: A, value: "${value}"}]}]}\n`;
    const used = (value: string, rest: string) =>
      evaluateFiles({
        Tiltfile: `${docker("foo", rest)}\nk8s_yaml("p.yaml")`,
        "p.yaml": yaml(value),
      }).plan!.images.flatMap(({ usedBy }) => usedBy);
    expect(used("foo:x", ", match_in_env_vars=True")).toEqual(["p"]);
    expect(used("foo", "")).toEqual([]);
    expect(used("see foo", ", match_in_env_vars=True")).toEqual([]);
  });
});

describe("images that are built from others", () => {
  test("come after them, through FROM, ARG and COPY --from; a stage of that name counts too", () => {
    const dockerfile = "ARG BASE=none\\nFROM ${BASE} AS tool\\nCOPY --from=lib /a /b";
    const images = built(
      [
        `docker_build("app", ".", dockerfile_contents="${dockerfile}", build_args={"BASE": "base:x"})`,
        docker("lib"),
        docker("base"),
      ].join("\n"),
    );
    expect(images.map(({ ref }) => ref).at(-1)).toBe("app");
    expect([...images.at(-1)!.dependsOn].sort()).toEqual(["base", "lib"]);
    expect(images.map(({ deployed }) => deployed)).toEqual([false, false, true]);
  });

  test("must not go in a circle", () => {
    const from = (ref: string, base: string) =>
      `docker_build("${ref}", ".", dockerfile_contents="FROM ${base}")\n`;
    expect(deploying("app", from("app", "b") + from("b", "app")).error?.message).toContain(
      "Image dependency cycle: ",
    );
  });

  test("name what custom_build wants and nothing builds", () => {
    const { error } = deploying("app", 'custom_build("app", "x", [], image_deps=["bass"])');
    expect(error?.message).toContain('image "app": image dep "bass" not found');
  });
});

describe("default_registry()", () => {
  test.each([
    ['default_registry("a.io")\ndefault_registry("b.io")', "default registry already defined"],
    ["default_registry()", "default_registry: missing argument for host"],
    ['default_registry("")', "validating defaultRegistry: host: Required value"],
    ["default_registry(None)", "default_registry: for parameter host: got NoneType, want string"],
    [
      'default_registry("localhost:5000", host_from_cluster="foo")',
      'validating defaultRegistry: hostFromContainerRuntime: Invalid value: "foo": repository name must be canonical',
    ],
  ])("refuses %s", (calls, message) => {
    expect(refused(calls)).toBe(message);
  });

  test("counts wherever it stands", () => {
    const { plan } = deploying(
      "app",
      `${docker("app")}\ndefault_registry("r.io", host_from_cluster="in:5000", single_name="one")`,
    );
    expect(plan!.settings.defaultRegistry).toEqual({
      host: "r.io",
      hostFromCluster: "in:5000",
      singleName: "one",
    });
  });
});
