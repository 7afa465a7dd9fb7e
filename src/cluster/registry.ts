import { request } from "node:http";
import { CancelledError, EnvironmentError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { CommandFailedError, type ContainerEngine, containerEngine } from "./container-engine.ts";
import { freePort } from "./free-port.ts";
import { type BringUpHooks, step } from "./hooks.ts";
import { formatIdentity } from "./identity.ts";
import { ensureImage } from "./images.ts";
import type { RegistryAddress } from "./local-registry-hosting.ts";
import { CLUSTER_LABEL, nodeNetwork, OWNER_LABEL, RUN_LABEL } from "./names.ts";
import { ensureNetwork } from "./network.ts";
import type { RunRecord } from "./record.ts";
import { retryPassing } from "./retry.ts";

export const DEFAULT_REGISTRY_IMAGE = "registry:2";
/** The port inside the container: what nodes and pods use. */
const REGISTRY_PORT = 5000;
const ANSWER_TIMEOUT_MS = 20_000;
const COMMAND_TIMEOUT_MS = 60_000;

export interface RegistryOptions {
  readonly record: RunRecord;
  /** `registry:2` when absent. */
  readonly image?: string | undefined;
  /** The cluster it is for; container and volume are called `NAME-registry`. */
  readonly clusterName: string;
  /** Goes on with a registry that is there, and leaves it for later runs. */
  readonly reuse?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A registry of the run's own, on loopback. */
export interface RegistryLease {
  /** Its container's name, which is its host name in the cluster network. */
  readonly name: string;
  /** The command that prints its log. */
  readonly logCommand: readonly string[];
  /** Resolves when it answers. Rejects with `EnvironmentError` or `CancelledError`. */
  readonly ready: Promise<RegistryAddress>;
  /** Resolves when the nodes' network exists, if it is ours to make. Its failure is `ready`'s, too. */
  readonly onNetwork: Promise<void>;
  /** Joins it to the nodes' network; a second time changes nothing. */
  attach(network: string): Promise<void>;
}

/** Starts a registry in the background. It is in the record before it exists; `teardown()` removes it. */
export function startRegistry(
  options: RegistryOptions,
  host: Host,
  hooks: BringUpHooks = {},
): RegistryLease {
  const engine = containerEngine(host);
  const name = registryName(options.clusterName);
  // elsewhere than with Docker kind makes the network, and the registry joins it afterwards
  const network = engine.cli === "docker" ? nodeNetwork(host.env) : undefined;
  const onNetwork = network ? recordedNetwork(network, options, engine) : Promise.resolve();
  onNetwork.catch(() => {});
  const ready = step("registry", hooks, host.clock, () =>
    start(name, { ...options, network, onNetwork }, engine, host, hooks),
  );
  ready.catch(() => {});
  return {
    logCommand: [engine.cli, "logs", "--timestamps", name],
    name,
    ready,
    onNetwork,
    attach: async (wanted) => {
      await ready;
      if (wanted !== network) await attach(name, wanted, engine, options.signal);
    },
  };
}

async function recordedNetwork(
  name: string,
  { record, signal }: RegistryOptions,
  engine: ContainerEngine,
): Promise<void> {
  await record.add({ type: "network", name, cli: engine.cli });
  await ensureNetwork(name, engine, signal);
}

/** The registry container (and volume) of a cluster. */
export function registryName(clusterName: string): string {
  return `${clusterName}-registry`;
}

interface StartOptions extends RegistryOptions {
  /** The network to start on, and when it exists. */
  readonly network: string | undefined;
  readonly onNetwork: Promise<void>;
}

async function start(
  name: string,
  options: StartOptions,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
): Promise<RegistryAddress> {
  const { record, reuse = false, signal } = options;
  const flags = { cli: engine.cli, ...(reuse ? { reuse } : {}) };
  await record.add({ type: "container", name, ...flags }, { type: "volume", name, ...flags });
  // of one of an earlier run that runs nothing else has to be asked
  const there = reuse
    ? await publishedPort(name, engine, signal).catch(unlessItDoesNotRun)
    : undefined;
  if (there === undefined) await make(name, options, engine, hooks);
  const port = there ?? (await publishedPort(name, engine, signal));
  const registryHost = `localhost:${port}`;
  // images are named for it from now on, also by programs of the user's
  await record.add({ type: "tags", name: registryHost, cli: engine.cli });
  await answering(name, port, engine, host, signal);
  return {
    host: registryHost,
    hostFromContainerRuntime: `${name}:${REGISTRY_PORT}`,
    hostFromClusterNetwork: `${name}:${REGISTRY_PORT}`,
  };
}

/** Starts the container of an earlier run, or runs a new one. */
async function make(
  name: string,
  options: StartOptions,
  engine: ContainerEngine,
  hooks: BringUpHooks,
): Promise<void> {
  const { record, image = DEFAULT_REGISTRY_IMAGE, clusterName, reuse = false } = options;
  const { signal, network } = options;
  const onPull = () => hooks.onLine?.(`pulling ${image}`);
  await Promise.all([
    ensureImage(image, "--registry-image", engine, { signal, onPull }),
    options.onNetwork,
  ]);
  if (!reuse || !(await startExisting(name, engine, signal))) {
    const labels = {
      [RUN_LABEL]: record.run,
      [CLUSTER_LABEL]: clusterName,
      ...(record.owner ? { [OWNER_LABEL]: formatIdentity(record.owner) } : {}),
    };
    await retryPassing(
      async (attempt) => {
        if (attempt > 1) {
          await engine.run(["rm", "-f", "-v", name]);
          // another run may have taken the network along that was there a moment ago
          if (network) await ensureNetwork(network, engine, signal);
        }
        await record.add({ type: "making", name, attempt });
        await engine.must(
          `Cannot start the registry ${image}`,
          runArgs(name, image, labels, { reuse, port: await freePort(), network }),
          { timeoutMs: COMMAND_TIMEOUT_MS, signal },
        );
        await record.add({ type: "made", name, attempt });
      },
      hooks,
      { signal },
    );
  }
}

/**
 * The arguments of `docker run`. The port is given: one that the engine picks is picked anew when the container is
 * started again or joins another network. Storage is a volume of its own (a tmpfs was no faster: 1.0 against 1.1 s
 * for a 230 MB layer).
 */
export function runArgs(
  name: string,
  image: string,
  labels: Readonly<Record<string, string>>,
  {
    reuse,
    port,
    network,
  }: {
    readonly reuse: boolean;
    readonly port: number;
    /** The network to start on, if not the engine's own. */
    readonly network?: string | undefined;
  },
): readonly string[] {
  return [
    "run",
    "--detach",
    "--name",
    name,
    "--hostname",
    name,
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ...(network ? ["--network", network] : []),
    ...["--restart", reuse ? "unless-stopped" : "no"],
    ...["--publish", `127.0.0.1:${port}:${REGISTRY_PORT}`],
    ...["--volume", `${name}:/var/lib/registry`],
    ...["--env", "REGISTRY_STORAGE_DELETE_ENABLED=true"],
    ...["--env", "REGISTRY_LOG_LEVEL=warn"],
    ...["--env", "OTEL_TRACES_EXPORTER=none"],
    image,
  ];
}

/** Whether a registry of an earlier run is there and runs (again). A broken one is removed. */
async function startExisting(
  name: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const bounds = { timeoutMs: COMMAND_TIMEOUT_MS, signal };
  const there = await engine.run(["container", "inspect", "--format", "{{.Id}}", name], bounds);
  if (there.exitCode !== 0) return false;
  if ((await engine.run(["start", name], bounds)).exitCode === 0) return true;
  await engine.run(["rm", "-f", name], bounds);
  return false;
}

async function publishedPort(
  name: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<number> {
  const text = await engine.must(
    "Cannot find the registry's port",
    ["port", name, `${REGISTRY_PORT}/tcp`],
    { timeoutMs: ANSWER_TIMEOUT_MS, signal },
  );
  const port = Number(/:(\d+)\s*$/m.exec(text)?.[1]);
  if (!port) throw new EnvironmentError(`Cannot find the registry's port in "${text}"`);
  return port;
}

function unlessItDoesNotRun(error: unknown): undefined {
  if (!(error instanceof EnvironmentError)) throw error;
}

async function answering(
  name: string,
  port: number,
  engine: ContainerEngine,
  { clock }: Host,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = clock.monotonic() + ANSWER_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (signal?.aborted) throw new CancelledError();
    if (clock.monotonic() > deadline) {
      const { stdout, stderr } = await engine.run(["logs", "--tail", "5", name]);
      throw new EnvironmentError(
        `The registry does not answer on localhost:${port} after ${ANSWER_TIMEOUT_MS / 1000} s`,
        {
          hint:
            `${stdout}${stderr}`.trim().split("\n").at(-1) ||
            "With a Docker engine on another machine, use --cluster current and a registry of your own",
        },
      );
    }
    await clock.sleep(25, signal);
  }
}

/** `GET /v2/` is 200 when a registry serves (OCI distribution specification). */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request(
      { host: "127.0.0.1", port, path: "/v2/", timeout: 2000, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    outgoing.on("error", () => resolve(false));
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.end();
  });
}

async function attach(
  name: string,
  network: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  const outcome = await engine.run(["network", "connect", network, name], {
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
  });
  if (outcome.exitCode === 0) return;
  if (/already exists|already connected|is already attached/.test(outcome.stderr)) return;
  throw new CommandFailedError(`Cannot join the registry to the network ${network}`, outcome);
}
