import { describe, expect, test } from "vitest";
import type { KubernetesResource } from "../../../../src/model/plan.ts";
import { evaluateFiles, failureOf, withShortPaths } from "../evaluation.ts";

/* What Tiltfiles say of Kubernetes objects (tiltfile-api.md §3, §10), where no golden file says it. */

const workload = (name: string, image = "x", kind = "Deployment") =>
  `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: ${image}}]}
`;

const object = (kind: string, name: string, rest = "") =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\n${rest}`;

const custom = (apiVersion: string, kind: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${kind.toLowerCase()}}\nspec: ${spec}\n`;

/** Evaluates a Tiltfile beside an `a.yaml` of these documents, which it loads first. */
function withYaml(tiltfile: string, ...documents: string[]) {
  return withShortPaths(
    evaluateFiles({
      Tiltfile: `k8s_yaml("a.yaml")\n${tiltfile}`,
      "a.yaml": documents.join("---\n"),
    }),
  );
}

function resources(tiltfile: string, ...documents: string[]): KubernetesResource[] {
  const { plan, error } = withYaml(tiltfile, ...documents);
  if (error !== undefined) throw error;
  return plan!.resources.filter((r): r is KubernetesResource => r.type === "k8s");
}

const lastLine = (text: string | undefined) => text?.split("\n").at(-1);

describe("k8s_yaml()", () => {
  test.each([
    ['k8s_yaml("dir")', /is a directory/],
    ["k8s_yaml([])", /^Error in k8s_yaml: Empty YAML passed to k8s_yaml$/],
    ["k8s_yaml(1)", /^Error in k8s_yaml: /],
    ['k8s_yaml("none.yaml")', /no such file or directory$/],
    [
      'k8s_yaml("a.yaml", allow_duplicates=1)',
      /for parameter "allow_duplicates": got int, want bool$/,
    ],
  ])("refuses %s", (call, message) => {
    expect(failureOf(call, { "dir/x": "", "a.yaml": object("ConfigMap", "a") })).toMatch(message);
  });

  test("takes duplicates when it may, and names the first call when it may not", () => {
    const twice = 'k8s_yaml("a.yaml"%s)';
    expect(
      withYaml(twice.replace("%s", ", allow_duplicates=True"), object("ConfigMap", "a")).error,
    ).toBeUndefined();
    const { error } = withYaml(twice.replace("%s", ""), object("ConfigMap", "a"));
    expect(error?.message).toContain("Duplicate YAML: ConfigMap a\n");
    expect(error?.message).toContain("$D/Tiltfile:1:9: in <toplevel>");
  });

  test("flattens lists, and names the namespace of a duplicate", () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns}}\n`;
    const { error } = withYaml("", list, object("ConfigMap", "a"), `${list}`);
    expect(error?.message).toContain("Duplicate YAML: ConfigMap a (Namespace: ns)\n");
  });
});

describe("k8s_resource()", () => {
  test.each([
    [
      "k8s_resource()",
      "Error in k8s_resource: Resource name missing. Must give a name for an existing resource or a new_name to create a new resource.",
    ],
    [
      "k8s_resource(None)",
      "Error in k8s_resource: k8s_resource: for parameter workload: Value should be convertible to string, but is type NoneType",
    ],
    [
      'k8s_resource("a/b")',
      "Error in k8s_resource: k8s_resource: for parameter workload: invalid value \"a/b\": may not contain '/'",
    ],
    [
      'k8s_resource("a", objects=None)',
      'Error in k8s_resource: k8s_resource: for parameter "objects": got NoneType, want starlark.Sequence',
    ],
    [
      'k8s_resource("a", trigger_mode=1)',
      'Error in k8s_resource: k8s_resource: for parameter "trigger_mode": got int, want TriggerMode',
    ],
    [
      'k8s_resource("a", pod_readiness=None)',
      'Error in k8s_resource: k8s_resource: for parameter "pod_readiness": Must be a string. Got: NoneType',
    ],
    [
      'k8s_resource("a", discovery_strategy="x")',
      'Error in k8s_resource: k8s_resource: for parameter "discovery_strategy": Invalid. Must be one of: "default", "selectors-only"',
    ],
    [
      'k8s_resource("a", extra_pod_selectors=[1])',
      "Error in k8s_resource: pod labels elements must be dicts; got starlark.Int",
    ],
    [
      'k8s_resource("a", port_forwards=70000)',
      'Error in k8s_resource: k8s_resource "a": portForward port value 70000 is not in the valid range [0-65535]',
    ],
    [
      'k8s_resource("a", port_forwards="x")',
      'Error in k8s_resource: k8s_resource "a": portForward port value "x" is not in the valid range [0-65535]',
    ],
    ['k8s_resource("a", port_forwards=1.5)', /^Error in k8s_resource: k8s_resource "a": /],
    [
      'k8s_resource("a", links=1)',
      'Error in k8s_resource: k8s_resource: for parameter "links": `Want a string, a link, or a sequence of these; found 1 (type: starlark.Int)',
    ],
    [
      'k8s_resource("a", labels="a/b")',
      /^Error in k8s_resource: k8s_resource: for parameter "labels": /,
    ],
    [
      'k8s_resource("a", labels="")',
      /^Error in k8s_resource: k8s_resource: for parameter "labels": /,
    ],
    [
      'k8s_resource("a", "b", 1, {}, TRIGGER_MODE_AUTO, [], [], True, "wait", None, None, "", 13)',
      "Error in k8s_resource: k8s_resource: got 13 arguments, want at most 12",
    ],
  ])("refuses %s", (call, message) => {
    const actual = failureOf(call);
    if (typeof message === "string") expect(actual).toBe(message);
    else expect(actual).toMatch(message);
  });

  test("adds up; the last value wins where there is but one", () => {
    const [a] = resources(
      [
        'k8s_resource("a", port_forwards="8000:80", labels=["b"], links="a.com", resource_deps=["l"], extra_pod_selectors={"x": "1"}, auto_init=False, pod_readiness="ignore", discovery_strategy="selectors-only")',
        'k8s_resource("a", port_forwards=[9000, "localhost:9001:91", port_forward(9002, 92, name="n", host="127.0.0.1", link_path="/p")], labels="a", links=[link("b.com", "B")], resource_deps=["m"], extra_pod_selectors=[{"y": "2"}], auto_init=True, pod_readiness="wait", discovery_strategy="default")',
        'k8s_resource("a", port_forwards=None, labels=None, links=None, auto_init=None, pod_readiness="")',
        'local_resource("l", "true")\nlocal_resource("m", "true")',
      ].join("\n"),
      workload("a"),
    );
    expect(a).toMatchObject({
      portForwards: [
        { localPort: 8000, containerPort: 80 },
        { localPort: 9000, containerPort: 0 },
        { localPort: 9001, containerPort: 91, host: "localhost" },
        { localPort: 9002, containerPort: 92, name: "n", host: "127.0.0.1", linkPath: "/p" },
      ],
      links: [{ url: "http://a.com" }, { url: "http://b.com", name: "B" }],
      resourceDeps: ["l", "m"],
      extraPodSelectors: [{ x: "1" }, { y: "2" }],
      autoInit: true,
      readiness: "wait",
      discoveryStrategy: "default",
    });
    expect([...a!.labels].sort()).toEqual(["a", "b"]);
  });

  test("takes the second positional argument for the new name, by which alone later calls find it", () => {
    const renamed = resources(
      'k8s_resource("a", "b")\nk8s_resource("b", labels="l")',
      workload("a"),
    );
    expect(renamed.map(({ name, labels }) => [name, labels])).toEqual([["b", ["l"]]]);
    const { error } = withYaml(
      'k8s_resource("a", "b")\nk8s_resource("a", labels="l")',
      workload("a"),
    );
    expect(lastLine(error?.message)).toBe(
      '$D/Tiltfile:3:13: k8s_resource specified unknown resource "a". known k8s resources: b',
    );
  });

  test("refuses a name that another resource has", () => {
    const { error } = withYaml('k8s_resource("a", "b")', workload("a"), workload("b"));
    expect(lastLine(error?.message)).toContain(
      'k8s_resource specified to rename "a" to "b": k8s_resource named "b" already exists',
    );
  });
});

describe("objects=", () => {
  const objects = [
    workload("web"),
    object("ConfigMap", "conf"),
    object("Secret", "conf"),
    object("Namespace", "team"),
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: team}\n",
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "a:b"}\n',
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n",
  ];
  const group = (fragments: string) =>
    withYaml(`k8s_resource(new_name="g", objects=${fragments})`, ...objects);

  test.each([
    [["conf:ConfigMap"], ["ConfigMap/conf"]],
    [["CONF:secret:Default"], ["Secret/conf"]],
    [["team"], ["Namespace/team"]],
    [["team:namespace:default"], ["Namespace/team"]],
    [["other:configmap:team"], ["ConfigMap/other"]],
    [["a\\\\:b"], ["ConfigMap/a:b"]],
  ])("%j takes %j", (fragments, expected) => {
    const { plan, error } = group(`[${fragments.map((f) => `"${f}"`).join()}]`);
    expect(error).toBeUndefined();
    const taken = plan!.resources.find(({ name }) => name === "g") as KubernetesResource;
    expect(taken.objects.map(({ object: o }) => `${o.kind}/${o.metadata.name}`)).toEqual(expected);
    expect(taken.readiness).toBe("ignore");
  });

  test.each([
    ['["conf"]', '"conf" is not a unique fragment.'],
    ['["none"]', 'No object identified by the fragment "none" could be found.'],
    [
      '["web:deployment"]',
      'No object identified by the fragment "web:deployment" could be found in remaining YAML.',
    ],
    [
      '["web:service"]',
      'No object identified by the fragment "web:service" could be found in remaining YAML.',
    ],
    ['["con"]', 'No object identified by the fragment "con" could be found.'],
    ['["a:b:c:d"]', "found 4 parts in a:b:c:d"],
    ["[1]", "k8s_resource: resource_deps: '1' is a starlark.Int, not a string"],
  ])("refuses %s", (fragments, message) => {
    expect(group(fragments).error?.message).toContain(message);
  });
});

describe("k8s_kind()", () => {
  const crd = custom("example.com/v1", "Foo", "{image: app, deep: [{name: app}]}");
  const docker = 'docker_build("app", ".", dockerfile_contents="FROM x")\n';

  test.each([
    ['k8s_kind("Foo", "x")', "k8s_kind: got 2 arguments, want at most 1"],
    ["k8s_kind()", "k8s_kind: missing argument for kind"],
    [
      'k8s_kind("Foo", image_json_path=1)',
      'k8s_kind: for parameter "image_json_path": Expected string, got: 1',
    ],
    [
      'k8s_kind("Foo", image_object=1)',
      `k8s_kind: for parameter "image_object": Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}. Actual: 1`,
    ],
    [
      'k8s_kind("Foo", image_object={"x": "y"})',
      `k8s_kind: for parameter "image_object": Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}: Unexpected key: "x"`,
    ],
    [
      'k8s_kind("Foo", image_object={"json_path": 1})',
      `k8s_kind: for parameter "image_object": Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}: Expected string at key "\\"json_path\\"". Got: int`,
    ],
    [
      'k8s_kind("Foo", image_object={"json_path": "{.a}"})',
      `k8s_kind: for parameter "image_object": Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}: Missing keys. Actual keys: ["json_path"]`,
    ],
    [
      'k8s_kind("Foo", image_object={1: "y"})',
      `k8s_kind: for parameter "image_object": Expected dict of the form {'json_path': str, 'repo_field': str, 'tag_field': str}: Unexpected key: 1`,
    ],
    [
      'k8s_kind("Foo", image_json_path="{.a}", image_object={"json_path": "{.a}", "repo_field": "r", "tag_field": "t"})',
      "Cannot specify both image_json_path and image_object",
    ],
    ['k8s_kind("(")', "error parsing regexp: missing closing ): `(?i)(`"],
  ])("refuses %s", (call, message) => {
    expect(failureOf(call)).toMatch(/^Error in k8s_kind: /);
    expect(failureOf(call)).toContain(message);
  });

  test.each([
    ["foo", undefined, true],
    ["^Foo$", "example.com/v1", true],
    ["o", "EXAMPLE", true],
    ["Foo", "other", false],
    ["Food", undefined, false],
  ])("matches kinds by unanchored expressions without case: %s %s", (kind, apiVersion, matches) => {
    const version = apiVersion === undefined ? "" : `, api_version="${apiVersion}"`;
    const found = resources(`k8s_kind("${kind}"${version})`, crd);
    expect(found.map(({ name }) => name)).toEqual([matches ? "foo" : "uncategorized"]);
  });

  test("finds images by all its paths; a missing one is an error that names the object", () => {
    expect(
      resources(
        `${docker}k8s_kind("Foo", image_json_path=["{.spec.image}", "{.spec.deep[*].name}"])`,
        crd,
      )[0]!.images,
    ).toEqual(["app"]);
    const { error } = withYaml(`k8s_kind("Foo", image_json_path="{.spec.none}")`, crd);
    expect(error?.message).toBe(
      'finding image in Foo/foo: Matching (json_path="{.spec.none}"): none is not found',
    );
    const notText = withYaml(`k8s_kind("Foo", image_json_path="{.spec.deep}")`, crd);
    expect(notText.error?.message).toContain("finding image in Foo/foo: ");
    const fields = '"repo_field": "r", "tag_field": "t"';
    const notMap = withYaml(
      `k8s_kind("Foo", image_object={"json_path": "{.spec.image}", ${fields}})`,
      crd,
    );
    expect(notMap.error?.message).toBe(
      'finding image in Foo/foo: May only match maps (json_path="{.spec.image}")\nGot Type: interface {}\nGot Value: <interface {} Value>',
    );
    const noImage = withYaml(
      `k8s_kind("Foo", image_object={"json_path": "{.spec.deep[0]}", ${fields}})`,
      crd,
    );
    expect(noImage.error?.message).toBe("finding image in Foo/foo: invalid reference format");
  });

  test("adds rules: the strictest readiness of all that match counts", () => {
    const mode = (...modes: string[]) =>
      resources(modes.map((m) => `k8s_kind("Foo", pod_readiness="${m}")`).join("\n"), crd)[0]!
        .readiness;
    expect(mode("ignore")).toBe("ignore");
    expect(mode("succeeded", "ignore")).toBe("ignore");
    expect(mode("ignore", "wait", "succeeded")).toBe("wait");
  });
});

describe("k8s_image_json_path()", () => {
  test.each([
    ['k8s_image_json_path("{.a}")', "at least one of kind, name, or namespace must be specified"],
    ["k8s_image_json_path()", "k8s_image_json_path: missing argument for paths"],
    ['k8s_image_json_path("{.a", kind="x")', "unclosed action"],
    ['k8s_image_json_path("{.a}", name="[")', "error parsing regexp"],
  ])("refuses %s", (call, message) => {
    expect(failureOf(call)).toContain(message);
  });

  test("makes workloads of what it matches", () => {
    const found = resources(
      'k8s_image_json_path("{.spec.image}", name="^foo$", api_version="example", namespace="default")',
      custom("example.com/v1", "Foo", "{image: redis}"),
    );
    expect(found.map(({ name }) => name)).toEqual(["foo"]);
  });
});

describe("workload_to_resource_function()", () => {
  test.each([
    [
      "lambda: 1",
      "Error in workload_to_resource_function: workload_to_resource_function arg must take 1 argument. lambda takes 0",
    ],
    [
      "lambda a, b: 1",
      "Error in workload_to_resource_function: workload_to_resource_function arg must take 1 argument. lambda takes 2",
    ],
    [
      "len",
      "Error in workload_to_resource_function: workload_to_resource_function: for parameter func: got builtin_function_or_method, want function",
    ],
    [
      "None",
      "Error in workload_to_resource_function: workload_to_resource_function: for parameter func: got NoneType, want function",
    ],
  ])("refuses %s", (fn, message) => {
    expect(failureOf(`workload_to_resource_function(${fn})`)).toBe(message);
  });

  test("names each workload once: the last call wins, and names must differ", () => {
    const named = resources(
      'workload_to_resource_function(lambda id: "x")\nworkload_to_resource_function(lambda id: id.name + "-" + id.kind)',
      workload("a"),
      workload("b"),
    );
    expect(named.map(({ name }) => name)).toEqual(["a-Deployment", "b-Deployment"]);
    const same = withYaml(
      'workload_to_resource_function(lambda id: "x")',
      workload("a"),
      workload("b"),
    );
    expect(same.error?.message).toContain(
      "both 'b:deployment:default:apps' and 'a:deployment:default:apps' mapped to resource name 'x'",
    );
    const number = withYaml("workload_to_resource_function(lambda id: 1)", workload("a"));
    expect(number.error?.message).toMatch(/want(ed)? string|invalid return value/);
  });
});

describe("readiness", () => {
  test.each([
    ["batch/v1", "Job", "succeeded"],
    ["batch/v1", "CronJob", "ignore"],
    ["foo.batch/v1", "MyJob", "succeeded"],
    ["apps/v1", "Deployment", "wait"],
  ])("of %s %s is %s", (apiVersion, kind, readiness) => {
    const pod = "{template: {spec: {containers: [{name: c, image: x}], restartPolicy: Never}}}";
    const spec = kind === "CronJob" ? `{schedule: "* * * * *", jobTemplate: {spec: ${pod}}}` : pod;
    const [found] = resources("", custom(apiVersion, kind, spec));
    expect(found!.readiness).toBe(readiness);
  });

  test("of a group of objects is ignore, and wait with a selector or as it is told", () => {
    const group = (rest: string) =>
      resources(`k8s_resource(new_name="g", objects=["c"]${rest})`, object("ConfigMap", "c"))[0]!
        .readiness;
    expect(group("")).toBe("ignore");
    expect(group(', extra_pod_selectors={"a": "b"}')).toBe("wait");
    expect(group(', pod_readiness="succeeded"')).toBe("succeeded");
  });
});

describe("an error of YAML", () => {
  const broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n";

  test("points into the file that holds it", () => {
    const { error } = evaluateFiles({
      Tiltfile: 'k8s_yaml("a.yaml")',
      "a.yaml": `kind: List\n---\n${broken}`,
    });
    expect(error?.position).toMatchObject({ file: expect.stringMatching(/\/a\.yaml$/), line: 5 });
    expect(error?.hint).toMatch(/^Look at \/.*\/a\.yaml:5, in document 2$/);
  });

  test("points to the call where the YAML is in no file", () => {
    const { error } = evaluateFiles({ Tiltfile: `k8s_yaml(blob("""${broken}"""))` });
    expect(error?.position).toMatchObject({
      file: expect.stringMatching(/\/Tiltfile$/),
      line: 1,
      column: 9,
    });
    expect(error?.hint).toBe(
      "Look at line 3, in document 1, of what this brought: Tiltfile blob() call",
    );
  });
});
