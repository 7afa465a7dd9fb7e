import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A project that has a bit of everything that a run can leave behind: images by two builders, objects, a job, a server
 * with children that leave its process group, commands, and (asked for) a Compose project. All names hold `token`.
 */
export function writeProject(
  directory: string,
  { token, port, compose }: { token: string; port: number; compose: boolean },
): void {
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  mkdirSync(join(directory, "app"), { recursive: true });
  write("app/Dockerfile", 'FROM busybox:stable\nCOPY . /app\nCMD ["sleep", "1000"]\n');
  write("app/content", `${token}\n`);
  write("Tiltfile", tiltfile(token, port, compose));
  write("app.yaml", manifests(token));
  write(
    "compose.yaml",
    `name: ${token}
services:
  cache:
    image: busybox:stable
    command: [sleep, "1000"]
    stop_grace_period: 0s
    volumes: [data:/data]
volumes: { data: {} }
`,
  );
}

function tiltfile(token: string, port: number, compose: boolean): string {
  return `local('sleep 0.2; echo evaluated')
docker_build('${token}/app', 'app')
custom_build('${token}/custom', 'docker build --quiet --tag $EXPECTED_REF app', ['app'])
k8s_yaml('app.yaml')
k8s_resource('web', resource_deps=['prepare'])
local_resource('prepare', 'sleep 0.3')
local_resource('server', serve_cmd='setsid sleep 1000 & sleep 1000 & exec python3 -m http.server ${port} --bind 127.0.0.1',
               readiness_probe=probe(period_secs=1, http_get=http_get_action(port=${port})))
test('check', 'sleep 0.3', resource_deps=['web', 'server'])
${compose ? `docker_compose('compose.yaml', project_name='${token}')\n` : ""}`;
}

function manifests(token: string): string {
  const deployment = (name: string, image: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: main, image: "${token}/${image}" }]
---
`;
  return `${deployment("web", "app")}${deployment("custom", "custom")}apiVersion: batch/v1
kind: Job
metadata: { name: job }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: main, image: "${token}/app", command: ["true"] }]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { key: value }
`;
}
