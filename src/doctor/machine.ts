import { readFile, statfs } from "node:fs/promises";
import { type ClientRequest, request as plainRequest } from "node:http";
import { request } from "node:https";
import type { Host } from "../host/host.ts";
import { proxyFor } from "../host/proxy.ts";
import type { Check } from "./check.ts";

const GIB = 1 << 30;
const MIN_FREE_GIB = 10;
const MIN_INOTIFY = { max_user_instances: 512, max_user_watches: 524_288 } as const;
const REGISTRIES = ["registry-1.docker.io", "ghcr.io", "registry.k8s.io", "quay.io"] as const;
const REGISTRY_TIMEOUT_MS = 5000;

type Env = Readonly<Record<string, string>>;

/** Disk, kernel limits, cgroups: what makes clusters fail oddly. */
export async function checkMachine(host: Host): Promise<Check[]> {
  const checks = [checkDisk(host), checkNode()];
  if (host.platform === "linux")
    checks.push(
      ...Object.entries(MIN_INOTIFY).map(([name, least]) => checkInotify(name, least)),
      checkCgroup(),
    );
  return Promise.all(checks);
}

async function checkNode(): Promise<Check> {
  return { name: "node", status: "ok", version: process.versions.node };
}

async function checkDisk(host: Host): Promise<Check> {
  const { stdout } = await host
    .run(["docker", "info", "--format", "{{.DockerRootDir}}"], { timeoutMs: 10_000 })
    .catch(() => ({ stdout: "" }));
  const asked = stdout.trim() || host.cwd;
  // Docker's root may be in a virtual machine (macOS): then this folder's disk is what can be seen.
  const stats = await statfs(asked).catch(() => statfs(host.cwd));
  const free = (stats.bavail * stats.bsize) / GIB;
  const detail = `${free.toFixed(1)} GiB free in ${asked}`;
  if (free >= MIN_FREE_GIB) return { name: "disk", status: "ok", detail };
  return {
    name: "disk",
    status: "warning",
    detail,
    hint: `Node images, layers and a cluster take a few GiB: free at least ${MIN_FREE_GIB} GiB (docker system df shows what uses it)`,
  };
}

async function checkInotify(name: string, least: number): Promise<Check> {
  const key = `fs.inotify.${name}`;
  const value = Number(await readFile(`/proc/sys/fs/inotify/${name}`, "utf8").catch(() => "0"));
  if (value >= least) return { name: key, status: "ok", detail: String(value) };
  return {
    name: key,
    status: "warning",
    detail: `${value}, kind wants ${least}`,
    hint: `sudo sysctl ${key}=${least}`,
  };
}

async function checkCgroup(): Promise<Check> {
  const v2 = await readFile("/sys/fs/cgroup/cgroup.controllers", "utf8").then(
    () => true,
    () => false,
  );
  if (v2) return { name: "cgroup", status: "ok", version: "v2" };
  return {
    name: "cgroup",
    status: "warning",
    version: "v1",
    detail: "Kubernetes 1.35 and later want cgroup v2",
    hint: "Boot with systemd.unified_cgroup_hierarchy=1, or keep to node images below 1.35",
  };
}

/** Whether image registries answer, through the proxy of the environment if there is one. Unreachable is a warning: images that are here already need none. */
export async function checkRegistries(
  env: Env,
  registries: readonly string[] = REGISTRIES,
): Promise<Check[]> {
  return Promise.all(
    registries.map(async (registry): Promise<Check> => {
      const name = `registry ${registry}`;
      const error = await reach(registry, env);
      if (!error) return { name, status: "ok" };
      return {
        name,
        status: "warning",
        detail: error,
        hint: "Images from there must be in the local Docker already, or set up a mirror or proxy",
      };
    }),
  );
}

/** Undefined when the registry answered anything at all, or a proxy opens the way to it, else why not. */
function reach(registry: string, env: Env): Promise<string | undefined> {
  const proxy = proxyFor(`https://${registry}`, env);
  return new Promise((resolve) => {
    const ask = proxy === undefined ? askRegistry(registry) : askProxy(proxy, registry);
    ask.on("response", (response) => {
      response.resume();
      resolve(proxy === undefined ? undefined : refusal(response));
    });
    ask.on("connect", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode === 200 ? undefined : refusal(response));
    });
    ask.on("timeout", () =>
      ask.destroy(new Error(`no answer within ${REGISTRY_TIMEOUT_MS / 1000} s`)),
    );
    ask.on("error", (error) => resolve(error.message));
    ask.end();
  });
}

function askRegistry(registry: string): ClientRequest {
  return request(`https://${registry}/v2/`, { timeout: REGISTRY_TIMEOUT_MS, agent: false });
}

function askProxy(proxy: string, registry: string): ClientRequest {
  const { protocol, hostname, port, username, password } = new URL(proxy);
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return (protocol === "https:" ? request : plainRequest)({
    host: hostname,
    port: port || (protocol === "https:" ? 443 : 80),
    method: "CONNECT",
    path: registry.includes(":") ? registry : `${registry}:443`,
    ...(username && { headers: { "Proxy-Authorization": `Basic ${login.toString("base64")}` } }),
    timeout: REGISTRY_TIMEOUT_MS,
    agent: false,
  });
}

function refusal({ statusCode }: { readonly statusCode?: number | undefined }): string {
  return `the proxy refuses: HTTP status ${statusCode}`;
}
