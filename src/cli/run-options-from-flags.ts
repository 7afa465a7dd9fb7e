import { resolve } from "node:path";
import { DEFAULT_POLICY } from "../engine/index.ts";
import { UsageError } from "../errors.ts";
import { cacheAt, checkCacheOptions } from "../images/index.ts";
import type { ClusterChoice, RunOptions } from "../run-options.ts";
import type { CiFlags } from "./run-flags.ts";

/**
 * Flags → what a run needs. `sources` tells which flags came from the command line (commander's `getOptionValueSource`).
 * Throws `UsageError` for combinations that make no sense.
 */
export function runOptions(
  command: "ci" | "smoke",
  flags: CiFlags,
  args: readonly string[],
  argv: readonly string[],
  {
    cwd,
    given,
    writeEvent,
  }: {
    readonly cwd: string;
    readonly given: (flag: string) => boolean;
    readonly writeEvent: (line: string) => void;
  },
): RunOptions {
  refuseContradictions(flags);
  const path = (file: string | undefined) =>
    file === undefined || file === "-" ? file : resolve(cwd, file);
  const cluster = clusterChoice(flags, path);
  return {
    command,
    argv,
    tiltfile: resolve(cwd, flags.tiltfile ?? flags.file),
    args,
    cluster,
    registry:
      flags.registry === "local" || flags.registry === "none"
        ? flags.registry
        : { host: flags.registry },
    keep: flags.keep || flags.keepCluster ? "always" : flags.keepOnFailure ? "on-failure" : "never",
    cleanup: flags.cleanup === true,
    createNamespaces: flags.createNamespaces === true,
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    host: flags.host,
    images: {
      ...cacheOptions(flags),
      ...optional({ builder: flags.builder, registryImage: flags.registryImage }),
    },
    policy: {
      ...DEFAULT_POLICY,
      // a cluster that was there before is not booting: --stable-for asks for more
      ...(cluster.type === "current" ? { kubeletLagMs: 0 } : {}),
      semantics: flags.semantics,
      crashPolicy: flags.crashPolicy,
      failFast: flags.keepGoing !== true,
      failureWindowMs: flags.failureWindow,
      stableForMs: flags.stableFor,
      timeoutMs: flags.timeout,
      readinessTimeoutMs: flags.readinessTimeout,
    },
    timeoutGiven: given("timeout"),
    readinessTimeoutGiven: given("readinessTimeout"),
    extensions: optional({
      lockFile: path(flags.extensionsLock),
      cacheDir: path(flags.extensionsDir),
    }),
    allowLocalExec: flags.localExec,
    reports: {
      directory: resolve(cwd, flags.reportDir),
      directoryGiven: given("reportDir"),
      exportLogs: flags.exportLogs,
      reportDeselected: flags.reportDeselected === true,
      ...optional({
        junit: path(flags.junit),
        json: path(flags.json),
        events: path(flags.events),
        ctrf: path(flags.ctrf),
        junitPrefix: flags.junitPrefix,
      }),
    },
    console: {
      quiet: flags.quiet === true,
      logSource: flags.logSource,
      logResources: flags.logResource ?? [],
      debug: flags.debug === true || flags.verbose === true,
      writeEvent,
      ...optional({ logLevel: flags.logLevel }),
    },
    secretEnv: flags.secretEnv ?? [],
    secrets: flags.githubToken ? [{ label: "GitHub token", value: flags.githubToken }] : [],
    leaveTeardown: false,
  };
}

/** A version as kind calls its own, with or without `v`. */
const KIND_VERSION = /^v?\d+\.\d+\.\d+$/;

function cacheOptions(flags: CiFlags): Pick<RunOptions["images"], "cacheTo" | "cacheFrom"> {
  const { to, from } = cacheAt(flags.cache, flags.githubToken);
  const cacheTo = [...to, ...(flags.cacheTo ?? [])];
  const cacheFrom = [...from, ...(flags.cacheFrom ?? [])];
  checkCacheOptions([...cacheTo, ...cacheFrom]);
  return { cacheTo, cacheFrom };
}

function refuseContradictions(flags: CiFlags): void {
  if (flags.kindVersion !== undefined && !KIND_VERSION.test(flags.kindVersion))
    throw new UsageError(
      `--kind-version "${flags.kindVersion}" is no version`,
      "For example 0.33.0",
    );
  const conflict = (a: string, b: string) => {
    throw new UsageError(`${a} and ${b} contradict each other`);
  };
  if (flags.keepGoing && flags.failFast) conflict("--keep-going", "--fail-fast");
  if (flags.context !== undefined && (flags.cluster === "kind" || flags.cluster === "none"))
    conflict("--context", `--cluster ${flags.cluster}`);
  if (
    flags.reuse !== undefined &&
    (flags.cluster === "current" || flags.cluster === "none" || flags.context !== undefined)
  )
    conflict("--reuse", "--cluster current");
  if (flags.reuse !== undefined && flags.clusterName !== undefined)
    conflict("--reuse", "--cluster-name");
  if (
    flags.k8sVersion !== undefined &&
    flags.nodeImage !== undefined &&
    !flags.nodeImage.includes(flags.k8sVersion)
  ) {
    throw new UsageError(
      `--k8s-version ${flags.k8sVersion} and --node-image ${flags.nodeImage} contradict each other`,
      "Give one of them (the image may come from TILT_CI_NODE_IMAGE)",
    );
  }
}

function clusterChoice(
  flags: CiFlags,
  path: (file: string | undefined) => string | undefined,
): ClusterChoice {
  const type = flags.cluster ?? (flags.context === undefined ? "kind" : "current");
  if (type === "none") return { type };
  if (type === "current")
    return { type, ...optional({ context: flags.context, kubeconfig: path(flags.kubeconfig) }) };
  return {
    type,
    warm: flags.warm,
    ...optional({
      name: flags.clusterName,
      reuse: flags.reuse,
      warmNode: flags.warmNode,
      nodeImage: flags.nodeImage,
      kindConfig: path(flags.kindConfig),
      kubernetesVersion: flags.k8sVersion,
      kindVersion: flags.kindVersion,
    }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Drops keys whose value is undefined (exactOptionalPropertyTypes wants them absent). */
function optional<T extends Record<string, unknown>>(values: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
