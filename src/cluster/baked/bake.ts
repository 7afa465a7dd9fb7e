import { join } from "node:path";
import { EnvironmentError, UsageError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { type ContainerEngine, containerEngine } from "../container-engine.ts";
import { type BringUpHooks, step } from "../hooks.ts";
import { ensureImage, nodeImageOf } from "../images.ts";
import { startKindCluster } from "../kind.ts";
import { readKindConfig } from "../kind-config.ts";
import { checkKind } from "../kind-version.ts";
import { createRunId } from "../names.ts";
import { openRecord, type RunRecord } from "../record.ts";
import { teardown } from "../teardown.ts";
import { BakeNode } from "./bake-node.ts";
import { labelsOf, type Wanted } from "./baked-image.ts";
import { bakedKey } from "./baked-key.ts";
import { readSingleNode, type SingleNode } from "./single-node.ts";
import { askMachine } from "./start-node.ts";

const IMAGE_REPOSITORY = "tilt-ci/node";
const PUSH_TIMEOUT_MS = 30 * 60_000;

export interface BakeOptions {
  readonly stateDir: string;
  readonly nodeImage?: string | undefined;
  readonly kubernetesVersion?: string | undefined;
  /** Absolute path of `--kind-config`. */
  readonly kindConfigFile?: string | undefined;
  /** Images that go into the node's store, unpacked. */
  readonly with?: readonly string[];
  /** The image's name in place of `tilt-ci/node:KEY`. */
  readonly tag?: string | undefined;
  readonly push?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Boots a cluster of one node, takes away what belongs to this one cluster, and makes an image of the rest, from
 * which `startKindCluster()` starts others. Whatever it creates beside the image is gone when it returns or throws.
 * Throws `UsageError` for a configuration that cannot be baked, `EnvironmentError`, `CancelledError`.
 */
export async function bakeNode(
  options: BakeOptions,
  host: Host,
  hooks: BringUpHooks = {},
): Promise<{ readonly tag: string; readonly key: string }> {
  const engine = containerEngine(host);
  const plan = await planBake(options, engine, host, hooks);
  const record = await openRecord(options.stateDir, createRunId(), host);
  const baking = makeImage(plan, options, record, engine, host, hooks);
  const outcome = await baking.then(
    (baked) => ({ baked }),
    (error: unknown) => ({ error }),
  );
  const { failures } = await teardown(record, host);
  if ("error" in outcome) throw outcome.error;
  if (failures.length > 0)
    throw new EnvironmentError(failures.join("; "), {
      hint: `Finish it with: tilt-ci down ${record.run}`,
    });
  if (options.push) await push(outcome.baked.tag, options, engine, hooks);
  return outcome.baked;
}

interface BakePlan {
  readonly node: SingleNode;
  readonly image: string | undefined;
  readonly kindVersion: string;
}

/** Checks all that can be checked before anything is created. */
async function planBake(
  { kindConfigFile, nodeImage, kubernetesVersion, signal }: BakeOptions,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
): Promise<BakePlan> {
  const config = await readKindConfig(kindConfigFile);
  for (const warning of config.warnings) hooks.onWarning?.(warning);
  const node = readSingleNode(config.yaml);
  if (typeof node === "string")
    throw new UsageError(`A node of this kind configuration cannot be baked: ${node}`);
  const [machine, kindVersion] = await Promise.all([
    askMachine(engine, host, signal),
    checkKind(host, signal),
  ]);
  if (typeof machine === "string")
    throw new EnvironmentError(`Baked nodes cannot be used on this machine: ${machine}`);
  const image =
    nodeImage ??
    (kubernetesVersion ? await nodeImageOf(kubernetesVersion, engine, signal) : node.image);
  const onPull = () => hooks.onLine?.(`pulling ${image}`);
  if (image) await ensureImage(image, "--node-image", engine, { signal, onPull });
  return { node, image, kindVersion };
}

async function makeImage(
  { node, image, kindVersion }: BakePlan,
  options: BakeOptions,
  record: RunRecord,
  engine: ContainerEngine,
  host: Host,
  hooks: BringUpHooks,
): Promise<{ readonly tag: string; readonly key: string }> {
  const { stateDir, kindConfigFile, tag, with: images = [] } = options;
  const signal = options.signal ?? new AbortController().signal;
  const kubeconfig = join(stateDir, "clusters", record.run, "kubeconfig");
  await record.add({ type: "path", path: join(stateDir, "clusters", record.run) });
  const cluster = startKindCluster(
    { record, name: record.run, kubeconfig, nodeImage: image, kindConfigFile, signal },
    host,
    hooks,
  );
  await Promise.all([cluster.settled, cluster.created]);
  const bake = new BakeNode(cluster, record, engine, host, signal);
  await step("cluster at rest", hooks, host.clock, () => bake.rest());
  for (const ref of images) {
    hooks.onLine?.(`putting ${ref} into the node`);
    await bake.addImage(ref);
  }
  await step("cluster taken out", hooks, host.clock, () => bake.strip());
  const nodeImageId = await bake.nodeImageId();
  const wanted: Wanted & { nodeImageId: string } = {
    kindVersion,
    inside: node.inside,
    nodeImage: image,
    nodeImageId,
  };
  const key = bakedKey(wanted, nodeImageId);
  const name = tag ?? `${IMAGE_REPOSITORY}:${key}`;
  await step("image", hooks, host.clock, () => bake.commit(name, labelsOf(wanted, images)));
  return { tag: name, key };
}

async function push(
  tag: string,
  { signal }: BakeOptions,
  engine: ContainerEngine,
  hooks: BringUpHooks,
): Promise<void> {
  await engine.must(`Cannot push ${tag}`, ["push", tag], {
    timeoutMs: PUSH_TIMEOUT_MS,
    signal,
    onLine: (line) => hooks.onLine?.(line),
  });
}
