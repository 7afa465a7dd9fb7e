// Measures `tilt-ci plan` on a large Tiltfile: 500 docker_build, 2,000 workloads with a Service and a ConfigMap each in one
// 10 MB YAML, 1,000 k8s_resource. Issue 5 asks for at most 2 s and 400 MB; exits 1 when the best run misses that.
// `npm run bench:tiltfile [-- runs]` builds the program into a temporary folder first.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const IMAGES = 500;
const WORKLOADS = 2_000;
const CALLS = 1_000;
const YAML_BYTES = 10_000_000;
const MAX_SECONDS = 2;
const MAX_MEGABYTES = 400;

const runs = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(join(tmpdir(), "bench-tiltfile-"));
try {
  writeProject(folder);
  const program = join(folder, "dist");
  check(spawnSync(process.execPath, ["scripts/build.mjs", program], { stdio: "inherit" }));
  const results = Array.from({ length: runs }, () => measure(join(program, "cli.cjs")));
  const seconds = Math.min(...results.map((result) => result.seconds));
  const megabytes = Math.max(...results.map((result) => result.megabytes));
  for (const { seconds, cpuSeconds, megabytes } of results) {
    console.log(
      `${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)  ${megabytes.toFixed(0)} MB`,
    );
  }
  console.log(`best ${seconds.toFixed(2)} s (at most ${MAX_SECONDS} s)`);
  console.log(`most ${megabytes.toFixed(0)} MB (at most ${MAX_MEGABYTES} MB)`);
  if (seconds > MAX_SECONDS || megabytes > MAX_MEGABYTES) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(program) {
  const reporter = join(folder, "report-usage.cjs");
  const startedAt = performance.now();
  const result = spawnSync(
    process.execPath,
    ["--require", reporter, program, "plan", "-o", "json", "-f", join(folder, "Tiltfile")],
    { stdio: ["ignore", "pipe", "pipe", "pipe"], maxBuffer: 1 << 30, encoding: "utf8" },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  check(result);
  const { resources } = JSON.parse(result.stdout);
  if (resources.length !== WORKLOADS + 1) throw new Error(`${resources.length} resources`);
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(result.output[3]);
  return { seconds, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 };
}

function check({ status, error, stderr }) {
  if (error) throw error;
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
}

function writeProject(directory) {
  for (let image = 0; image < IMAGES; image += 1) {
    const context = join(directory, `app${image}`);
    mkdirSync(context);
    writeFileSync(join(context, "Dockerfile"), dockerfile(image));
  }
  writeFileSync(join(directory, "all.yaml"), manifests());
  writeFileSync(
    join(directory, "report-usage.cjs"),
    `if (require("node:worker_threads").isMainThread)
  process.on("exit", () => require("node:fs").writeSync(3, JSON.stringify(process.resourceUsage())));
`,
  );
  writeFileSync(
    join(directory, "Tiltfile"),
    `k8s_yaml("all.yaml")
for i in range(${IMAGES}):
  docker_build("example/app%d" % i, "app%d" % i, build_args={"VERSION": str(i)})
for i in range(${CALLS}):
  k8s_resource("app%d" % i, labels=["group%d" % (i % 20)], port_forwards=["%d:8080" % (10000 + i)],
               resource_deps=["app%d" % (i - 1)] if i % 10 else [], objects=["app%d:configmap" % i])
`,
  );
}

function dockerfile(image) {
  const base = image % 50 === 0 ? "node:20" : `example/app${image - (image % 50)}`;
  return `ARG VERSION=1
FROM ${base} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build
FROM gcr.io/distroless/nodejs20
COPY --from=build /app/dist /app
CMD ["/app/main.js"]
`;
}

function manifests() {
  const filler = Math.max(0, Math.floor(YAML_BYTES / WORKLOADS) - 1_450);
  return Array.from({ length: WORKLOADS }, (_, index) => manifest(index, filler)).join("---\n");
}

function manifest(index, filler) {
  const name = `app${index}`;
  const line = "    setting.of.the.application = a value of some length # and a remark\n";
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}, tier: backend}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
        tier: backend
    spec:
      containers:
      - name: main
        image: example/app${index % IMAGES}:latest
        env:
        - name: LOG_LEVEL
          value: "info"
        - name: NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        ports:
        - containerPort: 8080
          name: http
        readinessProbe:
          httpGet: {path: /healthz, port: http}
          periodSeconds: 5
        resources:
          requests: {cpu: 100m, memory: 128Mi}
          limits: {memory: 256Mi}
        volumeMounts:
        - name: config
          mountPath: /etc/${name}
      volumes:
      - name: config
        configMap:
          name: ${name}
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app: ${name}
  ports:
  - name: http
    port: 80
    targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  application.properties: |
${line.repeat(Math.ceil(filler / line.length))}`;
}
