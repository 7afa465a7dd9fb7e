// `npm run bench:scale`: the figures of docs/limits.md. Exits 1 when one is missed.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { playControllers } from "../fake-api-server/controllers.ts";
import { FakeApiServer } from "../fake-api-server/fake-api-server.ts";

const PROGRAM = resolve(import.meta.dirname, "../../dist/cli.cjs");
const MANIFEST_MEGABYTES = 60;
const MAX_MANIFEST_MEGABYTES = 2048;
const RESOURCES = 500;
const EVENTS_PER_RESOURCE = 20;
const MAX_RUN_MEGABYTES = 300;

const folder = mkdtempSync(join(tmpdir(), "bench-scale-"));
try {
  writeFileSync(
    join(folder, "usage.cjs"),
    `if (require("node:worker_threads").isMainThread)
  process.on("exit", () => require("node:fs").writeSync(3, JSON.stringify(process.resourceUsage())));
`,
  );
  const results = [await planManifests(), await runResources()];
  for (const { what, seconds, megabytes, atMost } of results)
    console.log(
      `${what}: ${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB (at most ${atMost} MB)`,
    );
  if (results.some(({ megabytes, atMost }) => megabytes > atMost)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

interface Result {
  readonly what: string;
  readonly seconds: number;
  readonly megabytes: number;
  readonly atMost: number;
}

async function planManifests(): Promise<Result> {
  const directory = join(folder, "manifests");
  mkdirSync(directory);
  const line = "    setting.of.the.application = a value of some length # and a remark\n";
  const text = (index: number) =>
    `${workload(`app${index}`)}---\n${configMap(`app${index}`, line.repeat(400))}`;
  const count = Math.ceil((MANIFEST_MEGABYTES * 1e6) / text(10_000).length);
  writeFileSync(
    join(directory, "all.yaml"),
    Array.from({ length: count }, (_, i) => text(i)).join("---\n"),
  );
  writeFileSync(join(directory, "Tiltfile"), "k8s_yaml('all.yaml')\n");
  const usage = await measure(["plan", "-o", "json", "-f", join(directory, "Tiltfile")], directory);
  return {
    what: `plan of ${MANIFEST_MEGABYTES} MB of manifests`,
    ...usage,
    atMost: MAX_MANIFEST_MEGABYTES,
  };
}

/** Each resource is a Deployment with a Service, a ConfigMap and a ServiceAccount, and its pod has events. */
async function runResources(): Promise<Result> {
  const directory = join(folder, "run");
  mkdirSync(directory);
  const names = Array.from({ length: RESOURCES }, (_, index) => `app${index}`);
  const objects = names.flatMap((name) => [
    workload(name),
    service(name),
    configMap(name, "    key = value\n"),
    `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name} }\n`,
  ]);
  writeFileSync(join(directory, "all.yaml"), objects.join("---\n"));
  writeFileSync(
    join(directory, "Tiltfile"),
    `allow_k8s_contexts('fake')\nupdate_settings(max_parallel_updates=10)\nk8s_yaml('all.yaml')\n`,
  );
  const server = await FakeApiServer.start();
  const stop = playControllers(server, { readyAfterMs: 2_000 });
  const unlisten = server.table.onChange(({ type, object }) => {
    if (type === "ADDED" && object.kind === "Pod") tellEvents(server, object.metadata);
  });
  try {
    const argv = ["ci", "--cluster", "current", "--kubeconfig", server.writeKubeconfig(directory)];
    const usage = await measure([...argv, "--quiet"], directory);
    const what = `run of ${RESOURCES} resources, ${objects.length} objects, ${RESOURCES * EVENTS_PER_RESOURCE} events`;
    return { what, ...usage, atMost: MAX_RUN_MEGABYTES };
  } finally {
    unlisten();
    stop();
    await server.down();
  }
}

function tellEvents(
  server: FakeApiServer,
  { name, namespace, uid }: { name: string; namespace?: string; uid: string },
): void {
  const involvedObject = { kind: "Pod", apiVersion: "v1", name, namespace, uid };
  const put = (index: number) =>
    server.put({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${index}`, namespace: namespace ?? "default" },
      involvedObject,
      type: index % 2 === 0 ? "Normal" : "Warning",
      reason: `Reason${index}`,
      message: `Something of some length has happened to the pod, for the ${index}th time`,
      count: 1,
      firstTimestamp: server.table.now(),
      lastTimestamp: server.table.now(),
    });
  for (let index = 0; index < EVENTS_PER_RESOURCE; index++)
    setTimeout(() => put(index), index * 90);
}

/** Runs the program; the whole process's memory at its highest. */
function measure(
  argv: readonly string[],
  cwd: string,
): Promise<{ seconds: number; megabytes: number }> {
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ["--require", join(folder, "usage.cjs"), PROGRAM, ...argv],
    {
      cwd,
      env: { ...process.env, XDG_STATE_HOME: folder },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  let errors = "";
  let usage = "";
  child.stdout?.resume();
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  (child.stdio[3] as NodeJS.ReadableStream).on("data", (chunk) => {
    usage += chunk;
  });
  return new Promise((done, fail) =>
    child.once("close", (code) => {
      if (code !== 0) fail(new Error(`exit ${code}: ${errors.slice(-2000)}`));
      else
        done({
          seconds: (performance.now() - startedAt) / 1000,
          megabytes: JSON.parse(usage).maxRSS / 1024,
        });
    }),
  );
}

function workload(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main, image: busybox, env: [{ name: NAME, value: ${name} }] }] }
`;
}

function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ port: 80 }] }
`;
}

function configMap(name: string, data: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data:
  application.properties: |
${data}`;
}
