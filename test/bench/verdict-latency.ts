// From the moment that an API server writes the last condition to the verdict: runs of the built program on a fake API
// server, 1 and 300 Deployments with a pod each. `npm run bench:verdict [-- rounds]`. Prints a table; exits 1 above the
// targets of docs/limits.md: 150 ms at the median, 250 MB.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rollOut } from "../fake-api-server/controllers.ts";
import { FakeApiServer } from "../fake-api-server/fake-api-server.ts";
import type { StoredObject } from "../fake-api-server/object-table.ts";

const CLI = resolve("dist/cli.cjs");
const MAX_MEDIAN_MS = 150;
const MAX_MEGABYTES = 250;
/** Nothing happens for so long before the last condition: what is measured is that one alone. */
const QUIET_MS = 1500;

interface Measurement {
  readonly latencyMs: number;
  readonly megabytes: number;
  readonly cpuSeconds: number;
}

function report(count: number, measurements: readonly Measurement[]): void {
  const latencies = measurements.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const median = latencies[latencies.length >> 1]!;
  const megabytes = Math.max(...measurements.map((measurement) => measurement.megabytes));
  const cpu = measurements.map(({ cpuSeconds }) => cpuSeconds.toFixed(1)).join(", ");
  console.log(
    `${count} resources: verdict ${median} ms after the last condition (${latencies.join(", ")}; at most ${MAX_MEDIAN_MS}), ` +
      `${megabytes.toFixed(0)} MB (at most ${MAX_MEGABYTES}), CPU ${cpu} s`,
  );
  if (median > MAX_MEDIAN_MS || megabytes > MAX_MEGABYTES) process.exitCode = 1;
}

async function measure(count: number): Promise<Measurement> {
  const directory = mkdtempSync(join(tmpdir(), "bench-verdict-"));
  const server = await FakeApiServer.start();
  try {
    const controller = new Controller(server, count);
    writeProject(directory, count);
    const usage = join(directory, "usage.json");
    const run = start(directory, server.writeKubeconfig(directory), usage);
    await controller.allButOne;
    await new Promise((done) => setTimeout(done, QUIET_MS));
    const writtenAt = controller.finish();
    const code = await run;
    if (code !== 0) throw new Error(`the run ended with exit code ${code}`);
    const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(usage, "utf8"));
    return {
      latencyMs: verdictAt(directory) - writtenAt,
      megabytes: maxRSS / 1024,
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    };
  } finally {
    await server.down();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Rolls out all Deployments that are applied but the last one, which waits for `finish()`. */
class Controller {
  readonly allButOne: Promise<void>;
  readonly #server: FakeApiServer;
  #last: StoredObject | undefined;

  constructor(server: FakeApiServer, count: number) {
    this.#server = server;
    let seen = 0;
    this.allButOne = new Promise((done) => {
      server.table.onChange(({ type, object }) => {
        if (type !== "ADDED" || object.kind !== "Deployment") return;
        seen += 1;
        const isLast = seen === count;
        setImmediate(() => {
          rollOut(server, object, !isLast);
          if (!isLast) return;
          this.#last = object;
          done();
        });
      });
    });
  }

  /** Writes the last conditions and returns when, in epoch milliseconds. */
  finish(): number {
    const at = Date.now();
    rollOut(this.#server, this.#last!, true);
    return at;
  }
}

function writeProject(directory: string, count: number): void {
  const deployments = Array.from({ length: count }, (_, index) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: `app-${index}` },
    spec: {
      selector: { matchLabels: { app: `app-${index}` } },
      template: {
        metadata: { labels: { app: `app-${index}` } },
        // A probe stands behind its being ready: without one a verdict waits for the kubelet to have looked twice.
        spec: {
          containers: [
            {
              name: "app",
              image: "example.test/app:1",
              readinessProbe: { tcpSocket: { port: 80 } },
            },
          ],
        },
      },
    },
  }));
  writeFileSync(
    join(directory, "all.yaml"),
    deployments.map((deployment) => JSON.stringify(deployment)).join("\n---\n"),
  );
  writeFileSync(
    join(directory, "Tiltfile"),
    "allow_k8s_contexts('fake')\nk8s_yaml('all.yaml')\nupdate_settings(max_parallel_updates=20)\n",
  );
  writeFileSync(
    join(directory, "report-usage.cjs"),
    `if (require("node:worker_threads").isMainThread)
  process.on("exit", () => require("node:fs").writeFileSync(process.env.BENCH_USAGE, JSON.stringify(process.resourceUsage())));
`,
  );
}

function start(directory: string, kubeconfig: string, usage: string): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      ...["--require", join(directory, "report-usage.cjs"), CLI, "ci", "--quiet"],
      ...[
        "--kubeconfig",
        kubeconfig,
        "--context",
        "fake",
        "--report-dir",
        join(directory, "report"),
      ],
    ],
    {
      cwd: directory,
      env: { ...process.env, BENCH_USAGE: usage, XDG_STATE_HOME: join(directory, "state") },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  return new Promise((done) => child.on("close", done));
}

/** When the verdict was clear, in epoch milliseconds. */
function verdictAt(directory: string): number {
  const lines = readFileSync(join(directory, "report", "events.ndjson"), "utf8")
    .trimEnd()
    .split("\n");
  const events = lines.map((line) => JSON.parse(line) as { type: string; at: string });
  return Date.parse(events.find(({ type }) => type === "verdict")!.at);
}

const rounds = Number(process.argv[2] ?? 5);
for (const count of [1, 300]) {
  const measurements: Measurement[] = [];
  for (let round = 0; round < rounds; round += 1) measurements.push(await measure(count));
  report(count, measurements);
}
