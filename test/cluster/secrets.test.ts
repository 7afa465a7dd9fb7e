import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { clusterAvailable } from "../rig/env.ts";
import { SHARED, tiltCi } from "./tilt-ci.ts";

const STATE = join(
  process.env.XDG_STATE_HOME ?? join(process.env.HOME ?? "", ".local", "state"),
  "tilt-ci",
);
const SECRETS = {
  data: "applied-S3cret/data+1",
  stringData: "applied S3cret & string?",
  build: "build-S3cret-npm_7f3",
  environment: "env-S3cret=deploy key",
  registry: "registry-S3cret-pass",
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A project all of whose parts say secrets aloud, and which fails, so that a bundle is collected. */
function writeProject(directory: string): void {
  const write = (file: string, text: string) => writeFileSync(join(directory, file), text);
  const say = (variable: string) => `echo "$${variable}"; printf %s "$${variable}" | base64`;
  mkdirSync(join(directory, "docker"));
  write("npmrc", `${SECRETS.build}\n`);
  write(
    "docker/config.json",
    JSON.stringify({ auths: { r: { auth: base64(`u:${SECRETS.registry}`) } } }),
  );
  write(
    "Dockerfile",
    'FROM busybox\nRUN --mount=type=secret,id=npm cat /run/secrets/npm && echo "$RANDOM"\n',
  );
  write(
    "Tiltfile",
    // said before anybody can know that it is one
    `print('about to deploy ${SECRETS.data}')
local("echo 'echoed ${base64(SECRETS.data)}'")
warn('warned of ${SECRETS.stringData}')
docker_build('app', '.', secret='id=npm,src=${directory}/npmrc')
k8s_yaml('app.yaml')
local_resource('say', 'echo "$DEPLOY_KEY"; echo ${base64(SECRETS.environment)}; cat docker/config.json; echo ${SECRETS.registry}')
`,
  );
  write(
    "app.yaml",
    `apiVersion: v1
kind: Secret
metadata: { name: app }
data: { one: "${base64(SECRETS.data)}" }
stringData: { two: "${SECRETS.stringData}" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: app }
spec:
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      containers:
        - name: app
          image: app
          command: [sh, -c, '${say("one")}; ${say("two")}; echo "url: ${encodeURIComponent(SECRETS.data)}"; exit 1']
          envFrom: [{ secretRef: { name: app } }]
`,
  );
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe.skipIf(!clusterAvailable())("secrets", () => {
  test("appear neither on the console nor in reports and bundle", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tci-secrets-"));
    writeProject(directory);
    const { code, stdout, stderr, reports } = await tiltCi(
      "ci",
      [...SHARED, "--keep-going", "--secret-env", "DEPLOY_KEY"],
      {
        cwd: directory,
        env: { DEPLOY_KEY: SECRETS.environment, DOCKER_CONFIG: join(directory, "docker") },
      },
    );
    expect(code).toBe(1);
    expect(stdout).toContain("redacted");
    const evaluation = readFileSync(join(reports, "logs", "(Tiltfile)", "evaluate.log"), "utf8");
    for (const said of ["about to deploy", "echoed"])
      expect(evaluation).toContain(`${said} [redacted secret app:`);
    const files = filesIn(reports);
    expect(files.some((file) => file.includes("/bundle/kubernetes/"))).toBe(true);
    // What the Tiltfile says is on the console before its Secrets are known (docs/security.md).
    const beforehand = /about to deploy|echoed/;
    const afterwards = (stdout + stderr).split("\n").filter((line) => !beforehand.test(line));
    const texts = new Map([["console", afterwards.join("\n")]]);
    for (const file of [...files, ...filesIn(STATE)]) texts.set(file, readFileSync(file, "latin1"));
    const leaks = Object.values(SECRETS).flatMap((secret) =>
      [secret, base64(secret), encodeURIComponent(secret)].flatMap((form) =>
        [...texts].flatMap(([name, text]) => (text.includes(form) ? [`${form} in ${name}`] : [])),
      ),
    );
    expect(leaks).toEqual([]);
    rmSync(directory, { recursive: true });
    rmSync(reports, { recursive: true });
  });
});
