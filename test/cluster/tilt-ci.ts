import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { RunResult } from "../../src/model/run-result.ts";
import { clusterAvailable, rigEnv } from "../rig/env.ts";
import { isColdAfterAll, WARM_FLAG } from "./warm.ts";

/** What a run of the committed program came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly reports: string;
  /** report.json, when there is one. */
  readonly report: RunResult | undefined;
  readonly durationMs: number;
}

export interface TiltCiOptions {
  readonly cwd: string;
  /** Called with what the program has printed so far, and with how to end it. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  readonly env?: Readonly<Record<string, string>>;
}

const CLI = resolve(import.meta.dirname, "../../dist/cli.cjs");
/** The name of the cluster that most of the tests share; each checkout has its own. */
export const SHARED_CLUSTER = `tci-tests-${basename(resolve(import.meta.dirname, "../.."))
  .toLowerCase()
  .replace(/[^a-z0-9]+/g, "-")}`;
export const SHARED = ["--reuse", SHARED_CLUSTER.slice("tci-".length)] as const;
/** Ends it. Not `down --all`: other checkouts may be under test. */
export const removeShared = () => tiltCi("down", [SHARED_CLUSTER], { cwd: tmpdir() });

/** The ids of its node containers, a line each. */
export const standingNodes = (): string =>
  execFileSync(
    "docker",
    ["ps", "--all", "--quiet", "--filter", `label=io.x-k8s.kind.cluster=${SHARED_CLUSTER}`],
    { encoding: "utf8" },
  ).trim();

/** What kubectl says in the shared cluster. */
export function kubectl(args: readonly string[], input?: string): string {
  const words = [
    ...[
      "exec",
      ...(input === undefined ? [] : ["--interactive"]),
      `${SHARED_CLUSTER}-control-plane`,
    ],
    ...["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", ...args],
  ];
  const options = { encoding: "utf8", ...(input === undefined ? {} : { input }) } as const;
  return execFileSync("docker", words, options).trim();
}

/** Runs `tilt-ci COMMAND ARGS…` as a user would, on the rig where there is one, its reports in a directory of their own unless told otherwise. */
export function tiltCi(
  command: string,
  args: readonly string[],
  options: TiltCiOptions,
): Promise<Outcome> {
  const given = args.includes("--report-dir") ? args[args.indexOf("--report-dir") + 1] : undefined;
  const reports = given ? resolve(options.cwd, given) : mkdtempSync(join(tmpdir(), "tci-report-"));
  const words = args.includes("--") ? args.indexOf("--") : args.length;
  const isRun = command === "ci" || command === "smoke";
  const warm = args.includes("--warm") ? [] : WARM_FLAG;
  const reporting = isRun ? [...(given ? [] : ["--report-dir", reports]), ...warm] : [];
  const argv = [CLI, command, ...args.slice(0, words), ...reporting, ...args.slice(words)];
  const startedAt = performance.now();
  return new Promise((done, fail) => {
    const { CI: _, ...inherited } = process.env;
    const child = spawn(process.execPath, argv, {
      cwd: options.cwd,
      env: {
        ...inherited,
        ...rigVariables(),
        NO_COLOR: "1",
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    const hear = () => options.onOutput?.(stdout + stderr, (signal) => child.kill(signal));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      hear();
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      hear();
    });
    child.on("close", (code) => {
      const file = join(reports, "report.json");
      const report = existsSync(file)
        ? (JSON.parse(readFileSync(file, "utf8")) as RunResult)
        : undefined;
      if (warm.length > 0 && isColdAfterAll(stdout + stderr))
        return fail(new Error(`This run did not start from a baked node:\n${stdout}${stderr}`));
      done({
        code: code ?? -1,
        stdout,
        stderr,
        reports,
        report,
        durationMs: performance.now() - startedAt,
      });
    });
  });
}

/** Nothing without a rig: what needs no cluster is tested there, too. */
function rigVariables(): Record<string, string> {
  if (!clusterAvailable()) return {};
  const { path, nodeImage } = rigEnv();
  return { PATH: path, TILT_CI_NODE_IMAGE: nodeImage };
}

export const example = (name: string) => resolve(import.meta.dirname, "../../examples", name);
