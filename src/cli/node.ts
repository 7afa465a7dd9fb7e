import { resolve } from "node:path";
import { Command, Option } from "commander";
import { bakeNode, listNodes, type NodeRow, pruneNodes, stateDirectory } from "../cluster/index.ts";
import { CancelledError, UsageError } from "../errors.ts";
import { createHost } from "../host/node-host.ts";
import { EXIT, SIGNAL_EXITS } from "../model/result.ts";
import type { Attach } from "./command.ts";
import { listFlag } from "./duration-flag.ts";
import type { ProcessIo } from "./io.ts";

/** `tilt-ci node`: nodes that have already booted, to start clusters from. */
export function nodeCommand(attach: Attach): Command {
  return new Command("node")
    .description("baked nodes: clusters then start from one that has already booted")
    .summary("clusters that start from a booted node")
    .addCommand(bakeCommand(attach))
    .addCommand(listCommand(attach))
    .addCommand(pruneCommand(attach));
}

interface NodeFlags {
  readonly nodeImage?: string;
  readonly k8sVersion?: string;
  readonly kindConfig?: string;
}

function addNodeFlags(command: Command): Command {
  return command
    .addOption(new Option("--node-image <ref>", "kind node image").env("TILT_CI_NODE_IMAGE"))
    .option("--k8s-version <version>", "Kubernetes version: the node image kindest/node:v<version>")
    .option("--kind-config <file>", "kind configuration, merged with ours");
}

function bakeCommand(attach: Attach): Command {
  return addNodeFlags(
    new Command("bake").description("boot a cluster of one node and make an image of it"),
  )
    .option("--with <image>", "also put this image into the node (repeatable)", listFlag)
    .option("--tag <ref>", "name of the image (default: tilt-ci/node:KEY)")
    .option("--push", "push it afterwards; needs --tag")
    .action(attach((command, _args, io) => bake(command.opts(), io)));
}

async function bake(
  flags: NodeFlags & { readonly with?: string[]; readonly tag?: string; readonly push?: boolean },
  io: ProcessIo,
): Promise<number> {
  if (flags.push && flags.tag === undefined)
    throw new UsageError("--push needs --tag", "Name the image as its registry knows it");
  const host = createHost(io);
  const cancel = new AbortController();
  let signalled: "SIGINT" | "SIGTERM" | "SIGHUP" = "SIGINT";
  const unlisten = io.onSignal((signal) => {
    signalled = signal;
    cancel.abort();
  });
  const startedAt = host.clock.now();
  const line = (text: string) => void io.stdout.write(`${text}\n`);
  try {
    const { tag, key } = await bakeNode(
      {
        stateDir: stateDirectory(host),
        ...nodeOptions(flags, io),
        with: flags.with ?? [],
        tag: flags.tag,
        push: flags.push,
        signal: cancel.signal,
      },
      host,
      {
        onLine: (text) => line(`  ${text.trim()}`),
        onWarning: (message) => void io.stderr.write(`Warning: ${message}\n`),
        onStep: (name, from, to) => line(`${seconds(to - from)}  ${name}`),
      },
    );
    line(`Baked ${tag} (key ${key}) in ${seconds(host.clock.now() - startedAt).trim()}`);
    return EXIT.passed;
  } catch (error) {
    if (error instanceof CancelledError) return SIGNAL_EXITS[signalled];
    throw error;
  } finally {
    unlisten();
  }
}

function listCommand(attach: Attach): Command {
  return addNodeFlags(
    new Command("list").description("the baked nodes of this machine, and which of them fits"),
  )
    .option("--json", "print them as JSON")
    .action(
      attach(async (command, _args, io) => {
        const flags = command.opts<NodeFlags & { readonly json?: boolean }>();
        const host = createHost(io);
        const rows = await listNodes(nodeOptions(flags, io), host);
        io.stdout.write(
          flags.json
            ? `${JSON.stringify({ nodes: rows.map(jsonRow) }, null, 2)}\n`
            : formatNodes(rows, host.clock.now()),
        );
        return EXIT.passed;
      }),
    );
}

function pruneCommand(attach: Attach): Command {
  return new Command("prune")
    .description("remove baked nodes that no run here can use any more")
    .option("--all", "remove every baked node")
    .action(
      attach(async (command, _args, io) => {
        const { all = false } = command.opts<{ all?: boolean }>();
        const { removed, failures } = await pruneNodes({ all }, createHost(io));
        for (const { name, reason } of removed) io.stdout.write(`removed ${name}: ${reason}\n`);
        for (const failure of failures) io.stderr.write(`Error: ${failure}\n`);
        if (removed.length + failures.length === 0) io.stdout.write("Nothing to remove.\n");
        return failures.length > 0 ? EXIT.environment : EXIT.passed;
      }),
    );
}

function nodeOptions({ nodeImage, k8sVersion, kindConfig }: NodeFlags, { cwd }: ProcessIo) {
  if (k8sVersion !== undefined && nodeImage !== undefined && !nodeImage.includes(k8sVersion))
    throw new UsageError(
      `--k8s-version ${k8sVersion} and --node-image ${nodeImage} contradict each other`,
      "Give one of them (the image may come from TILT_CI_NODE_IMAGE)",
    );
  return {
    nodeImage,
    kubernetesVersion: k8sVersion,
    kindConfigFile: kindConfig === undefined ? undefined : resolve(cwd, kindConfig),
  };
}

function jsonRow({ mismatch, ...row }: NodeRow) {
  return { ...row, fits: mismatch === undefined, ...(mismatch ? { mismatch } : {}) };
}

const HEADINGS = ["TAG", "KEY", "NODE IMAGE", "AGE", "SIZE", "FITS"];

/** The table of `tilt-ci node list`; `now` in epoch milliseconds. */
export function formatNodes(rows: readonly NodeRow[], now: number): string {
  if (rows.length === 0) return "There is no baked node: tilt-ci node bake makes one.\n";
  const cells = rows.map((row) => [
    row.tags[0] ?? "<none>",
    row.key,
    row.nodeImage || "kind's own",
    age(now - Date.parse(row.createdAt)),
    `${(row.sizeBytes / 1e9).toFixed(2)} GB`,
    row.mismatch === undefined ? "yes" : `no: ${row.mismatch}`,
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]!.length)),
  );
  return [HEADINGS, ...cells]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}
