import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** The variable that marks all processes of a step: children inherit it. */
export const MARK = "TILT_CI_CHAOS";

/** What tells a step's things from those of everybody else on the machine. */
export interface Traces {
  /** In image names, the Compose project's name and the value of MARK. */
  readonly token: string;
  /** The nodes' network. */
  readonly network: string;
  /** The run's id, as far as it is known. */
  readonly run: string | undefined;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Folders that have to be empty of files in the end. */
  readonly emptyFolders: readonly string[];
  /** Files with the text that they must still have. */
  readonly unchanged: Readonly<Record<string, string>>;
  /** Who listened before: `127.0.0.1:8080`. */
  readonly listeners: readonly string[];
}

/** All that is left of a step, each as a line; nothing is what is wanted. */
export function leftoversOf(traces: Traces): readonly string[] {
  const { token, network, run } = traces;
  const names = [token, ...(run ? [run] : [])];
  const byName = (...argv: readonly string[]) =>
    docker(...argv).filter((line) => names.some((name) => line.includes(name)));
  return [
    ...docker("ps", "--all", "--format", "container {{.Names}}", "--filter", `network=${network}`),
    ...byName("ps", "--all", "--format", "container {{.Names}}"),
    ...byName("volume", "ls", "--format", "volume {{.Name}}"),
    ...lostVolumes(traces),
    ...docker("network", "ls", "--format", "network {{.Name}}", "--filter", `name=${network}`),
    ...byName("network", "ls", "--format", "network {{.Name}}"),
    ...runTags(token),
    ...processesOf(token).map(({ pid, command }) => `process ${pid} ${command}`),
    ...newListeners(traces),
    ...traces.emptyFolders.flatMap(filesIn).map((path) => `file ${path}`),
    ...Object.entries(traces.unchanged)
      .filter(([path, text]) => readFileSync(path, "utf8") !== text)
      .map(([path]) => `changed ${path}`),
  ].filter((line, index, all) => all.indexOf(line) === index);
}

/** Images that are named for the step's registry; content tags (`tilt-…`) are a cache and stay. */
function runTags(token: string): readonly string[] {
  return docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    .filter((name) => name.includes(token) && !/:tilt-[0-9a-f]{16}$/.test(name))
    .map((name) => `image ${name}`);
}

/** Anonymous volumes that a container of the step had: Docker's events tell whose they were. */
function lostVolumes({ token, run, startedAt }: Traces): readonly string[] {
  const now = new Date().toISOString();
  const since = new Date(startedAt).toISOString();
  const events = docker("events", "--since", since, "--until", now, "--format", "{{json .}}").map(
    (line) => JSON.parse(line) as DockerEvent,
  );
  const ours = new Set(
    events
      .filter(({ Type, Actor }) => Type === "container" && isOurs(Actor.Attributes.name ?? ""))
      .map(({ Actor }) => Actor.ID),
  );
  const mounted = events
    .filter(({ Type, Actor }) => Type === "volume" && ours.has(Actor.Attributes.container ?? ""))
    .map(({ Actor }) => Actor.ID);
  if (mounted.length === 0) return [];
  const present = new Set(docker("volume", "ls", "--quiet"));
  return mounted.filter((name) => present.has(name)).map((name) => `volume ${name}`);

  function isOurs(name: string): boolean {
    return name.includes(token) || (run !== undefined && name.includes(run));
  }
}

interface DockerEvent {
  readonly Type: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Live processes that carry the step's mark. */
export function processesOf(token: string): readonly { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const environment = read(`/proc/${pid}/environ`).split("\0");
      if (!environment.includes(`${MARK}=${token}`)) return [];
      return [{ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ") }];
    });
}

/** Listening TCP sockets: `address:port`, addresses as in /proc (hexadecimal). */
export function listeners(): readonly { address: string; inode: string }[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((path) =>
    read(path)
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
        return state === "0A" ? [{ address: local, inode }] : [];
      }),
  );
}

/** Sockets that were not there before and belong to a process of the step. */
function newListeners({ token, listeners: before }: Traces): readonly string[] {
  const ours = new Set(processesOf(token).flatMap(({ pid }) => socketsOf(pid)));
  return listeners()
    .filter(({ address, inode }) => !before.includes(address) && ours.has(inode))
    .map(({ address }) => `listener ${address}`);
}

/** What of a step can be reached from other machines: listening sockets of its processes, published ports. */
export function exposedBy({
  token,
  network,
}: Pick<Traces, "token" | "network">): readonly string[] {
  const ours = new Set(processesOf(token).flatMap(({ pid }) => socketsOf(pid)));
  const sockets = listeners()
    .filter(({ address, inode }) => ours.has(inode) && !LOOPBACK.test(address))
    .map(({ address }) => `listens on ${address}`);
  const filter = ["--filter", `network=${network}`, "--format", "{{.Names}} {{.Ports}}"];
  const ports = docker("ps", ...filter).filter((line) => /(0\.0\.0\.0|\[?::\]?):\d+->/.test(line));
  return [...sockets, ...ports];
}

/** 127.0.0.0/8 and ::1 as /proc/net writes them. */
const LOOPBACK = /^([0-9A-F]{6}7F|0{24}01000000):/;

/** Inodes of the sockets that a process holds. */
export function socketsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, fd)))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return []; // it has ended
  }
}

/** Removes what the step's builds left in Docker's store on purpose. */
export function removeImages(token: string): void {
  const names = docker("images", "--format", "{{.Repository}}:{{.Tag}}").filter((name) =>
    name.includes(token),
  );
  if (names.length > 0) execFileSync("docker", ["rmi", "--force", ...names], { stdio: "ignore" });
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function docker(...argv: readonly string[]): readonly string[] {
  return execFileSync("docker", argv, { encoding: "utf8", maxBuffer: 1 << 28 })
    .split("\n")
    .filter(Boolean);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // gone, or not ours
  }
}
