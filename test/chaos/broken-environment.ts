import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { RunEvent } from "../../src/model/event.ts";
import type { RunResult } from "../../src/model/run-result.ts";
import { rigEnv } from "../rig/env.ts";
import { type EngineProxy, startEngineProxy } from "./engine-proxy.ts";
import { leftoversOf, listeners, MARK, processesOf, removeImages } from "./machine.ts";
import { boundariesOf } from "./step.ts";

const DIST = resolve(import.meta.dirname, "../../dist");
const RUN_LIMIT_MS = 300_000;
const POLL_MS = 10;

/** What a run stands on, with what breaks it. */
export interface Ground {
  readonly engine: EngineProxy;
  /** Runs `docker …` past the proxy. */
  docker(...argv: readonly string[]): Promise<string>;
  /** Runs a command in the only node. */
  inNode(...argv: readonly string[]): Promise<string>;
  readonly node: string;
  readonly registry: string;
}

export interface Breakage {
  /** When it begins: an event of the run, as boundariesOf() names it, or the last of several. */
  readonly at: string | readonly string[];
  /** Breaks, and mends if it is to recover. */
  act(ground: Ground): Promise<unknown>;
  /** Of `tilt-ci ci`. */
  readonly args?: readonly string[];
  /** How long the workload takes to be ready, in seconds. */
  readonly readySecs?: number;
  /** Megabytes of the image, for a push that takes its time. */
  readonly megabytes?: number;
  /** How long the build takes, in seconds. */
  readonly buildSecs?: number;
  /** The node asks the registry for the image though it has it. */
  readonly pullsAlways?: boolean;
}

export interface BrokenRun {
  readonly code: number | undefined;
  readonly output: string;
  readonly report: RunResult | undefined;
  readonly events: readonly RunEvent[];
  /** What is there after the run (and after `tilt-ci down`, where the run could not remove it). */
  readonly leftovers: readonly string[];
  /** Of `tilt-ci down`, where the run said that it is needed. */
  readonly down: number | undefined;
  readonly durationMs: number;
}

/** Runs a small project on a cluster (its own, unless `args` say otherwise), breaks what it stands on, and looks at what comes of it. */
export async function breakEnvironment(breakage: Breakage): Promise<BrokenRun> {
  const directory = mkdtempSync(join(tmpdir(), "tci-broken-"));
  const token = `broken-${process.pid}-${directory.slice(-6).toLowerCase()}`;
  const isShared = breakage.args?.includes("--reuse") ?? false;
  const [project, state, temporary] = ["project", "state", "tmp"].map((name) => {
    const path = join(directory, name);
    mkdirSync(path);
    return path;
  }) as [string, string, string];
  writeProject(project, token, breakage);
  // A copy: the program may be built anew while this goes on.
  cpSync(DIST, join(directory, "dist"), { recursive: true });
  const engine = await startEngineProxy(directory);
  const before = listeners().map(({ address }) => address);
  const startedAt = Date.now();
  const network = isShared ? "no-such-network" : `${token}-net`;
  const env = {
    ...process.env,
    PATH: rigEnv().path,
    TILT_CI_NODE_IMAGE: rigEnv().nodeImage,
    TMPDIR: temporary,
    DOCKER_HOST: engine.host,
    [MARK]: token,
    ...(isShared ? {} : { XDG_STATE_HOME: state, KIND_EXPERIMENTAL_DOCKER_NETWORK: network }),
  };
  try {
    const ended = await carryOut(breakage, { project, directory, env, engine });
    const run = runOf(ended.events);
    const mustFinish = ended.code === undefined || ended.output.includes("tilt-ci down");
    await engine.restore();
    const down = mustFinish && run ? await takeDown(run, directory, env) : undefined;
    const traces = { token, network, run: isShared ? undefined : run, startedAt };
    const leftovers = leftoversOf({
      ...traces,
      emptyFolders: [temporary, state],
      unchanged: {},
      listeners: before,
    });
    return { ...ended, leftovers, down, durationMs: Date.now() - startedAt };
  } finally {
    for (const { pid } of processesOf(token)) process.kill(pid, "SIGKILL");
    await engine[Symbol.asyncDispose]();
    removeImages(token);
    rmSync(directory, { recursive: true, force: true });
  }
}

type Ended = Pick<BrokenRun, "code" | "output" | "report" | "events">;

async function carryOut(
  { at, act, args = [] }: Breakage,
  world: {
    readonly project: string;
    readonly directory: string;
    readonly env: NodeJS.ProcessEnv;
    readonly engine: EngineProxy;
  },
): Promise<Ended> {
  const { project, directory, env, engine } = world;
  const events = join(directory, "events.ndjson");
  const reports = join(directory, "reports");
  const argv = ["ci", "--report-dir", reports, "--events", events, ...args];
  const child = spawn(process.execPath, [join(directory, "dist", "cli.cjs"), ...argv], {
    cwd: project,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += String(chunk);
    });
  const exit = new Promise<number | undefined>((done) =>
    child.once("close", (code) => done(code ?? undefined)),
  );
  const killer = setTimeout(() => child.kill("SIGKILL"), RUN_LIMIT_MS);
  while (child.exitCode === null && child.signalCode === null) {
    const seen = readEvents(events);
    const told = seen.flatMap(boundariesOf);
    if ([at].flat().every((moment) => told.includes(moment))) {
      await act(groundOf(seen, engine)).catch(async (error: unknown) => {
        // What was to be broken was not there: the run still has to clean up after itself.
        child.kill("SIGTERM");
        await exit;
        throw error;
      });
      break;
    }
    await delay(POLL_MS);
  }
  const code = await exit;
  clearTimeout(killer);
  const path = join(reports, "report.json");
  const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  return { code, output, report, events: readEvents(events) };
}

function groundOf(events: readonly RunEvent[], engine: EngineProxy): Ground {
  const told = events.find((event) => event.type === "cluster" && event.cluster.name !== undefined);
  const name = told?.type === "cluster" ? told.cluster.name : undefined;
  const node = `${name}-control-plane`;
  const docker = async (...argv: readonly string[]) =>
    (await promisify(execFile)("docker", [...argv], { env: { PATH: rigEnv().path } })).stdout;
  return {
    engine,
    docker,
    node,
    registry: `${name}-registry`,
    inNode: (...argv) => docker("exec", node, ...argv),
  };
}

async function takeDown(run: string, cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const argv = [join(cwd, "dist", "cli.cjs"), "down", run];
  const child = spawn(process.execPath, argv, { cwd, env, stdio: "ignore" });
  return new Promise((done) => child.once("close", (code) => done(code ?? -1)));
}

function readEvents(path: string): readonly RunEvent[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent);
}

function runOf(events: readonly RunEvent[]): string | undefined {
  const first = events.find((event) => event.type === "run-started");
  return first?.type === "run-started" ? first.run.id : undefined;
}

/** An image that is built and pushed, and a Deployment of it that takes its time to be ready. */
function writeProject(
  directory: string,
  token: string,
  { readySecs = 8, megabytes = 1, buildSecs = 0, pullsAlways = false }: Breakage,
): void {
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  mkdirSync(join(directory, "app"));
  write("app/token", token);
  write(
    "app/Dockerfile",
    `FROM busybox:stable
COPY token /token
RUN sleep ${buildSecs} && dd if=/dev/urandom of=/ballast bs=1M count=${megabytes}
CMD ["sleep", "1000"]
`,
  );
  write("Tiltfile", `docker_build('${token}/app', 'app')\nk8s_yaml('app.yaml')\n`);
  write(
    "app.yaml",
    `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${token} }
spec:
  selector: { matchLabels: { app: ${token} } }
  template:
    metadata: { labels: { app: ${token} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: ${token}/app
          imagePullPolicy: ${pullsAlways ? "Always" : "IfNotPresent"}
          readinessProbe:
            initialDelaySeconds: ${readySecs}
            periodSeconds: 1
            exec: { command: ["true"] }
`,
  );
}
