import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../errors.ts";
import type { ApiObject, ClusterEvent, Node, Pod } from "../api/api-object.ts";
import { collectionPath, objectPath } from "../api/discovery.ts";
import type { AppliedObject } from "../applied-object.ts";
import type { KubernetesConnection } from "../connection.ts";
import { linesOf } from "../watch/lines.ts";
import { dumpObject, formatEvents, formatNode } from "./dump.ts";
import { fileSegment } from "./file-name.ts";

/** A resource whose remains are of interest. */
export interface DiagnosedResource {
  readonly name: string;
  readonly applied: readonly AppliedObject[];
  readonly pods: readonly Pod[];
}

export interface DiagnosticsOptions {
  readonly resources: readonly DiagnosedResource[];
  /** Made if it is not there; a folder a resource is made in it. */
  readonly directory: string;
  /** After this, what has been written is what there is. */
  readonly deadlineMs: number;
  /** Takes secrets out of each text before it is written. */
  readonly scrub?: (text: string) => string;
}

export interface Diagnostics {
  /** Relative to the directory. */
  readonly files: readonly { readonly resource: string | undefined; readonly path: string }[];
  /** What could not be had, one line each. */
  readonly problems: readonly string[];
}

const MAX_PARALLEL = 10;
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_TOTAL_BYTES = 200 * 1024 * 1024;
const LOG_LINES = 50_000;
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Writes down what a failure leaves behind in the cluster: logs of all containers (and of the ones before them), the
 * objects with their owners, events, nodes. Never throws: what cannot be had is a line in `problems`.
 */
export async function collectDiagnostics(
  connection: KubernetesConnection,
  options: DiagnosticsOptions,
): Promise<Diagnostics> {
  const collector = new Collector(connection, options);
  await collector.run();
  return { files: collector.files, problems: collector.problems };
}

class Collector {
  readonly files: { resource: string | undefined; path: string }[] = [];
  readonly problems: string[] = [];
  readonly #connection: KubernetesConnection;
  readonly #options: DiagnosticsOptions;
  readonly #signal: AbortSignal;
  readonly #scrub: (text: string) => string;
  #bytes = 0;

  constructor(connection: KubernetesConnection, options: DiagnosticsOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#signal = AbortSignal.timeout(options.deadlineMs);
    this.#scrub = options.scrub ?? ((text) => text);
  }

  async run(): Promise<void> {
    const tasks: { readonly what: string; readonly run: () => Promise<void> }[] = [
      { what: "nodes", run: () => this.#writeNodes() },
    ];
    for (const resource of this.#options.resources) {
      const folder = fileSegment(resource.name);
      tasks.push({
        what: `objects of ${resource.name}`,
        run: () => this.#writeObjects(resource, folder),
      });
      for (const pod of resource.pods) tasks.push(...this.#logTasks(resource.name, folder, pod));
    }
    const next = async () => {
      for (let task = tasks.shift(); task; task = tasks.shift()) {
        try {
          if (this.#signal.aborted) throw new Error("no time left");
          await task.run();
        } catch (error) {
          this.problems.push(`${task.what}: ${messageOf(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_PARALLEL }, next));
  }

  async #writeNodes(): Promise<void> {
    const { items = [] } = await this.#get<{ items?: Node[] }>("/api/v1/nodes");
    await this.#write(undefined, "nodes.txt", items.map(formatNode).join("\n"));
  }

  async #writeObjects({ name, applied, pods }: DiagnosedResource, folder: string): Promise<void> {
    const objects = new Map<string, ApiObject>();
    const errors: string[] = [];
    const fetch = async (ref: {
      apiVersion: string;
      kind: string;
      namespace: string | undefined;
      name: string;
      uid: string;
    }) => {
      if (objects.has(ref.uid)) return;
      try {
        const resource = await this.#connection.discovery.find(ref.apiVersion, ref.kind);
        if (resource === undefined) return;
        const path = objectPath(resource, ref.namespace, ref.name);
        objects.set(ref.uid, await this.#get<ApiObject>(path));
      } catch (error) {
        errors.push(`${ref.kind}/${ref.name}: ${messageOf(error)}`);
      }
    };
    await Promise.all(applied.map(fetch));
    for (const { apiVersion, kind, metadata } of pods) {
      const { namespace, uid } = metadata;
      await fetch({ apiVersion, kind, namespace, uid, name: metadata.name });
      for (const owner of metadata.ownerReferences ?? []) await fetch({ ...owner, namespace });
    }
    for (const object of objects.values()) {
      const file = `${object.kind.toLowerCase()}-${fileSegment(object.metadata.name)}.yaml`;
      await this.#write(name, join(folder, file), dumpObject(object));
    }
    const events = await this.#eventsOf(new Set(objects.keys()), objects.values());
    if (events.length > 0)
      await this.#write(name, join(folder, "events.txt"), formatEvents(events));
    if (errors.length > 0) throw new Error(errors.join("; "));
  }

  async #eventsOf(
    uids: ReadonlySet<string>,
    objects: Iterable<ApiObject>,
  ): Promise<ClusterEvent[]> {
    const namespaces = new Set([...objects].flatMap(({ metadata }) => metadata.namespace ?? []));
    const resource = { apiVersion: "v1", kind: "Event", plural: "events", namespaced: true };
    const lists = await Promise.all(
      [...namespaces].map((namespace) =>
        this.#get<{ items?: ClusterEvent[] }>(collectionPath(resource, namespace)),
      ),
    );
    return lists
      .flatMap(({ items = [] }) => items)
      .filter(({ involvedObject }) => uids.has(involvedObject.uid ?? ""));
  }

  #logTasks(resource: string, folder: string, pod: Pod) {
    const statuses = [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ];
    return statuses
      .filter(({ containerID }) => containerID !== undefined && containerID !== "")
      .flatMap(({ name, restartCount }) => {
        const file = join(folder, `${fileSegment(pod.metadata.name)}.${fileSegment(name)}`);
        const task = (previous: boolean) => ({
          what: `${previous ? "previous " : ""}log of ${pod.metadata.name}/${name}`,
          run: () =>
            this.#writeLog(
              resource,
              `${file}${previous ? ".previous" : ""}.log`,
              pod,
              name,
              previous,
            ),
        });
        return restartCount > 0 ? [task(false), task(true)] : [task(false)];
      });
  }

  async #writeLog(
    resource: string,
    path: string,
    { metadata }: Pod,
    container: string,
    previous: boolean,
  ): Promise<void> {
    const { namespace = "", name } = metadata;
    const stream = await this.#connection.transport.stream({
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`,
      query: {
        container,
        previous: previous || undefined,
        timestamps: true,
        tailLines: LOG_LINES,
      },
      accept: "*/*",
      signal: this.#signal,
    });
    await this.#prepare(path);
    const file = await open(join(this.#options.directory, path), "w");
    this.files.push({ resource, path });
    let size = 0;
    try {
      for await (const lines of linesOf(stream, MAX_LINE_BYTES)) {
        const text = this.#scrub(`${lines.join("\n")}\n`);
        size += text.length;
        this.#bytes += text.length;
        const full = size > MAX_LOG_BYTES || this.#bytes > MAX_TOTAL_BYTES;
        await file.write(full ? "[cut here: too long]\n" : text);
        if (full) break;
      }
    } finally {
      stream.destroy();
      await file.close();
    }
  }

  async #write(resource: string | undefined, path: string, text: string): Promise<void> {
    this.#bytes += text.length;
    if (this.#bytes > MAX_TOTAL_BYTES) throw new Error("no room left");
    await this.#prepare(path);
    await writeFile(join(this.#options.directory, path), this.#scrub(text));
    this.files.push({ resource, path });
  }

  async #prepare(path: string): Promise<void> {
    await mkdir(join(this.#options.directory, path, ".."), { recursive: true });
  }

  #get<T>(path: string): Promise<T> {
    return this.#connection.transport.request<T>({ path, signal: this.#signal });
  }
}
