import { Command, Option } from "commander";
import { DEFAULT_POLICY } from "../engine/index.ts";
import { durationFlag, listFlag, nameListFlag } from "./duration-flag.ts";
import { defaultText, rare } from "./help.ts";

/** Flags as commander hands them over; each exists under the same name as an Action input. */
export interface CiFlags {
  readonly file: string;
  readonly tiltfile?: string;
  readonly workingDirectory?: string;
  readonly cluster?: "kind" | "current" | "none";
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly host: string;
  readonly nodeImage?: string;
  readonly kindConfig?: string;
  readonly kindVersion?: string;
  readonly k8sVersion?: string;
  readonly registry: string;
  readonly registryImage?: string;
  readonly clusterName?: string;
  readonly keep?: boolean;
  readonly keepCluster?: boolean;
  readonly keepOnFailure?: boolean;
  readonly reuse?: string;
  readonly warm: "auto" | "always" | "never";
  readonly warmNode?: string;
  readonly cleanup?: boolean;
  readonly createNamespaces?: boolean;
  readonly builder?: string;
  readonly cache: string;
  readonly cacheTo?: string[];
  readonly cacheFrom?: string[];
  readonly githubToken?: string;
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
  readonly reportDeselected?: boolean;
  readonly exportLogs: "on-failure" | "always" | "never";
  readonly annotations: boolean;
  readonly summary: boolean;
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
  command.argument("[resources...]", "resources to run, or config.parse arguments");
  for (const options of [
    runFlags(),
    clusterFlags(),
    imageFlags(),
    policyFlags(),
    reportFlags(),
    outputFlags(),
  ])
    for (const option of options) command.addOption(option);
  for (const option of hiddenFlags()) command.addOption(option.hideHelp());
  return command;
}

function runFlags(): Option[] {
  return grouped("What to run:", [
    flag("-f, --file <path>", "the Tiltfile").default("Tiltfile"),
    rare(flag("--working-directory <dir>", "run as if started there")),
    rare(flag("--extensions-lock <file>", "commits of extension repositories")),
    rare(flag("--extensions-dir <dir>", "where extension repositories are kept (offline cache)")),
    rare(flag("--no-local-exec", "refuse local(), local_resource, custom builds and deploys")),
  ]);
}

function clusterFlags(): Option[] {
  return grouped("Cluster:", [
    choice("--cluster <which>", "kind (its own), current, none", ["kind", "current", "none"])
      .default(undefined, "kind")
      .env("TILT_CI_CLUSTER"),
    flag("--context <name>", "kubeconfig context; implies --cluster current"),
    rare(flag("--kubeconfig <file>", "kubeconfig for --cluster current (default: $KUBECONFIG)")),
    rare(flag("--namespace <name>", "namespace of objects that name none")),
    rare(flag("--create-namespaces", "create namespaces that objects name and do not exist")),
    rare(flag("--cleanup", "with --cluster current: delete what was applied at the end")),
    flag("--reuse <name>", "a kind cluster that stays between runs"),
    flag("--keep", "leave the cluster up at the end"),
    flag("--keep-on-failure", "leave the cluster up when the run failed"),
    rare(flag("--node-image <ref>", "kind node image").env("TILT_CI_NODE_IMAGE")),
    rare(flag("--k8s-version <version>", "the node image kindest/node:v<version>")),
    rare(flag("--kind-config <file>", "kind configuration, merged with ours")),
    rare(flag("--kind-version <version>", "the version that kind must have")),
    rare(flag("--cluster-name <name>", "name of the kind cluster (default: unique)")),
    rare(
      choice("--warm <when>", "baked node image (tilt-ci node bake): auto, always, never", [
        "auto",
        "always",
        "never",
      ]).default("auto"),
    ),
    rare(flag("--warm-node <ref>", "a baked node to pull if it is not here")),
    rare(flag("--registry <where>", "local, none, or the host of a registry").default("local")),
    rare(flag("--registry-image <ref>", "image of the local registry (default: registry:2)")),
  ]);
}

function imageFlags(): Option[] {
  return grouped("Images:", [
    rare(flag("--builder <name>", "buildx builder").env("BUILDX_BUILDER")),
    rare(
      flag("--cache <where>", "build cache of BuildKit: none, gha or registry=REF").default("none"),
    ),
    rare(list("--cache-to <spec>", "buildx cache export, per image; repeatable")),
    rare(list("--cache-from <spec>", "buildx cache import, per image; repeatable")),
    rare(flag("--github-token <token>", "for --cache gha: what asks GitHub").env("GITHUB_TOKEN")),
  ]);
}

function policyFlags(): Option[] {
  const d = DEFAULT_POLICY;
  return grouped("Verdict:", [
    duration("--timeout <duration>", "limit of the run, 0 = none", d.timeoutMs, "30m"),
    duration(
      "--readiness-timeout <duration>",
      "limit until a server is ready",
      d.readinessTimeoutMs,
      "5m",
    ),
    rare(duration("--stable-for <duration>", "how long all must stay ready", d.stableForMs, "0s")),
    flag("--keep-going", "run what does not need what failed, report all"),
    rare(flag("--fail-fast", "stop starting new work at the first failure (default)")),
    rare(
      duration(
        "--failure-window <duration>",
        "after a failure, how long running work may come to its end",
        d.failureWindowMs,
        "10s",
      ),
    ),
    rare(
      choice("--crash-policy <policy>", "when a crash loop has failed: settled, first, deadline", [
        "settled",
        "first",
        "deadline",
      ]).default("settled"),
    ),
    rare(
      choice("--semantics <whose>", "strict, or tilt: judge exactly as tilt ci", [
        "strict",
        "tilt",
      ]).default("strict"),
    ),
  ]);
}

function reportFlags(): Option[] {
  return grouped("Reports:", [
    flag("--report-dir <dir>", "where reports go").default("tilt-ci-report"),
    flag("--junit <file>", "JUnit XML, also in the report directory"),
    rare(flag("--json <file>", "JSON report")),
    rare(flag("--events <file>", "NDJSON stream of events; - for stdout")),
    rare(flag("--ctrf <file>", "CTRF report")),
    rare(flag("--junit-prefix <text>", "put before JUnit class names (Jenkins packages)")),
    rare(
      choice("--export-logs <when>", "diagnostics: on-failure, always, never", [
        "on-failure",
        "always",
        "never",
      ]).default("on-failure"),
    ),
    rare(list("--secret-env <name>", "variable whose value must not show; repeatable")),
    rare(flag("--report-deselected", "also disabled resources, as skipped, in JUnit")),
    rare(flag("--no-annotations", "on GitHub: no notes on the Tiltfile's lines")),
    rare(flag("--no-summary", "on GitHub: no step summary")),
  ]);
}

function outputFlags(): Option[] {
  return grouped("Output:", [
    flag("-q, --quiet", "only phases and failures"),
    rare(
      choice("--log-level <level>", "only lines of this level: info, warn, error", [
        "info",
        "warn",
        "error",
      ]),
    ),
    rare(
      choice("--log-source <source>", "only lines of builds or of what runs: all, build, runtime", [
        "all",
        "build",
        "runtime",
      ]).default("all"),
    ),
    rare(
      flag("--log-resource <name>", "only lines of this resource; repeatable").argParser(
        nameListFlag,
      ),
    ),
    rare(flag("--host <host>", "where port-forwards listen").env("TILT_HOST").default("localhost")),
    flag("-d, --debug", "tell more of what is done"),
    rare(flag("-v, --verbose", "same as --debug")),
  ]);
}

/** Accepted for those who come from elsewhere: the Action's names, and flags of `tilt ci` that have no meaning here. */
function hiddenFlags(): Option[] {
  return [
    flag("--tiltfile <path>", "same as --file"),
    flag("--keep-cluster", "same as --keep"),
    ...WEB_FLAGS.map(([name, env]) => (env ? flag(name, "").env(env) : flag(name, ""))),
    flag("--logactions", ""),
    flag("--klog <level>", ""),
  ];
}

function grouped(heading: string, options: Option[]): Option[] {
  return options.map((option) => option.helpGroup(heading));
}

function flag(flags: string, description: string): Option {
  return new Option(flags, description);
}

function list(flags: string, description: string): Option {
  return flag(flags, description).argParser(listFlag);
}

/** The description names the choices. */
function choice(flags: string, description: string, choices: string[]): Option {
  return flag(flags, description).choices(choices);
}

function duration(
  flags: string,
  description: string,
  defaultMs: number,
  defaultText: string,
): Option {
  return flag(flags, description).argParser(durationFlag).default(defaultMs, defaultText);
}

/** The defaults of flags as help and docs spell them, by the flag's name without dashes; flags without one are left out. */
export function defaultTexts(): ReadonlyMap<string, string> {
  return new Map(
    addRunFlags(new Command()).options.flatMap((option) => {
      const text = defaultText(option);
      return text === undefined ? [] : [[option.name(), text] as const];
    }),
  );
}

/** Flags and variables about Tilt's web UI that were given, as the user wrote them: each gets one line that there is none. */
export function webFlagsGiven(sourceOf: (flag: string) => string | undefined): string[] {
  return WEB_FLAGS.flatMap(([flags, variable]) => {
    const name = flags.split(" ")[0]!;
    const source = sourceOf(new Option(flags).attributeName());
    return source === "cli" ? [name] : source === "env" ? [variable] : [];
  });
}
