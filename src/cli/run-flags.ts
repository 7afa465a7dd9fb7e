import { type Command, Option } from "commander";
import { DEFAULT_POLICY } from "../engine/index.ts";
import { durationFlag, listFlag } from "./duration-flag.ts";

/** Flags as commander hands them over; each exists under the same name as an Action input. */
export interface CiFlags {
  readonly file: string;
  readonly cluster?: "kind" | "current" | "none";
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly host: string;
  readonly nodeImage?: string;
  readonly kindConfig?: string;
  readonly k8sVersion?: string;
  readonly registry: string;
  readonly registryImage?: string;
  readonly clusterName?: string;
  readonly keep?: boolean;
  readonly keepOnFailure?: boolean;
  readonly reuse?: string;
  readonly warm: "auto" | "always" | "never";
  readonly cleanup?: boolean;
  readonly createNamespaces?: boolean;
  readonly builder?: string;
  readonly cacheTo?: string[];
  readonly cacheFrom?: string[];
  readonly timeout: number;
  readonly readinessTimeout: number;
  readonly stableFor: number;
  readonly semantics: "strict" | "tilt";
  readonly crashPolicy: "settled" | "first" | "deadline";
  readonly keepGoing?: boolean;
  readonly failFast?: boolean;
  readonly failureWindow: number;
  readonly reportDir: string;
  readonly junit?: string;
  readonly json?: string;
  readonly events?: string;
  readonly ctrf?: string;
  readonly junitPrefix?: string;
  readonly exportLogs: "on-failure" | "always" | "never";
  readonly secretEnv?: string[];
  readonly extensionsLock?: string;
  readonly extensionsDir?: string;
  readonly localExec: boolean;
  readonly quiet?: boolean;
  readonly logLevel?: "info" | "warn" | "error";
  readonly logSource: "all" | "build" | "runtime";
  readonly logResource?: string[];
  readonly debug?: boolean;
  readonly verbose?: boolean;
  readonly [other: string]: unknown;
}

/** What `tilt ci` knows about its web UI: accepted, and answered with one line. */
const WEB_FLAGS: readonly (readonly [string, string])[] = [
  ["--port <port>", "TILT_PORT"],
  ["--web-mode <mode>", ""],
  ["--webdev-port <port>", ""],
  ["--output-snapshot-on-exit <file>", ""],
];

/** Adds what `ci` and `smoke` share. The order is that of `--help`: what people look for first comes first. */
export function addRunFlags(command: Command): Command {
  command
    .argument(
      "[resources...]",
      "resources to run (their dependencies are added), or arguments of config.parse",
    )
    .option("-f, --file <path>", "the Tiltfile", "Tiltfile")
    .addOption(
      choice(
        "--cluster <kind>",
        "kind: a cluster of this run's own; current: the current context; none",
        ["kind", "current", "none"],
      ).env("TILT_CI_CLUSTER"),
    )
    .option(
      "--reuse <name>",
      "a kind cluster that stays: created once, cleaned of earlier runs' objects",
    )
    .option("--keep", "leave the cluster up at the end")
    .option("--keep-on-failure", "leave the cluster up when the run failed")
    .option("--context <name>", "kubeconfig context; implies --cluster current")
    .option("--kubeconfig <file>", "kubeconfig for --cluster current (default: $KUBECONFIG)")
    .option("--namespace <name>", "namespace of objects that name none")
    .option("--create-namespaces", "create namespaces that objects name and that do not exist")
    .option("--cleanup", "with --cluster current: delete what was applied at the end");
  return addReportFlags(addPolicyFlags(addClusterFlags(command)));
}

function addClusterFlags(command: Command): Command {
  return command
    .addOption(new Option("--node-image <ref>", "kind node image").env("TILT_CI_NODE_IMAGE"))
    .option("--kind-config <file>", "kind configuration, merged with ours")
    .option("--k8s-version <version>", "Kubernetes version: the node image kindest/node:v<version>")
    .option("--cluster-name <name>", "name of the kind cluster (default: unique)")
    .option("--registry <where>", "local, none, or the host of a registry to push to", "local")
    .option("--registry-image <ref>", "image of the local registry (default: registry:2)")
    .addOption(
      choice("--warm <when>", "use a baked node image (tilt-ci node bake)", [
        "auto",
        "always",
        "never",
      ]).default("auto"),
    )
    .addOption(new Option("--builder <name>", "buildx builder").env("BUILDX_BUILDER"))
    .option("--cache-to <spec>", "buildx cache export, per image", listFlag)
    .option("--cache-from <spec>", "buildx cache import, per image", listFlag)
    .option("--extensions-lock <file>", "commits of extension repositories")
    .option("--extensions-dir <dir>", "where extension repositories are kept (offline cache)")
    .option("--no-local-exec", "refuse local(), local_resource, custom builds and deploys");
}

function addPolicyFlags(command: Command): Command {
  const d = DEFAULT_POLICY;
  return command
    .addOption(
      duration("--timeout <duration>", "limit for the whole run, 0 = none", d.timeoutMs, "30m"),
    )
    .addOption(
      duration(
        "--readiness-timeout <duration>",
        "limit for a started server to be ready",
        d.readinessTimeoutMs,
        "5m",
      ),
    )
    .addOption(
      duration("--stable-for <duration>", "how long all must stay ready", d.stableForMs, "0s"),
    )
    .option("--fail-fast", "stop starting new work at the first failure (default)")
    .option("--keep-going", "run all that does not need what failed, report every failure")
    .addOption(
      duration(
        "--failure-window <duration>",
        "after a failure, how long running work may come to its end",
        d.failureWindowMs,
        "10s",
      ),
    )
    .addOption(
      choice("--crash-policy <policy>", "when a crash loop has failed", [
        "settled",
        "first",
        "deadline",
      ]).default("settled"),
    )
    .addOption(
      choice("--semantics <whose>", "strict, or tilt: judge exactly as tilt ci", [
        "strict",
        "tilt",
      ]).default("strict"),
    );
}

function addReportFlags(command: Command): Command {
  command
    .option("--report-dir <dir>", "where reports go", "tilt-ci-report")
    .option("--junit <file>", "JUnit XML, beside the one in the report directory")
    .option("--json <file>", "JSON report")
    .option("--events <file>", "NDJSON stream of events; - for stdout")
    .option("--ctrf <file>", "CTRF report")
    .option("--junit-prefix <text>", "put before JUnit class names (Jenkins packages)")
    .addOption(
      choice("--export-logs <when>", "collect the diagnostics bundle", [
        "on-failure",
        "always",
        "never",
      ]).default("on-failure"),
    )
    .option("--secret-env <name>", "environment variable whose value must appear nowhere", listFlag)
    .option("-q, --quiet", "only phases and failures")
    .addOption(choice("--log-level <level>", "only lines of this level", ["info", "warn", "error"]))
    .addOption(
      choice("--log-source <source>", "only lines of builds or of what runs", [
        "all",
        "build",
        "runtime",
      ]).default("all"),
    )
    .option("--log-resource <name>", "only lines of this resource", listFlag)
    .addOption(
      new Option("--host <host>", "where port-forwards listen")
        .env("TILT_HOST")
        .default("localhost"),
    )
    .option("-d, --debug", "tell more of what is done")
    .option("-v, --verbose", "same as --debug");
  for (const [flag, env] of WEB_FLAGS)
    command.addOption(env ? new Option(flag).env(env).hideHelp() : new Option(flag).hideHelp());
  return command
    .addOption(new Option("--logactions").hideHelp())
    .addOption(new Option("--klog <level>").hideHelp());
}

function choice(flags: string, description: string, choices: string[]): Option {
  return new Option(flags, description).choices(choices);
}

function duration(
  flags: string,
  description: string,
  defaultMs: number,
  defaultText: string,
): Option {
  return new Option(flags, description).argParser(durationFlag).default(defaultMs, defaultText);
}

/** Flags about Tilt's web UI that were given: each gets one line that there is none. */
export function webFlagsGiven(given: (flag: string) => boolean): string[] {
  const names = WEB_FLAGS.map(([flag]) => flag.split(" ")[0]!);
  return names.filter((name) =>
    given(name.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())),
  );
}
