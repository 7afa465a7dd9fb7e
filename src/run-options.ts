import type { Policy } from "./engine/index.ts";

/** What one run is asked to do: flags of the CLI and inputs of the Action come to the same. */
export interface RunOptions {
  readonly command: "ci" | "smoke";
  /** Given by who has to find the run's record even if the run is killed at its start; else a fresh one. */
  readonly runId?: string;
  /** The words that started it, for reports and the reproduce line. */
  readonly argv: readonly string[];
  readonly tiltfile: string;
  /** Resource names or arguments of `config.parse`: all words before and after `--`. */
  readonly args: readonly string[];
  readonly cluster: ClusterChoice;
  readonly registry: "local" | "none" | { readonly host: string };
  readonly keep: "never" | "on-failure" | "always";
  /** Delete what was applied to a current cluster at the end. */
  readonly cleanup: boolean;
  readonly createNamespaces: boolean;
  readonly namespace?: string;
  /** Where port-forwards listen unless the Tiltfile says otherwise. */
  readonly host: string;
  readonly images: {
    readonly builder?: string;
    readonly cacheTo: readonly string[];
    readonly cacheFrom: readonly string[];
    readonly registryImage?: string;
  };
  readonly policy: Policy;
  /** `--timeout` was given: it beats `ci_settings(timeout=)`. */
  readonly timeoutGiven: boolean;
  readonly readinessTimeoutGiven: boolean;
  readonly extensions: { readonly lockFile?: string; readonly cacheDir?: string };
  readonly allowLocalExec: boolean;
  readonly reports: ReportOptions;
  readonly console: ConsoleOptions;
  readonly secretEnv: readonly string[];
  /** Stop after the verdict and leave the cluster to somebody else's teardown (the Action's post step). */
  readonly leaveTeardown: boolean;
  /** Where the CI system has checked the project out: reports name files relative to it where there is no git. */
  readonly checkout?: string;
  /** Must appear nowhere, beside `secretEnv`. */
  readonly secrets: readonly { readonly label: string; readonly value: string }[];
  /** The CI system we run in, for presentation only. */
  readonly ci?: string;
}

export type ClusterChoice =
  | {
      readonly type: "kind";
      readonly name?: string;
      readonly reuse?: string;
      readonly nodeImage?: string;
      readonly kindConfig?: string;
      readonly kubernetesVersion?: string;
      /** The version that kind has to have. */
      readonly kindVersion?: string;
      readonly warm: "auto" | "always" | "never";
      /** A baked node image to pull if it is not on the machine. */
      readonly warmNode?: string;
    }
  | { readonly type: "current"; readonly context?: string; readonly kubeconfig?: string }
  | { readonly type: "none" };

export interface ReportOptions {
  readonly directory: string;
  /** The user asked for it: a report that cannot be written there is an error. */
  readonly directoryGiven: boolean;
  readonly junit?: string;
  readonly json?: string;
  readonly events?: string;
  readonly ctrf?: string;
  readonly junitPrefix?: string;
  /** Disabled resources too, as skipped, in JUnit. */
  readonly reportDeselected: boolean;
  readonly exportLogs: "on-failure" | "always" | "never";
}

export interface ConsoleOptions {
  readonly quiet: boolean;
  readonly logLevel?: "info" | "warn" | "error";
  readonly logSource: "all" | "build" | "runtime";
  readonly logResources: readonly string[];
  readonly debug: boolean;
  /** Takes lines of the event stream (`--events -`). */
  readonly writeEvent: (line: string) => void;
}
