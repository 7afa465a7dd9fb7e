import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { formatPlan } from "../../../src/cli/plan-output/index.ts";
import { parseManifests } from "../../../src/manifests/manifests.ts";
import type { Plan } from "../../../src/model/plan.ts";
import {
  at,
  composeProject,
  composeService,
  customBuild,
  customDeploy,
  deployment,
  dockerBuild,
  k8sResource,
  local,
  plain,
  plan,
  service,
} from "../tiltfile-assemble/recorded.ts";

const schema = JSON.parse(
  readFileSync(new URL("../../../docs/plan.schema.json", import.meta.url), "utf8"),
);
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

/** A plan with something of everything. */
function everything(): Plan {
  return plan({
    yaml:
      deployment("web", "example/app") +
      service("web", "{app: web}") +
      deployment("idle") +
      plain("ConfigMap", "settings", "prod"),
    images: [
      dockerBuild("example/app", {
        dockerfile: "/d/app/Dockerfile",
        dockerfileContents: "FROM example/base\n",
        target: "prod",
      }),
      customBuild("example/base", {
        command: { argv: ["sh", "-c", "make base\n  --fast"], dir: "/d", env: {} },
      }),
      dockerBuild("example/unused", { position: at(12) }),
    ],
    k8sResources: [
      k8sResource({
        workload: "web",
        resourceDeps: ["job", "nowhere"],
        labels: ["front", "all"],
        links: [{ url: "http://a" }, { url: "http://b", name: "b & c" }],
        portForwards: [
          { localPort: 80, containerPort: 0 },
          { localPort: 81, containerPort: 8080, host: "0.0.0.0", name: "main" },
        ],
      }),
      k8sResource({ workload: "idle", autoInit: false }),
    ],
    customDeploys: [customDeploy('helm "chart"')],
    compose: {
      projects: [
        composeProject([composeService("db", { hasHealthcheck: true, image: "postgres:16" })]),
      ],
    },
    locals: [
      local("job", { updateCmd: { argv: ["echo", "two words", "it's"], dir: "/d", env: {} } }),
      local("server", { serveCmd: { argv: ["serve"], dir: "/d", env: {} } }),
    ],
    selection: { cleared: false, parsed: false, args: ["web", "idle", "db", "server"] },
    environment: {
      files: ["/d/Tiltfile", "/d/app/Dockerfile", "/etc/x"],
      variables: ["HOME"],
      commands: [["sh", "-c", "git describe"]],
      env: { TOKEN: "hidden" },
    },
  });
}

const empty = () => plan({});

describe("formatPlan(json)", () => {
  test.each([
    ["everything", everything],
    ["nothing", empty],
  ])("of %s is what docs/plan.schema.json says", (_, make) => {
    const document = JSON.parse(formatPlan(make(), "json"));
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  test("has the fields that others rely on", () => {
    const document = JSON.parse(formatPlan(everything(), "json"));
    expect(document.schemaVersion).toBe(1);
    expect(
      document.resources.map(({ name, type, enabled }: Record<string, unknown>) => [
        name,
        type,
        enabled,
      ]),
    ).toEqual([
      ['helm "chart"', "custom", false],
      ["web", "k8s", true],
      ["idle", "k8s", true],
      ["db", "compose", true],
      ["job", "local", true],
      ["server", "local", true],
      ["uncategorized", "k8s", true],
    ]);
    expect(document.resources[1]).toEqual({
      name: "web",
      type: "k8s",
      position: { file: "/d/Tiltfile", line: 1, column: 1 },
      readiness: "wait",
      autoInit: true,
      enabled: true,
      triggerMode: "auto",
      resourceDeps: ["job"],
      labels: ["front", "all"],
      objects: ["web:service:default", "web:deployment:default"],
      images: ["example/app"],
      portForwards: [
        { localPort: 80, containerPort: 0 },
        { localPort: 81, containerPort: 8080, host: "0.0.0.0", name: "main" },
      ],
      links: [{ url: "http://a" }, { url: "http://b", name: "b & c" }],
      updateCmd: null,
      serveCmd: null,
      applyCmd: null,
      service: null,
    });
    expect(
      document.images.map(({ ref, kind, dependsOn, usedBy }: Record<string, unknown>) => ({
        ref,
        kind,
        dependsOn,
        usedBy,
      })),
    ).toEqual([
      { ref: "example/base", kind: "custom", dependsOn: [], usedBy: ["web"] },
      { ref: "example/app", kind: "docker", dependsOn: ["example/base"], usedBy: ["web"] },
    ]);
    expect(document.warnings).toHaveLength(2);
    expect(JSON.stringify(document)).not.toContain("hidden");
  });

  test("is the same each time", () => {
    expect(formatPlan(everything(), "json")).toBe(formatPlan(everything(), "json"));
  });
});

describe("formatPlan(table)", () => {
  test("shows everything", () => {
    expect(formatPlan(everything(), "table")).toMatchInlineSnapshot(`
      "RESOURCES
        NAME                     TYPE     READY      DEPENDS ON  LABELS      IMAGES       PORTS AND LINKS                                         FROM
        helm "chart" (disabled)  custom   wait                                                                                                    Tiltfile:25:1
        web                      k8s      wait       job         front, all  example/app  80, 0.0.0.0:81:8080 (main), http://a, http://b (b & c)  Tiltfile:1:1
        idle (auto_init=False)   k8s      wait                                                                                                    Tiltfile:1:1
        db                       compose  healthy                                                                                                 Tiltfile:40:1
        job                      local    succeeded                                                                                               Tiltfile:30:1
        server                   local    running                                                                                                 Tiltfile:30:1
        uncategorized            k8s      ignore                                                                                                  Tiltfile:1:1

      OBJECTS
        helm "chart"   apply: deploy
        web            web:service:default
                       web:deployment:default
        idle           idle:deployment:default
        db             service db of project shop: postgres:16
        job            cmd: echo 'two words' 'it'\\''s'
        server         cmd: true
                       serve_cmd: serve
        uncategorized  settings:configmap:prod

      IMAGES
        REF           BUILT FROM                            DEPENDS ON    USED BY  FROM
        example/base  make base --fast                                    web      Tiltfile:11:1
        example/app   app with app/Dockerfile, target prod  example/base  web      Tiltfile:10:1

      READ
        file      Tiltfile
        file      app/Dockerfile
        file      /etc/x
        variable  HOME
        command   git describe

      WARNINGS
        Tiltfile:12:1  Image not used in any Docker Compose config:
                           ✕ example/unused
                       Did you mean…
                           - example/app
                           - example/base
                       Skipping this image build
                       If this is deliberate, suppress this warning with: update_settings(suppress_unused_image_warnings=["example/unused"])
        Tiltfile:1:1   resource web specified a dependency on unknown resource nowhere - dependency ignored
      "
    `);
  });

  test("says so when there is nothing", () => {
    expect(formatPlan(empty(), "table")).toBe("The Tiltfile defines no resources\n");
  });
});

describe("formatPlan(yaml)", () => {
  test("has the manifests of what starts, in the order of a run", () => {
    expect(formatPlan(everything(), "yaml")).toMatchInlineSnapshot(`
      "---
      # web (Tiltfile:1:1)
      apiVersion: v1
      kind: Service
      metadata:
        name: web
      spec:
        selector:
          app: web
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        selector:
          matchLabels:
            app: web
        template:
          metadata:
            labels:
              app: web
              tier: all
          spec:
            containers:
            - image: example/app
              name: main
      ---
      # uncategorized (Tiltfile:1:1)
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings
        namespace: prod
      "
    `);
  });

  test("can be read back", () => {
    const read = parseManifests(formatPlan(everything(), "yaml"), { file: "plan.yaml" });
    expect(read.map(({ object }) => `${object.kind}/${object.metadata.name}`)).toEqual([
      "Service/web",
      "Deployment/web",
      "ConfigMap/settings",
    ]);
  });

  test("is empty without objects", () => {
    expect(formatPlan(empty(), "yaml")).toBe("");
  });
});

describe("formatPlan(graph)", () => {
  test("draws what waits for what", () => {
    expect(formatPlan(everything(), "graph")).toMatchInlineSnapshot(`
      "flowchart LR
        i0(["example/base"])
        i1(["example/app"])
        r0["helm #quot;chart#quot;<br/><small>custom</small>"]
        r1["web<br/><small>k8s</small>"]
        r2["idle<br/><small>k8s</small>"]
        r3["db<br/><small>compose</small>"]
        r4["job<br/><small>local</small>"]
        r5["server<br/><small>local</small>"]
        r6["uncategorized<br/><small>k8s</small>"]
        i0 --> i1
        i1 -.-> r1
        r4 --> r1
        classDef disabled stroke-dasharray: 5 5,opacity:0.6
        class r0,r2 disabled
      "
    `);
  });
});

describe("formatPlan() of names that hold anything", () => {
  const odd = plan({
    yaml: deployment("web"),
    k8sResources: [k8sResource({ workload: "web", newName: "a\nkind: Evil" })],
    locals: [local("日本", { labels: ["x"] }), local("e\u0301", {}), local("\u001b[2J#`", {})],
  });

  test("keeps rows and columns in the table", () => {
    const [, ...rows] = formatPlan(odd, "table").split("\n\n")[0]!.split("\n");
    expect(rows.map((row) => row.replace(/ +\S+$/, ""))).toEqual([
      "  NAME           TYPE   READY      DEPENDS ON  LABELS  IMAGES  PORTS AND LINKS",
      "  a\\nkind: Evil  k8s    wait",
      "  日本           local  succeeded              x",
      "  e\u0301              local  succeeded",
      "  \\x1b[2J#`      local  succeeded",
    ]);
  });

  test("keeps to a comment in YAML", () => {
    expect(formatPlan(odd, "yaml")).toMatch(
      /^---\n# a\\nkind: Evil \(.*\)\napiVersion: apps\/v1\n/,
    );
  });

  test("keeps to a label in the graph", () => {
    const graph = formatPlan(odd, "graph");
    expect(graph).toContain('r0["a\\nkind: Evil<br/>');
    expect(graph).toContain('["\\x1b[2J#35;#96;<br/>');
  });
});
