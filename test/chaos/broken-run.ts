import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RunEvent } from "../../src/model/event.ts";
import { crashOnSignal } from "./crash-on-signal.ts";
import {
  exposedBy,
  leftoversOf,
  listeners,
  MARK,
  processesOf,
  removeImages,
  type Traces,
} from "./machine.ts";
import { writeProject } from "./project.ts";
import { boundariesOf, type Step } from "./step.ts";
import { type Ended, problemsOf } from "./verdict.ts";

const RUN_LIMIT_MS = 120_000;
const POLL_MS = 5;
/** What a killed `docker run` has under way in the daemon shows up within this. */
const AFTERMATH_MS = 1500;
/** How much fits on the report disk of `disk`: some reports, not all logs. */
const DISK_KB = 512;

/** Where runs happen: the rig's PATH and the node image. */
export interface Ground {
  /** Of the program's `cli.cjs`. */
  readonly program: string;
  readonly path: string;
  readonly nodeImage: string;
}

/** What came of a step. */
export interface StepOutcome {
  /** Nothing is what is wanted. */
  readonly problems: readonly string[];
  readonly durationMs: number;
  readonly code: number | undefined;
  /** The last words of the program, for a problem. */
  readonly output: string;
}

/** A step's own little world. */
interface World extends Traces {
  readonly program: string;
  readonly directory: string;
  readonly project: string;
  readonly reports: string;
  readonly events: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs the program once, breaks it as the step says, and compares what is left with what was there before. */
export async function breakRun(step: Step, ground: Ground): Promise<StepOutcome> {
  const startedAt = Date.now();
  const world = await makeWorld(step, ground);
  try {
    const ended = await carryOut(step, world);
    const run = runOf(ended.events);
    const leftovers = await remaining({ ...world, run }, ended.code === undefined);
    const problems = [
      ...(await problemsOf(step, ended)),
      ...leftovers.map((left) => `left: ${left}`),
    ];
    return {
      problems,
      durationMs: Date.now() - startedAt,
      code: ended.code,
      output: ended.output.slice(-3000),
    };
  } finally {
    destroy(world);
  }
}

async function makeWorld({ seed, step, compose }: Step, ground: Ground): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "tci-chaos-"));
  const token = `chaos-${seed}-${step}-${process.pid}`;
  const folder = (name: string) => {
    const path = join(directory, name);
    mkdirSync(path);
    return path;
  };
  const [project, reports, temporary, state, home] = [
    ...["project", "reports", "tmp", "state", "home"].map(folder),
  ] as [string, string, string, string, string];
  writeProject(project, { token, port: await freePort(), compose });
  const kubeconfig = join(home, "kubeconfig");
  const context = "apiVersion: v1\nkind: Config\ncurrent-context: mine\n";
  writeFileSync(kubeconfig, context);
  const network = `${token}-net`;
  return {
    program: ground.program,
    directory,
    project,
    reports,
    events: join(directory, "events.ndjson"),
    token,
    network,
    run: undefined,
    startedAt: Date.now(),
    emptyFolders: [temporary, state],
    unchanged: { [kubeconfig]: context },
    listeners: listeners().map(({ address }) => address),
    env: {
      PATH: ground.path,
      HOME: home,
      TMPDIR: temporary,
      XDG_STATE_HOME: state,
      KUBECONFIG: kubeconfig,
      KIND_EXPERIMENTAL_DOCKER_NETWORK: network,
      TILT_CI_NODE_IMAGE: ground.nodeImage,
      [MARK]: token,
      ...crashOnSignal(directory, step % 2 === 0 ? "exception" : "rejection"),
    },
  };
}

/** From the start of the program to its end, `down` included where the program was killed. */
async function carryOut(step: Step, world: World): Promise<Ended> {
  const { reports, events, env, project } = world;
  if (step.ending === "disk") mountSmallDisk(reports);
  const argv = ["ci", "--report-dir", reports, "--events", events];
  const child = spawn(process.execPath, [world.program, ...argv], {
    cwd: project,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const exit = new Promise<Pick<Ended, "code" | "signal">>((done) =>
    child.once("exit", (code, signal) =>
      done({ code: code ?? undefined, signal: signal ?? undefined }),
    ),
  );
  const killer = setTimeout(() => child.kill("SIGKILL"), RUN_LIMIT_MS);
  let exposed: readonly string[] = [];
  const brokenAt = await atItsMoment(step, child, events).then((there) => {
    if (!there) return undefined;
    // only where the look, which takes a while, shifts no signal
    if (step.ending === "none" || step.ending === "epipe") exposed = exposedBy(world);
    return breakIt(step, child, reports);
  });
  const { code, signal } = await exit;
  clearTimeout(killer);
  const timedOut = signal === "SIGKILL" && step.ending !== "SIGKILL";
  const told = readEvents(events);
  const down = code === undefined ? await takeDown(world, runOf(told)) : undefined;
  return { code, signal, timedOut, brokenAt, output, events: told, reports, down, exposed };
}

/** Waits for the step's moment; false when the program has ended before. */
async function atItsMoment(
  { moment }: Step,
  child: ChildProcess,
  events: string,
): Promise<boolean> {
  const startedAt = performance.now();
  const isThere = () =>
    typeof moment === "number"
      ? performance.now() - startedAt >= moment
      : readEvents(events).some((event) => boundariesOf(event).includes(moment));
  while (child.exitCode === null && child.signalCode === null) {
    if (isThere()) return true;
    await delay(POLL_MS);
  }
  return false;
}

/** Does the damage; when that was, in epoch ms. */
async function breakIt(
  { ending, againAfterMs }: Step,
  child: ChildProcess,
  reports: string,
): Promise<number> {
  const now = Date.now();
  if (ending === "epipe") {
    child.stdout?.destroy();
    child.stderr?.destroy();
  } else if (ending === "disk") fillDisk(reports);
  else if (ending === "SIGINT twice") {
    child.kill("SIGINT");
    await delay(againAfterMs);
    child.kill("SIGINT");
  } else if (ending === "crash") child.kill("SIGUSR2");
  else if (ending !== "none") child.kill(ending);
  return now;
}

/** `tilt-ci down RUN`; without an id (nothing was announced yet) what `down` finds by itself. */
async function takeDown(
  world: World,
  run: string | undefined,
): Promise<NonNullable<Ended["down"]>> {
  const child = spawn(process.execPath, [world.program, "down", ...(run ? [run] : [])], {
    cwd: world.project,
    env: world.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, output };
}

async function remaining(traces: Traces, wasKilled: boolean): Promise<readonly string[]> {
  if (wasKilled) await delay(AFTERMATH_MS);
  return leftoversOf(traces);
}

/** Whatever a step has left is gone afterwards, so that the next one starts clean. */
function destroy({ directory, reports, token, network }: World): void {
  for (const { pid } of processesOf(token)) process.kill(pid, "SIGKILL");
  const list = (...argv: string[]) =>
    execFileSync("docker", argv, { encoding: "utf8" }).split("\n").filter(Boolean);
  const containers = new Set([
    ...list("ps", "--all", "--quiet", "--filter", `network=${network}`),
    ...list("ps", "--all", "--quiet", "--filter", `name=${token}`),
  ]);
  if (containers.size > 0)
    execFileSync("docker", ["rm", "--force", "--volumes", ...containers], { stdio: "ignore" });
  for (const name of list("network", "ls", "--format", "{{.Name}}", "--filter", `name=${token}`))
    execFileSync("docker", ["network", "rm", name], { stdio: "ignore" });
  for (const name of list("volume", "ls", "--format", "{{.Name}}", "--filter", `name=${token}`))
    execFileSync("docker", ["volume", "rm", name], { stdio: "ignore" });
  removeImages(token);
  if (readFileSync("/proc/mounts", "utf8").includes(` ${reports} `))
    execFileSync("umount", ["--lazy", reports]);
  rmSync(directory, { recursive: true, force: true });
}

/** Needs root; tests ask `canMount()` first. */
function mountSmallDisk(directory: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_KB}k`, "chaos", directory]);
}

function fillDisk(directory: string): void {
  try {
    writeFileSync(join(directory, "filler"), Buffer.alloc(DISK_KB * 1024));
  } catch {
    // that is the point: nothing more fits
  }
}

/** Whole lines of an event file that may be growing. */
function readEvents(path: string): readonly RunEvent[] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return []; // not begun
  }
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line, (key, value) => (key === "at" ? Date.parse(value) : value)));
}

function runOf(events: readonly RunEvent[]): string | undefined {
  const first = events.find((event) => event.type === "run-started");
  return first?.type === "run-started" ? first.run.id : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === "object" && address ? address.port : 0;
}
