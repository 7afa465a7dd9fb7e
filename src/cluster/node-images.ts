import { CommandFailedError, type ContainerEngine } from "./container-engine.ts";
import { writeFiles } from "./node-script.ts";

const CONTAINERD = ["ctr", "--namespace", "k8s.io", "images"] as const;
const CERTS_DIRECTORY = "/etc/containerd/certs.d";

/** An image reference as containerd stores it: `redis:7` → `docker.io/library/redis:7` (distribution/reference). */
export function fullyQualified(ref: string): string {
  const slash = ref.indexOf("/");
  const first = slash < 0 ? "" : ref.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost";
  const named = isHost ? ref : `docker.io/${slash < 0 ? "library/" : ""}${ref}`;
  const rest = named.slice(named.lastIndexOf("/"));
  return rest.includes(":") || rest.includes("@") ? named : `${named}:latest`;
}

/** Pulls an image into the store that the kubelet uses, in all nodes at once. Throws `EnvironmentError`. */
export async function pullIntoNodes(
  nodes: readonly string[],
  ref: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  const args = [...CONTAINERD, "pull", "--hosts-dir", CERTS_DIRECTORY, fullyQualified(ref)];
  await inNodes(nodes, (node) => [node, ...args], `Cannot pull ${ref} into a node`, engine, signal);
}

/** Imports a `docker save` archive, in all nodes at once; each reads a stream of its own. Throws `EnvironmentError`. */
export async function importIntoNodes(
  nodes: readonly string[],
  open: () => AsyncIterable<Uint8Array>,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      const outcome = await engine.run(
        ["exec", "--interactive", node, ...CONTAINERD, "import", "--digests", "-"],
        { input: open(), signal },
      );
      if (outcome.exitCode !== 0)
        throw new CommandFailedError(`Cannot import an image archive into ${node}`, outcome);
    }),
  );
}

/** Writes registry files into all nodes; they hold from the next pull on. Throws `EnvironmentError`. */
export async function mirrorInNodes(
  nodes: readonly string[],
  files: Readonly<Record<string, string>>,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  const script = writeFiles(files);
  await inNodes(
    nodes,
    (node) => [node, "sh", "-c", script],
    "Cannot configure a registry mirror in a node",
    engine,
    signal,
  );
}

async function inNodes(
  nodes: readonly string[],
  command: (node: string) => readonly string[],
  what: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      const outcome = await engine.run(["exec", ...command(node)], { signal });
      if (outcome.exitCode !== 0) throw new CommandFailedError(what, outcome);
    }),
  );
}
