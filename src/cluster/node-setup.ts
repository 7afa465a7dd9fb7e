import { EnvironmentError } from "../errors.ts";
import { CommandFailedError, type ContainerEngine } from "./container-engine.ts";
import { type Credentials, parseAdminConf } from "./kubeconfig.ts";
import { ADMIN_SCRIPT, apiRouteScript, containerdScript, UNPACK_SCRIPT } from "./node-script.ts";

/** kubeadm's two administrators. The second one needs no RBAC, so it may act before the first (kubeadm ≥ 1.29). */
export interface Administrators {
  readonly admin: Credentials;
  readonly superAdmin: Credentials;
}

export interface NodeSetupHooks {
  /** The node's containerd answers and knows the registry. */
  onContainerd(): void;
  /** The control plane's images are unpacked. Absent: they have been before. */
  onUnpacked?(): void;
}

/**
 * Prepares a worker: waits for containerd, writes the registry files.
 * Throws `EnvironmentError` when the node cannot be used.
 */
export async function setUpWorker(
  node: string,
  files: Readonly<Record<string, string>>,
  engine: ContainerEngine,
  { onContainerd }: NodeSetupHooks,
  signal: AbortSignal,
): Promise<void> {
  await runScript(node, containerdScript(files), engine, signal, (line) => {
    if (line === "tci:containerd") onContainerd();
  });
}

/** As `setUpWorker()`, then unpacks the control plane's images and waits for the administrators' kubeconfigs. */
export async function setUpControlPlane(
  node: string,
  files: Readonly<Record<string, string>>,
  engine: ContainerEngine,
  { onContainerd, onUnpacked }: NodeSetupHooks,
  signal: AbortSignal,
): Promise<Administrators> {
  // the kubeconfigs are there about when the unpacking ends, and must not wait for it; nobody waits for the route
  const script = [
    containerdScript(files),
    `(\n${apiRouteScript()}\n) >/dev/null 2>&1 &`,
    onUnpacked ? `(\n${UNPACK_SCRIPT}\n) &\nunpacking=$!` : "",
    ADMIN_SCRIPT,
    onUnpacked ? "wait $unpacking" : "",
  ].join("\n");
  const texts = { admin: "", superAdmin: "" };
  let into: keyof typeof texts | undefined;
  await runScript(node, script, engine, signal, (line) => {
    if (line === "tci:containerd") onContainerd();
    else if (line === "tci:unpacked") onUnpacked?.();
    else if (line === "tci:admin-conf") into = "admin";
    else if (line === "tci:super-admin-conf") into = "superAdmin";
    else if (line === "tci:end") into = undefined;
    else if (into) texts[into] += `${line}\n`;
  });
  const admin = parseAdminConf(texts.admin);
  if (!admin)
    throw new EnvironmentError(`Cannot read the administrator's kubeconfig in the node ${node}`);
  return { admin, superAdmin: parseAdminConf(texts.superAdmin) ?? admin };
}

interface Problem {
  readonly what: string;
  readonly hint: string;
}

const OTHER_IMAGE = "Use a node image of kind 0.27 or newer";

/** What a script says in the way of an error. */
const PROBLEMS: Readonly<Record<string, Problem>> = {
  "tci:no-containerd": { what: "its containerd does not start", hint: OTHER_IMAGE },
  "tci:no-certs-d": {
    what: "its containerd does not read registries from certs.d",
    hint: OTHER_IMAGE,
  },
  "tci:mirrors": {
    what: "its containerd is given registry.mirrors, and so reads no registries from certs.d",
    hint: "Remove the registry.mirrors patch from the kind configuration: tilt-ci needs none",
  },
};

async function runScript(
  node: string,
  script: string,
  engine: ContainerEngine,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  let problem: Problem | undefined;
  const outcome = await engine.run(["exec", node, "sh", "-c", script], {
    signal,
    onLine: (line, stream) => {
      if (stream === "stderr") return;
      if (line in PROBLEMS) problem = PROBLEMS[line];
      else onLine(line);
    },
  });
  if (problem)
    throw new EnvironmentError(`The node ${node} cannot be used: ${problem.what}`, {
      hint: problem.hint,
    });
  if (outcome.exitCode !== 0)
    throw new CommandFailedError(`Cannot prepare the node ${node}`, outcome);
}
