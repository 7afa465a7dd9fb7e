import { describe, expect, test } from "vitest";
import type { RunResult } from "../../../src/model/run-result.ts";
import { ALLOWED, openStage } from "../../fake-api-server/whole-run.ts";

/** Prints the live Deployment, as `kubectl apply -o yaml` would. */
const LIVE = `python3 -c '
import json, os, sys, urllib.request
config = json.load(open(os.environ["KUBECONFIG"]))
server = config["clusters"][0]["cluster"]["server"]
sys.stderr.write("asks as " + config["current-context"] + " with " + os.environ.get("TILT_IMAGE_0", "no image") + " for " + os.environ.get("TILT_IMAGE_MAP_0", "none") + "\\\\n")
sys.stdout.write(urllib.request.urlopen(server + "/apis/apps/v1/namespaces/default/deployments/chart").read().decode())
'`;

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "chart", namespace: "default", generation: 1 },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "chart" } },
    template: {
      metadata: { labels: { app: "chart" } },
      spec: { containers: [{ name: "main", image: "example/app:v1" }] },
    },
  },
};

const failureOf = ({ resources }: RunResult, name: string) =>
  resources.find((resource) => resource.name === name)!.phases[0]!.failure!;

/** The contract of ci-engine.md §11, and the rows of §15 about custom deploys. */
describe("k8s_custom_deploy", () => {
  test("gives its command the cluster and the images, and waits for what it printed", async () => {
    const tiltfile = `${ALLOWED}
custom_build('example/app', 'true', deps=[], tag='v1', skips_local_docker=True)
k8s_custom_deploy('chart', apply_cmd=r"""${LIVE}""", delete_cmd='true', deps=[], image_deps=['example/app'])
`;
    await using stage = await openStage({ tiltfile, workloads: [] });
    stage.server.put(deployment);
    const { code, report, output } = await stage.run();
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(output).toContain("chart │ asks as fake with example/app:v1 for example/app");
    const chart = report.resources.find(({ name }) => name === "chart")!;
    expect(chart).toMatchObject({ type: "custom", status: "passed" });
    expect(chart.phases.map(({ name }) => name)).toEqual(["build", "push", "deploy", "ready"]);
  });

  test("fails with its command's status, output and last words, or for what it printed", async () => {
    const tiltfile = `${ALLOWED}
def deploy(name, cmd):
    k8s_custom_deploy(name, apply_cmd=cmd, delete_cmd='true', deps=[])
deploy('exits', 'echo half an object; echo no chart >&2; exit 77')
deploy('no-program', ['no-such-program'])
deploy('silent', 'true')
deploy('no-yaml', 'echo "{ half"')
deploy('words', 'echo "Release has been upgraded. Happy Helming!"')
deploy('no-uid', 'echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}"')
`;
    await using stage = await openStage({ tiltfile, workloads: [] });
    const { code, report } = await stage.run(["--keep-going"]);
    expect(code).toBe(1);
    expect(failureOf(report, "exits")).toMatchObject({
      code: "ApplyRejected",
      message:
        'apply command "echo half an object; echo no chart >&2; exit 77" exited with status 77',
      detail: "no chart\nstdout:\nhalf an object\n",
    });
    expect(failureOf(report, "no-program").message).toMatch(
      /^apply command error: .*no-such-program/,
    );
    for (const [name, why] of [
      ["silent", "it is empty"],
      ["no-yaml", ""],
      ["words", 'it holds "Release has been upgraded. Happy Helming!", which is no object'],
      ["no-uid", "ConfigMap x has no UID: print what the API server returned"],
    ] as const)
      expect(failureOf(report, name).message).toContain(
        `printed no YAML of applied objects: ${why}`,
      );
  });

  test("is ended after k8s_upsert_timeout_secs, and says how to give it longer", async () => {
    const tiltfile = `${ALLOWED}
update_settings(k8s_upsert_timeout_secs=1)
k8s_custom_deploy('slow', apply_cmd='echo started >&2; sleep 60', delete_cmd='true', deps=[])
`;
    await using stage = await openStage({ tiltfile, workloads: [] });
    const { code, report, durationMs } = await stage.run();
    expect(code).toBe(1);
    expect(failureOf(report, "slow")).toMatchObject({
      code: "Timeout",
      message: expect.stringMatching(/timed out after 1s: update_settings/),
      detail: expect.stringContaining("started"),
    });
    expect(durationMs).toBeLessThan(15_000);
  });
});
