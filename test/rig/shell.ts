import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterAvailable, rigEnv } from "./env.ts";

/** A kind cluster of a test's own, with kubectl bound to it. Deleted by `await using`. */
export interface TestCluster extends AsyncDisposable {
  readonly name: string;
  readonly kubeconfig: string;
  /** Runs `kubectl ARGS`; gives its stdout. Rejects with the command and its stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Runs another program with the cluster's KUBECONFIG. */
  sh(argv: readonly string[], input?: string): Promise<string>;
}

/** Runs a command with the rig's PATH, where there is a rig; gives its stdout, rejects with its stderr when it fails or takes longer than 5 min. */
export function sh(
  argv: readonly string[],
  options: { input?: string | undefined; env?: Record<string, string> } = {},
): Promise<string> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const path = clusterAvailable() ? { PATH: rigEnv().path } : {};
    const child = spawn(program, args, {
      env: { ...process.env, ...path, ...options.env },
      timeout: 300_000,
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output.stdout);
      else reject(new Error(`${argv.join(" ")} ended with ${code ?? signal}: ${output.stderr}`));
    });
    child.stdin.on("error", () => {}); // a program need not read its input
    child.stdin.end(options.input ?? "");
  });
}

/**
 * Creates a cluster named `rigtest-<label>-<process id>` from a kind configuration; the images go into every node.
 * `waitSeconds` is for the control plane to be Ready (a cluster without a network never is).
 */
export async function createCluster(
  label: string,
  config: string,
  { images = [], waitSeconds = 120 }: { images?: readonly string[]; waitSeconds?: number } = {},
): Promise<TestCluster> {
  const name = `rigtest-${label}-${process.pid}`;
  const kubeconfig = join(mkdtempSync(join(tmpdir(), "rigtest-")), "kubeconfig");
  const run = (argv: readonly string[], input?: string) =>
    sh(argv, { input, env: { KUBECONFIG: kubeconfig } });
  const remove = () => run(["kind", "delete", "cluster", "--name", name]);
  const { nodeImage } = rigEnv();
  try {
    const create = ["kind", "create", "cluster", "--name", name, "--image", nodeImage];
    await run([...create, "--wait", `${waitSeconds}s`, "--config", "-"], config);
    if (images.length > 0) await run(["kind", "load", "docker-image", "--name", name, ...images]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    name,
    kubeconfig,
    sh: run,
    kubectl: (args, input) => run(["kubectl", ...args], input),
    [Symbol.asyncDispose]: async () => {
      await remove();
    },
  };
}
