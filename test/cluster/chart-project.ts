import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const FILES = {
  Tiltfile: `load('ext://chart', 'chart')
docker_build('registry.example/team/chart-app', '.', dockerfile_contents='FROM busybox\\nRUN echo chart > /made')
chart('chart-app', 'chart', 'registry.example/team/chart-app', ('image.repository', 'image.tag'))
`,
  "extensions/chart/Tiltfile": `apply = os.path.abspath('apply.py')
def chart(name, path, image, keys):
    env = {'RELEASE': name, 'CHART': path, 'CONTEXT': k8s_context(), 'REPOSITORY_KEY': keys[0], 'TAG_KEY': keys[1]}
    command = [('py' if os.name == 'nt' else 'python3'), apply]
    k8s_custom_deploy(name, apply_cmd=command, apply_env=env, delete_cmd=command + ['--delete'], delete_env=env,
        deps=[path], image_deps=[image])
`,
  "extensions/chart/apply.py": `import os, subprocess, sys
from words import helm, kubectl
release = os.environ["RELEASE"]
if "--delete" in sys.argv:
    sys.exit(subprocess.call(helm("uninstall", release)))
repository, tag = os.environ["TILT_IMAGE_0"].rsplit(":", 1)
values = [os.environ["REPOSITORY_KEY"] + "=" + repository, os.environ["TAG_KEY"] + "=" + tag]
flags = [word for value in values for word in ("--set", value)]
subprocess.check_call(helm("upgrade", "--install", *flags, release, os.environ["CHART"]), stdout=sys.stderr)
manifest = subprocess.check_output(helm("get", "manifest", release))
sys.exit(subprocess.run(kubectl("get", "-oyaml", "-f", "-"), input=manifest).returncode)
`,
  "extensions/chart/words.py": `import os
def helm(*words): return ["helm", "--kube-context", os.environ["CONTEXT"], *words]
def kubectl(*words): return ["kubectl", "--context", os.environ["CONTEXT"], *words]
`,
  "chart/Chart.yaml": "apiVersion: v2\nname: chart-app\nversion: 0.1.0\n",
  "chart/values.yaml": "image: { repository: none, tag: none }\n",
  "chart/templates/app.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          command: [sleep, "3600"]
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
`,
};

/**
 * A project whose extension brings a Helm chart to the cluster as such extensions do: `k8s_custom_deploy` with a helper
 * in Python, which gives the chart the image that was built and prints what the API server has. Returns its folder.
 */
export function chartProject(): string {
  const directory = mkdtempSync(join(tmpdir(), "tci-chart-"));
  for (const [name, text] of Object.entries(FILES)) {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const register =
    "v1alpha1.extension_repo('default', url='file://' + os.getcwd() + '/extensions')\n";
  writeFileSync(join(directory, "Tiltfile"), register + FILES.Tiltfile);
  return directory;
}
