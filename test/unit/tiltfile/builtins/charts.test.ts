import { describe, expect, test } from "vitest";
import { evaluateFiles } from "../evaluation.ts";

/* helm() and kustomize() (tiltfile-api.md §7), with stand-ins for the programs that answer from a file. */

const PROGRAM = `#!/bin/sh
case "$*" in
  "version --short") echo "\${HELM_VERSION:-v3.14.4+g81c902a}" ;;
  *) echo "\${0##*/} $*" >> "$TEST_DIR/calls"; /bin/cat "$TEST_DIR/out.yaml" ;;
esac
`;

const PROGRAMS = ["helm", "kustomize", "kubectl"];

const setup = (programs: readonly string[]) =>
  [
    ...programs.map(
      (name) =>
        `local("cp program bin/${name} && chmod +x bin/${name}", quiet=True, echo_off=True)`,
    ),
    'os.putenv("PATH", os.getcwd() + "/bin")',
    'os.putenv("TEST_DIR", os.getcwd())',
  ].join("\n");

const CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

function run(
  tiltfile: string,
  files: Readonly<Record<string, string>> = {},
  programs: readonly string[] = PROGRAMS,
) {
  const { error, log, plan } = evaluateFiles({
    Tiltfile: `${setup(programs)}\n${tiltfile}`,
    program: PROGRAM,
    "bin/.keep": "",
    "chart/Chart.yaml": "name: chart\n",
    "out.yaml": CONFIG_MAP,
    ...files,
  });
  return {
    log,
    plan,
    error: error?.message.replace(/^Traceback[\s\S]*\nError in \w+: /, ""),
    read: plan?.environment.files.map((file) => file.replace(plan.directory, "$D")) ?? [],
  };
}

describe("helm()", () => {
  test.each([
    ['helm("chart")', "helm template chart $D/chart --include-crds"],
    ['helm("chart", name="n", skip_crds=True)', "helm template n $D/chart"],
    [
      'helm("chart", kube_version="1.30", values="v.yaml", set=["a=1", "b=2"])',
      "helm template chart $D/chart --kube-version 1.30 --include-crds --values v.yaml --set a=1 --set b=2",
    ],
    [
      'helm("chart", values=["v.yaml", blob("w.yaml")])',
      "helm template chart $D/chart --include-crds --values v.yaml --values w.yaml",
    ],
  ])("%s runs %s", (call, command) => {
    expect(run(`${call}\nprint(read_file("calls"))`).log).toContain(`${command}\n`);
  });

  test("sets a namespace on all objects that lack one, cluster-wide ones too", () => {
    const out = `${CONFIG_MAP}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n---\n${CONFIG_MAP}  namespace: own\n`;
    const { log } = run('print(helm("chart", namespace="ns"))', { "out.yaml": out });
    expect(log.match(/namespace: .*/g)).toEqual([
      "namespace: ns",
      "namespace: ns",
      "namespace: own",
    ]);
  });

  test("leaves a chart's tests out", () => {
    const out = `---\n# Source: chart/templates/a.yaml\n${CONFIG_MAP}---\n# Source: chart/templates/tests/t.yaml\n${CONFIG_MAP.replace("name: a", "name: t")}`;
    const { log } = run('print(helm("chart"))', { "out.yaml": out });
    expect(log).toContain("name: a\n");
    expect(log).not.toContain("name: t\n");
  });

  test("counts the chart and the values as read", () => {
    expect(run('helm("chart", values="v.yaml")').read).toEqual(
      expect.arrayContaining(["$D/chart", "$D/v.yaml"]),
    );
  });

  test.each([
    [
      'helm("chart/Chart.yaml")',
      'helm() may only be called on directories with Chart.yaml: "$D/chart/Chart.yaml"',
    ],
    [
      'helm("chart", set={"a": "b"})',
      'helm: for parameter "set": value should be a string or List or Tuple of strings, but is of type dict',
    ],
    ['helm("chart", pathToChartDir="x")', 'helm: unexpected keyword argument "pathToChartDir"'],
    [
      'os.putenv("HELM_VERSION", "Client: v2.16.1+gbbdfe5e")\nhelm("chart")',
      'could not parse Helm version from string: "Client: v2.16.1+gbbdfe5e\\n"',
    ],
  ])("refuses %s", (call, message) => {
    expect(run(call).error).toBe(message);
  });

  test.each(["v4.1.2", "3.15.2", "WARNING: insecure\\nv3.14.4+g81c902a"])(
    "takes Helm %s",
    (version) => {
      const { error } = run(`os.putenv("HELM_VERSION", "${version}")\nhelm("chart")`);
      expect(error).toBeUndefined();
    },
  );

  test("says when there is no Helm", () => {
    expect(run('helm("chart")', {}, []).error).toBe(
      "Unable to find Helm installation. Make sure `helm` is on your $PATH.",
    );
  });
});

describe("kustomize()", () => {
  const files = {
    "k/kustomization.yaml": "resources: [a.yaml, base]\n",
    "k/a.yaml": CONFIG_MAP,
    "k/base/kustomization.yml": "resources: [b.yaml]\n",
  };

  test("runs kustomize, or kubectl where it is missing, and logs the command", () => {
    const { log } = run(
      'kustomize("k", flags=["--x", blob("y")])\nprint(read_file("calls"))',
      files,
    );
    expect(log).toContain("Running: kustomize build --x y k\n");
    expect(log).toContain("kustomize build --x y k\n");
    const fallback = run('kustomize("k")\nprint(read_file("calls"))', files, ["kubectl"]);
    expect(fallback.log).toContain(
      "Falling back to `kubectl kustomize` since `kustomize` was not found in PATH\n",
    );
    expect(fallback.log).toContain("kubectl kustomize k\n");
  });

  test("counts all that the kustomization names on disk as read", () => {
    expect(run('kustomize("k")', files).read).toEqual(
      expect.arrayContaining([
        "$D/k/kustomization.yaml",
        "$D/k/a.yaml",
        "$D/k/base/kustomization.yml",
        "$D/k/base/b.yaml",
      ]),
    );
  });

  test.each([
    [
      'kustomize("empty")',
      "resolving deps: unable to find one of [kustomization.yaml kustomization.yml Kustomization] in directory '$D/empty'",
    ],
    ['kustomize("two")', "resolving deps: Found multiple kustomization files under: $D/two\n"],
    [
      'kustomize("k", flags="x")',
      'kustomize: for parameter "flags": value should be a List or Tuple of strings, but is of type string',
    ],
    [
      'kustomize("k", kustomize_bin="none")',
      'exec: "$D/none": stat $D/none: no such file or directory',
    ],
    ['kustomize(pathToDir="k")', 'kustomize: unexpected keyword argument "pathToDir"'],
  ])("refuses %s", (call, message) => {
    const more = { "empty/x": "", "two/kustomization.yaml": "", "two/Kustomization": "" };
    expect(run(call, { ...files, ...more }).error).toBe(message);
  });
});
