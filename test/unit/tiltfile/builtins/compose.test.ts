import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { ComposeProject, ComposeResource } from "../../../../src/model/plan.ts";
import { evaluateFiles, withShortPaths } from "../evaluation.ts";

/* docker_compose and dc_resource (tiltfile-api.md §6), with a stand-in for Docker that answers from files. */

const DOCKER = `#!/bin/sh
case "$*" in
  *version) echo "Docker Compose version \${COMPOSE_VERSION:-v2.27.0}" ;;
  *--no-interpolate*) cat "$TEST_DIR/raw.json" ;;
  *config*) echo "$COMPOSE_PROFILES" > "$TEST_DIR/profiles"; echo "$*" >> "$TEST_DIR/calls"; cat > "$TEST_DIR/stdin"; cat "$TEST_DIR/config.json" ;;
esac
`;

const SETUP = `
local("chmod +x bin/docker", quiet=True, echo_off=True)
os.putenv("PATH", os.getcwd() + "/bin:" + os.getenv("PATH"))
os.putenv("TEST_DIR", os.getcwd())
`.trim();

const SHOP = {
  web: {
    build: { context: "web" },
    depends_on: { db: { condition: "service_started" }, cache: { condition: "service_healthy" } },
    ports: [{ published: "8080" }, { published: "9000-9010" }, {}],
  },
  db: { image: "postgres:16" },
  cache: { image: "redis", healthcheck: { test: ["CMD", "ping"] } },
};

/** Evaluates what follows the setup, with Compose resolving any files to these services. */
function compose(
  tiltfile: string,
  files: Readonly<Record<string, string>> = {},
  services: object = SHOP,
) {
  const outcome = evaluateFiles({
    Tiltfile: `${SETUP}\n${tiltfile}`,
    "bin/docker": DOCKER,
    "config.json": JSON.stringify({ services }),
    "compose.yml": "services: {}\n",
    ...files,
  });
  const { error, log } = outcome;
  const { plan } = withShortPaths(outcome);
  return {
    error: error?.message,
    log,
    warnings: plan?.warnings.map(({ message }) => message),
    files: plan?.environment.files ?? [],
    projects: (plan?.composeProjects ?? []) as readonly ComposeProject[],
    services: (plan?.resources ?? []).filter(
      (resource): resource is ComposeResource => resource.type === "compose",
    ),
  };
}

/** What docker_compose or dc_resource says of what is wrong, without the traceback. */
function reason(error: string | undefined): string | undefined {
  return error?.replace(/^Traceback[\s\S]*\nError in (docker_compose|dc_resource): /, "");
}

describe("docker_compose() names the project", () => {
  test.each([
    ["after what it is given", 'docker_compose("compose.yml", project_name="shop-2")', "shop-2"],
    ["after the folder of its first file", 'docker_compose("My.Shop_1/a.yml")', "myshop_1"],
    [
      "after the folder of its first file, not of a Blob before it",
      'docker_compose([blob("services: {}"), "My.Shop_1/a.yml"])',
      "myshop_1",
    ],
    // Tilt always passes a name, and so overrules the file's own.
    ["without regard to a name in the file", 'docker_compose("named/a.yml")', "named"],
    ["after the Tiltfile's folder for a Blob alone", 'include("inner/Tiltfile")', "inner"],
  ])("%s", (_, tiltfile, name) => {
    const files = {
      "My.Shop_1/a.yml": "services: {}\n",
      "named/a.yml": "name: other\nservices: {}\n",
      "inner/Tiltfile": 'docker_compose(blob("services: {}"))',
    };
    expect(compose(tiltfile, files).projects.map((project) => project.name)).toEqual([name]);
  });
});

describe("docker_compose()", () => {
  test("makes resources of services, dependencies first, that wait for one another", () => {
    const { services } = compose('docker_compose("compose.yml", project_name="p")');
    expect(services.map(({ name, resourceDeps }) => [name, resourceDeps])).toEqual([
      ["cache", []],
      ["db", []],
      ["web", ["cache", "db"]],
    ]);
    expect(services.map(({ imageRef, composeBuild }) => [imageRef, composeBuild])).toEqual([
      ["redis", false],
      ["postgres:16", false],
      ["p_web", true],
    ]);
    expect(services[2]!.ports).toEqual([8080]);
  });

  test("knows the files of builds from this machine", () => {
    const { services } = compose(
      'docker_compose("compose.yml", project_name="p")',
      {},
      {
        a: { build: { context: "/src/a" } },
        b: { build: { context: "/src/b", dockerfile: "docker/Dockerfile" } },
        c: { build: { context: "/src/c", dockerfile: "/src/Dockerfile" } },
        d: { build: { context: "https://example.com/d.git", dockerfile: "Dockerfile" } },
        e: { build: { context: "/src/e", dockerfile_inline: "FROM a" } },
        f: { image: "redis" },
      },
    );
    expect(services.map(({ buildFiles }) => buildFiles)).toEqual([
      { context: "/src/a", dockerfile: "/src/a/Dockerfile" },
      { context: "/src/b", dockerfile: "/src/b/docker/Dockerfile" },
      { context: "/src/c", dockerfile: "/src/Dockerfile" },
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("counts its files, and those of its services' environments, as read", () => {
    const { files } = compose('docker_compose("compose.yml", env_file="local.env")', {
      "compose.yml": "services: {web: {env_file: [web.env, /etc/shop.env]}}\n",
      "raw.json": JSON.stringify({
        services: {
          web: { env_file: [{ path: "web.env" }, "/etc/shop.env", "$STAGE.env"] },
          unused: { env_file: "unused.env" },
        },
      }),
    });
    expect(files).toEqual(
      expect.arrayContaining(["compose.yml", "local.env", "web.env"].map((f) => `$D/${f}`)),
    );
    expect(files).toContain("/etc/shop.env");
    expect(files.join()).not.toMatch(/STAGE|unused/);
  });

  test.skipIf(spawnSync("docker", ["compose", "version"]).status !== 0)(
    "asks Compose itself for the files of environments",
    () => {
      const { plan } = withShortPaths(
        evaluateFiles({
          Tiltfile: 'docker_compose("app/compose.yml")',
          "app/compose.yml":
            "services: {a: {image: x, env_file: a.env}, b: {extends: {file: ../base.yml, service: c}}}\n",
          "app/a.env": "",
          "base.yml": "services: {c: {image: x, env_file: [base.env]}}\n",
          "base.env": "",
        }),
      );
      expect(plan?.environment.files).toEqual(
        expect.arrayContaining(["$D/app/a.env", "$D/app/compose.yml", "$D/base.env"]),
      );
    },
  );

  test("manages without the names of environments that Compose cannot tell", () => {
    const { files, services } = compose('docker_compose("compose.yml")', {
      "compose.yml": "services: {web: {env_file: web.env}}\n",
    });
    expect(services).toHaveLength(3);
    expect(files).not.toContain("$D/web.env");
  });

  test("keeps the order of what was there, but for new dependencies", () => {
    const { services } = compose(
      [
        'local("cp first.json config.json", quiet=True, echo_off=True)',
        'docker_compose("compose.yml", project_name="p")',
        'local("cp second.json config.json", quiet=True, echo_off=True)',
        'docker_compose("b.yml", project_name="p")',
      ].join("\n"),
      {
        "b.yml": "",
        "first.json": JSON.stringify({ services: { web: { image: "x" } } }),
        "second.json": JSON.stringify({
          services: {
            web: { image: "x", depends_on: ["z"] },
            z: { image: "x" },
            db: { image: "x" },
          },
        }),
      },
    );
    expect(services.map(({ name }) => name)).toEqual(["z", "web", "db"]);
  });

  test("adds files to a project that is there, and keeps what dc_resource said of it", () => {
    const { projects, services } = compose(
      [
        'docker_compose(["compose.yml", "b.yml"], project_name="p", env_file="a.env", profiles="x")',
        'dc_resource("db", labels="data", new_name="database")',
        'docker_compose(["compose.yml", "c.yml"], project_name="p")',
      ].join("\n"),
      { "b.yml": "", "c.yml": "" },
    );
    expect(projects).toHaveLength(1);
    expect(projects[0]).toMatchObject({
      files: ["compose.yml", "b.yml", "c.yml"].map((file) => ({ path: `$D/${file}` })),
      envFile: "$D/a.env",
      profiles: ["x"],
    });
    expect(services.map(({ name, labels }) => [name, labels])).toEqual([
      ["cache", []],
      ["database", ["data"]],
      ["web", []],
    ]);
  });

  test("keeps a new name where others depend on it, and the image that dc_resource gave", () => {
    const { services, warnings } = compose(
      [
        'docker_compose("compose.yml", project_name="p")',
        'dc_resource("web", new_name="front", image="registry.test/web", trigger_mode=TRIGGER_MODE_MANUAL)',
        'docker_compose("b.yml", project_name="p")',
      ].join("\n"),
      {
        "b.yml": "",
        "config.json": JSON.stringify({
          services: { web: { image: "x" }, db: { image: "y", depends_on: ["web"] } },
        }),
      },
    );
    expect(services).toMatchObject([
      { name: "front", service: "web", imageRef: "registry.test/web", triggerMode: "manual" },
      { name: "db", imageRef: "y", resourceDeps: ["front"] },
    ]);
    expect(warnings).toEqual([]);
  });

  test("feeds all its Blobs to Compose, in order", () => {
    const { log, projects } = compose(
      'docker_compose([blob("a: 1\\n"), "compose.yml", blob("---\\nb: 2\\n")])\nprint(read_file("stdin"))\nprint(read_file("calls"))',
    );
    expect(log).toContain("a: 1\n\n---\nb: 2\n");
    expect(log).toContain(" -f - -f $D/compose.yml config");
    expect(projects[0]!.files).toEqual([
      { content: "a: 1\n" },
      { path: "$D/compose.yml" },
      { content: "---\nb: 2\n" },
    ]);
  });

  test("takes profiles from the environment, unless it is given some", () => {
    const setup = 'os.putenv("COMPOSE_PROFILES", "a,b")\n';
    const { log, projects } = compose(`${setup}docker_compose("compose.yml", project_name="p")`);
    expect(projects[0]!.profiles).toEqual(["a", "b"]);
    expect(log).toContain('Compose project "p" loading profiles from environment: a,b\n');
    const given = compose(`${setup}docker_compose("compose.yml", profiles=["c"])`);
    expect(given.projects[0]!.profiles).toEqual(["c"]);
    const none = compose(
      `${setup}docker_compose("compose.yml", profiles=[])\nprint("<" + str(read_file("profiles")) + ">")`,
    );
    expect(none.projects[0]!.profiles).toEqual([]);
    expect(none.log).toContain("<\n>");
  });

  test("uses the image that the Tiltfile builds, by its name or as dc_resource says", () => {
    const build = 'docker_build("%s", ".", dockerfile_contents="FROM scratch")\n';
    const byName = compose(
      `${build.replace("%s", "docker.io/library/p_web")}docker_compose("compose.yml", project_name="p")`,
    );
    expect(byName.services[2]).toMatchObject({ images: ["p_web"], composeBuild: false });
    const named = compose(
      `${build.replace("%s", "gcr.io/web")}docker_compose("compose.yml")\ndc_resource("web", "gcr.io/web")`,
    );
    expect(named.services[2]).toMatchObject({ images: ["gcr.io/web"], imageRef: "gcr.io/web" });
  });

  test("warns of an image that no service uses, with the nearest that one does", () => {
    const { warnings } = compose(
      'docker_build("redi", ".", dockerfile_contents="FROM x")\ndocker_compose("compose.yml")',
    );
    expect(warnings?.join()).toContain(
      "Image not used in any Docker Compose config:\n    ✕ redi\nDid you mean…\n    - redis\n",
    );
  });

  test.each([
    ["docker_compose()", "docker_compose: missing argument for configPaths"],
    ["docker_compose([])", "Nothing to compose"],
    ["docker_compose(True)", "expected blob | path (string). Actual type: starlark.Bool"],
    [
      'docker_compose("compose.yml", wait=1)',
      'docker_compose: for parameter "wait": expected starlark.Bool or None, got starlark.Int',
    ],
    [
      'docker_compose("compose.yml", env_file=None)',
      'docker_compose: for parameter "env_file": expected path | string. Actual type: starlark.NoneType',
    ],
    [
      'docker_compose("compose.yml", project_name=None)',
      'docker_compose: for parameter "project_name": got NoneType, want string',
    ],
    [
      'docker_compose("compose.yml", project_name="Shop")',
      'getting service web: Error parsing image name "Shop_web": invalid reference format: repository name (library/Shop_web) must be lowercase',
    ],
    [
      'local_resource("web", "true")\ndocker_compose("compose.yml")',
      'local_resource named "web" already exists',
    ],
    [
      'docker_compose("compose.yml")\ndocker_compose("other/a.yml")',
      'dc_resource named "cache" already exists',
    ],
  ])("refuses %s", (tiltfile, message) => {
    expect(reason(compose(tiltfile, { "other/a.yml": "" }).error)).toBe(message);
  });

  test.each([
    [
      "v1.28.0",
      "Tilt requires Docker Compose v1.28.3+ (you have v1.28.0). Please upgrade and re-launch Tilt.",
    ],
    ["v1.29.2", undefined],
    ["v2.2.0", undefined],
    ["v2.40.3-desktop.1", undefined],
    ["dev", undefined],
  ])("finds Compose %s: %s", (version, message) => {
    const { error } = compose(
      `os.putenv("COMPOSE_VERSION", "${version}")\ndocker_compose("compose.yml")`,
    );
    expect(reason(error)).toBe(message);
  });

  test("reads what Compose 1 says, which knows no JSON", () => {
    const { error, log, services } = compose(
      'os.putenv("COMPOSE_VERSION", "v1.29.2")\ndocker_compose("compose.yml", project_name="p")\nprint(read_file("calls"))',
      {
        "config.json": [
          "services:",
          "  web: {build: {context: /w}, depends_on: [db], ports: ['127.0.0.1:8080:80/tcp', {published: 9000}]}",
          "  db: {image: pg, ports: ['5432']}",
        ].join("\n"),
      },
    );
    expect(error).toBeUndefined();
    expect(log).not.toContain("--format");
    expect(services).toMatchObject([
      { name: "db", imageRef: "pg", ports: [] },
      { name: "web", composeBuild: true, resourceDeps: ["db"], ports: [8080, 9000] },
    ]);
  });

  test("warns once of a Compose that Tilt warns of", () => {
    const { warnings } = compose(
      'os.putenv("COMPOSE_VERSION", "v2.0.0-rc.3")\ndocker_compose("compose.yml")\ndocker_compose("compose.yml")',
    );
    expect(warnings).toEqual([
      "Using Docker Compose v2.0.0-rc.3 (version < 2.2) may result in errors or broken functionality.\nFor best results, we recommend upgrading to Docker Compose >= v2.2.0.",
    ]);
  });

  test("runs the program that TILT_DOCKER_COMPOSE_CMD names", () => {
    const { services } = compose(
      'os.putenv("TILT_DOCKER_COMPOSE_CMD", os.getcwd() + "/bin/docker")\nos.putenv("PATH", "/usr/bin:/bin")\ndocker_compose("compose.yml")',
    );
    expect(services).toHaveLength(3);
  });

  test("says what Compose said when it fails", () => {
    const { error } = compose('docker_compose("compose.yml", project_name="p")', {
      "bin/docker": '#!/bin/sh\ncase "$*" in *config*) echo no such service >&2; exit 14;; esac\n',
    });
    expect(error).toContain(
      'Error in docker_compose: command ["docker" "compose" "--project-name" "p" "--project-directory" "$D" "-f" "$D/compose.yml" "config" "--format" "json"] failed.\nerror: exit status 14\n',
    );
    expect(error).toContain("stderr: 'no such service\n'");
  });

  test("refuses what Compose has no place for", () => {
    const entrypoint = compose(
      'docker_build("redis", ".", dockerfile_contents="FROM x", entrypoint="./x")\ndocker_compose("compose.yml")',
    );
    expect(entrypoint.error).toBe(
      "docker_build/custom_build.entrypoint not supported for Docker Compose resources",
    );
    const registry = compose('docker_compose("compose.yml")\ndefault_registry("bar.com")');
    expect(registry.error).toBe("default_registry is not supported with docker compose");
  });
});

describe("dc_resource()", () => {
  const project = 'docker_compose("compose.yml", project_name="p")\n';

  test("adds up what its calls say; the last one wins where there is but one", () => {
    const { services } = compose(
      `${project}${[
        'dc_resource("web", labels=["b"], links="a.com", resource_deps=["db"], trigger_mode=TRIGGER_MODE_MANUAL)',
        'dc_resource("web", labels="a", links=[link("b.com", "B")], auto_init=False)',
        'dc_resource("web", trigger_mode=TRIGGER_MODE_AUTO, auto_init=None, labels=None, links=None)',
      ].join("\n")}`,
    );
    expect(services[2]).toMatchObject({
      labels: ["b", "a"],
      links: [{ url: "http://a.com" }, { url: "http://b.com", name: "B" }],
      resourceDeps: ["cache", "db"],
      triggerMode: "auto",
      autoInit: false,
    });
  });

  test("gives a service another name, for those that depend on it too", () => {
    const { services } = compose(
      `${project}dc_resource("db", new_name="database")\ndc_resource("web", new_name="site")\ndc_resource("database", labels="x")`,
    );
    expect(
      services.map(({ name, service, resourceDeps }) => [name, service, resourceDeps]),
    ).toEqual([
      ["cache", "cache", []],
      ["database", "db", []],
      ["site", "web", ["cache", "database"]],
    ]);
  });

  test("finds a service by its project", () => {
    const { services } = compose(
      [
        'docker_compose("other/a.yml")',
        ...["web", "db", "cache"].map(
          (s) => `dc_resource("${s}", project_name="other", new_name="${s}2")`,
        ),
        project,
      ].join("\n"),
      { "other/a.yml": "" },
    );
    expect(services.map(({ name, project: p }) => `${p}/${name}`)).toEqual([
      "other/cache2",
      "other/db2",
      "other/web2",
      "p/cache",
      "p/db",
      "p/web",
    ]);
  });

  test.each([
    ['dc_resource("")', "dc_resource: `name` must not be empty"],
    [
      'dc_resource("nope", image="A B")',
      'no Docker Compose service found with name "nope". Found these instead:\n\tcache; db; web',
    ],
    ['dc_resource("web", image=1)', "image arg must be a string; got starlark.Int"],
    [
      'dc_resource("web", image="A")',
      "invalid reference format: repository name (library/A) must be lowercase",
    ],
    [
      'dc_resource("web", resource_deps=None)',
      'dc_resource: for parameter "resource_deps": got NoneType, want starlark.Sequence',
    ],
    [
      'dc_resource("web", resource_deps=[1])',
      "dc_resource: resource_deps: '1' is a starlark.Int, not a string",
    ],
    [
      'dc_resource("web", infer_links=1)',
      'dc_resource: for parameter "infer_links": expected starlark.Bool or None, got starlark.Int',
    ],
    ['dc_resource("web", new_name="db")', 'dc_resource named "db" already exists'],
    [
      'dc_resource("web", project_name="q")',
      'no Docker Compose service found with name "web". Found these instead:\n\t',
    ],
    [
      'dc_resource("wep")',
      'no Docker Compose service found with name "wep". Found these instead:\n\tcache; db; web',
    ],
  ])("refuses %s", (call, message) => {
    expect(reason(compose(project + call).error)).toBe(message);
  });
});
