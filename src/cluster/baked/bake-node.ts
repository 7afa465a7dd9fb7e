import { readFile } from "node:fs/promises";
import { EnvironmentError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { type ApiClient, createApiClient } from "../api.ts";
import { CommandFailedError, type ContainerEngine } from "../container-engine.ts";
import type { ClusterLease } from "../kind.ts";
import { parseAdminConf, serverOf } from "../kubeconfig.ts";
import type { RunRecord } from "../record.ts";
import { type ClusterObject, type Identity, nodeTemplate, takeBound } from "./bound-objects.ts";
import { BOUND_FILE, type BoundFile } from "./create-bound.ts";
import { listObjects } from "./list-objects.ts";
import { nodeNameOf } from "./run-args.ts";
import {
  ASSEMBLE_SCRIPT,
  BAKED_DIRECTORY,
  FREEZE_SCRIPT,
  REST_SCRIPT,
  START_SCRIPT,
  STRIP_SCRIPT,
} from "./scripts.ts";

const REST_TIMEOUT_MS = 5 * 60_000;
const STOP_TIMEOUT_S = 10;
const COMMIT_TIMEOUT_MS = 10 * 60_000;

/** The node of a booted cluster on its way to an image. The cluster is of no use any more after `strip()`. */
export class BakeNode {
  readonly #cluster: ClusterLease;
  readonly #record: RunRecord;
  readonly #engine: ContainerEngine;
  readonly #host: Host;
  readonly #signal: AbortSignal;
  readonly #name: string;

  constructor(
    cluster: ClusterLease,
    record: RunRecord,
    engine: ContainerEngine,
    host: Host,
    signal: AbortSignal,
  ) {
    this.#cluster = cluster;
    this.#record = record;
    this.#engine = engine;
    this.#host = host;
    this.#signal = signal;
    this.#name = nodeNameOf(cluster.name);
  }

  /** Waits until the cluster's own workloads are ready. */
  async rest(): Promise<void> {
    await this.#inNode("The cluster to bake does not come to rest", ["sh", "-c", REST_SCRIPT]);
  }

  /** Puts an image of the local engine, or else of its registry, into the node's store. */
  async addImage(ref: string): Promise<void> {
    const { exitCode } = await this.#run(["image", "inspect", "--format", "{{.Id}}", ref]);
    if (exitCode !== 0) return this.#cluster.pull({ ref }, this.#signal);
    await this.#cluster.importArchive(() => this.#save(ref), this.#signal);
  }

  async *#save(ref: string): AsyncGenerator<Uint8Array> {
    const child = await this.#host.spawn([this.#engine.cli, "save", ref], { raw: true });
    yield* child.stdout!;
    const { exitCode } = await child.exited;
    if (exitCode !== 0)
      throw new EnvironmentError(`Cannot save image ${ref}: exit status ${exitCode}`);
  }

  /** Takes away what belongs to this one cluster, and stops the node. */
  async strip(): Promise<void> {
    const address = await this.#address();
    const kubeconfig = await readFile(this.#cluster.kubeconfig, "utf8");
    const credentials = parseAdminConf(kubeconfig);
    const server = serverOf(kubeconfig);
    if (!credentials || !server)
      throw new EnvironmentError("Cannot read the kubeconfig of the cluster to bake");
    const client = createApiClient(server, credentials);
    try {
      const identity = { cluster: this.#cluster.name, address, ca: credentials.ca };
      await this.#takeObjects(client, identity);
    } finally {
      client.close();
    }
    await this.#write(`${BAKED_DIRECTORY}/start`, START_SCRIPT);
    const args = ["sh", "-c", STRIP_SCRIPT, "strip", this.#cluster.name, address];
    await this.#inNode("Cannot take the cluster out of the node", args);
    await this.#engine.must(
      "Cannot stop the node",
      ["stop", "--time", String(STOP_TIMEOUT_S), this.#name],
      {
        signal: this.#signal,
      },
    );
  }

  /** Writes down how to create again what names the cluster, and deletes it when nobody can bring it back. */
  async #takeObjects(client: ApiClient, identity: Identity): Promise<void> {
    const { body, status } = await client.request("GET", `/api/v1/nodes/${this.#name}`);
    if (status !== 200) throw new EnvironmentError(`Cannot read the node: status ${status}`);
    const { deleted, templates } = takeBound(await listObjects(client), identity);
    const node = nodeTemplate(JSON.parse(body) as ClusterObject, identity);
    const bound: BoundFile = { node, templates };
    await this.#write(BOUND_FILE, JSON.stringify(bound));
    await this.#inNode("Cannot stop the controllers", ["sh", "-c", FREEZE_SCRIPT]);
    for (const { collection, object } of deleted) {
      const path = `${collection}/${object.metadata.name}?propagationPolicy=Background`;
      const answer = await client.request("DELETE", path);
      if (answer.status !== 200 && answer.status !== 404)
        throw new EnvironmentError(`Cannot delete ${path}: status ${answer.status}`);
    }
  }

  /** The engine's id of the image that the node was made from. */
  nodeImageId(): Promise<string> {
    return this.#inspect("{{.Image}}");
  }

  /** Makes the image of the stopped node. */
  async commit(tag: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const name = `${this.#cluster.name}-assemble`;
    const cli = this.#engine.cli;
    const image = await this.nodeImageId();
    const volume = await this.#inspect(
      '{{range .Mounts}}{{if eq .Destination "/var"}}{{.Name}}{{end}}{{end}}',
    );
    // a volume that two containers use goes with neither of them
    await this.#record.add(
      { type: "volume", name: volume, cli },
      { type: "container", name, cli },
      { type: "making", name, attempt: 1 },
    );
    await this.#must("Cannot assemble the image", [
      ...["run", "--name", name, "--network", "none", "--entrypoint", "sh"],
      ...["--mount", `type=volume,src=${volume},dst=/baked,readonly`, image, "-c", ASSEMBLE_SCRIPT],
    ]);
    await this.#record.add({ type: "made", name, attempt: 1 });
    const inspected = await this.#engine.must(
      "Cannot inspect the node image",
      ["image", "inspect", "--format", "{{json .Config}}", image],
      { signal: this.#signal },
    );
    const changes = commitChanges(JSON.parse(inspected) as ImageConfig, labels);
    await this.#must("Cannot make the image", [
      "commit",
      ...changes.flatMap((change) => ["--change", change]),
      ...[name, tag],
    ]);
  }

  #must(what: string, args: readonly string[]): Promise<string> {
    return this.#engine.must(what, args, { signal: this.#signal, timeoutMs: COMMIT_TIMEOUT_MS });
  }

  #run(args: readonly string[]) {
    return this.#engine.run(args, { signal: this.#signal });
  }

  #inspect(format: string): Promise<string> {
    return this.#engine.must(
      "Cannot inspect the node",
      ["inspect", "--format", format, this.#name],
      {
        signal: this.#signal,
      },
    );
  }

  async #address(): Promise<string> {
    const text = await this.#inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}");
    const address = text.split(" ")[0];
    if (!address) throw new EnvironmentError("The node to bake has no IPv4 address");
    return address;
  }

  async #write(path: string, text: string): Promise<void> {
    const directory = path.slice(0, path.lastIndexOf("/"));
    const script = `mkdir -p ${directory} && cat > ${path}`;
    const outcome = await this.#engine.run(
      ["exec", "--interactive", this.#name, "sh", "-c", script],
      { input: text, signal: this.#signal },
    );
    if (outcome.exitCode !== 0)
      throw new CommandFailedError(`Cannot write ${path} in the node`, outcome);
  }

  async #inNode(what: string, command: readonly string[]): Promise<void> {
    await this.#engine.must(what, ["exec", this.#name, ...command], {
      signal: this.#signal,
      timeoutMs: REST_TIMEOUT_MS,
    });
  }
}

interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
}

/** How the image of a baked node differs from its node image's configuration, as `docker commit --change` takes it. */
export function commitChanges(
  { Entrypoint, Cmd }: ImageConfig,
  labels: Readonly<Record<string, string>>,
): readonly string[] {
  return [
    `ENTRYPOINT ${JSON.stringify([`${BAKED_DIRECTORY}/start`, ...(Entrypoint ?? [])])}`,
    `CMD ${JSON.stringify(Cmd ?? [])}`,
    ...Object.entries(labels).map(
      ([key, value]) => `LABEL ${JSON.stringify(key)}=${JSON.stringify(value)}`,
    ),
  ];
}
