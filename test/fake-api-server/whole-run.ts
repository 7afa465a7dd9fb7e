import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { main } from "../../src/cli/main.ts";
import type { RunEvent } from "../../src/model/event.ts";
import type { RunResult } from "../../src/model/run-result.ts";
import { playControllers } from "./controllers.ts";
import { FakeApiServer } from "./fake-api-server.ts";

/** A fake cluster with controllers, and a project that can be run on it with the whole program. */
export interface Stage extends AsyncDisposable {
  readonly server: FakeApiServer;
  readonly directory: string;
  /** Called with each event of the run, as soon as it is written. */
  onEvent: (event: RunEvent) => void;
  run(args?: readonly string[]): Promise<RunOutcome>;
}

export interface RunOutcome {
  readonly code: number;
  readonly output: string;
  readonly report: RunResult;
  readonly events: readonly RunEvent[];
  readonly durationMs: number;
}

export interface StageOptions {
  readonly readyAfterMs?: number;
  readonly tiltfile?: string;
  /** What the kubeconfig says; the fake server's address when absent. */
  readonly address?: string;
  /** Names of Deployments. */
  readonly workloads?: readonly string[];
}

/** The context must be allowed: nobody knows what cluster it is. */
export const ALLOWED = "allow_k8s_contexts('fake')\n";

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { workloads = ["db", "web"], tiltfile = `${ALLOWED}k8s_yaml('app.yaml')\n` } = options;
  const directory = mkdtempSync(join(tmpdir(), "tci-stage-"));
  const server = await FakeApiServer.start();
  const stop = playControllers(server, options);
  server.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } });
  const kubeconfig = server.writeKubeconfig(directory);
  const { address } = options;
  if (address !== undefined)
    writeFileSync(kubeconfig, readFileSync(kubeconfig, "utf8").replaceAll(server.url, address));
  mkdirSync(join(directory, "project"));
  writeFileSync(join(directory, "project", "Tiltfile"), tiltfile);
  writeFileSync(join(directory, "project", "app.yaml"), workloads.map(manifest).join("---\n"));
  const stage: Stage = {
    server,
    directory,
    onEvent: () => {},
    run: (args = []) =>
      runProgram(stage, [
        ...["--cluster", "current", "--kubeconfig", kubeconfig, "--export-logs", "never"],
        ...args,
      ]),
    async [Symbol.asyncDispose]() {
      stop();
      await server.down();
      rmSync(directory, { recursive: true });
    },
  };
  return stage;
}

/** Runs `tilt-ci ci ARGS…` in this process, on the project and for the listener of a stage. */
export async function runProgram(
  stage: Pick<Stage, "directory" | "onEvent">,
  args: readonly string[],
): Promise<RunOutcome> {
  const reports = join(stage.directory, "reports");
  const events: RunEvent[] = [];
  const errors = new Text();
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of String(chunk).split("\n").filter(Boolean)) {
        const event = JSON.parse(line) as RunEvent;
        events.push(event);
        stage.onEvent(event);
      }
      done();
    },
  });
  const argv = ["ci", "--events", "-", "--report-dir", reports];
  const startedAt = performance.now();
  const { PATH = "" } = process.env;
  const code = await main([...argv, ...args], {
    program: ["tilt-ci"],
    stdin: new PassThrough(),
    stdout: lines,
    stderr: errors,
    env: { PATH, HOME: stage.directory, XDG_STATE_HOME: stage.directory },
    cwd: join(stage.directory, "project"),
    onSignal: () => () => {},
    exitNow: (status) => {
      throw new Error(`exit ${status}`);
    },
  });
  return {
    code,
    output: errors.text,
    events,
    report: JSON.parse(readFileSync(join(reports, "report.json"), "utf8")) as RunResult,
    durationMs: performance.now() - startedAt,
  };
}

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

function manifest(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: main, image: busybox }] }
`;
}
