import type { Position } from "./position.ts";

/**
 * What a Tiltfile asks for: plain data, made by evaluating it once (src/tiltfile), carried out by a run.
 * Survives `structuredClone`: a Worker hands it to the main thread.
 */
export interface Plan {
  readonly tiltfile: string;
  /** Directory of the Tiltfile, absolute, symlinks resolved. */
  readonly directory: string;
  /** In assembly order (tiltfile-api.md §10), disabled ones included. */
  readonly resources: readonly Resource[];
  /** Every image that the Tiltfile builds, dependencies before their users. */
  readonly images: readonly ImageBuild[];
  readonly composeProjects: readonly ComposeProject[];
  readonly settings: Settings;
  readonly environment: ReadEnvironment;
  readonly warnings: readonly PlanWarning[];
  /** Values that must appear nowhere in output. */
  readonly secrets: readonly SecretValue[];
}

export interface PlanWarning {
  /** Tilt's text to the letter, where Tilt warns too. */
  readonly message: string;
  /** What may have been meant, as a sentence. */
  readonly hint?: string;
  readonly position?: Position;
}

/** A value of a Kubernetes Secret in the Tiltfile's YAML, decoded text. */
export interface SecretValue {
  readonly secretName: string;
  readonly key: string;
  readonly value: string;
}

/** What evaluation read or ran: the inputs of the plan. */
export interface ReadEnvironment {
  readonly files: readonly string[];
  /** Names of environment variables that were asked for. */
  readonly variables: readonly string[];
  readonly commands: readonly (readonly string[])[];
  /** The process environment after evaluation (`os.putenv`), for everything run later. */
  readonly env: Readonly<Record<string, string>>;
}

export type ResourceType = "k8s" | "local" | "compose" | "custom";
export type ReadinessMode = "wait" | "ignore" | "succeeded";
export type Resource = KubernetesResource | CustomResource | LocalResource | ComposeResource;

interface ResourceBase {
  readonly name: string;
  readonly position: Position;
  readonly enabled: boolean;
  readonly autoInit: boolean;
  readonly triggerMode: "auto" | "manual";
  /** As written; names of unknown resources already dropped. */
  readonly resourceDeps: readonly string[];
  readonly labels: readonly string[];
  readonly links: readonly Link[];
}

export interface Link {
  readonly url: string;
  readonly name?: string;
}

/** Kubernetes objects that are applied and waited for together. */
export interface KubernetesResource extends ResourceBase {
  readonly type: "k8s";
  readonly readiness: ReadinessMode;
  readonly objects: readonly PlannedObject[];
  /** Refs (as in `ImageBuild.ref`) of images that are built and put into the objects. */
  readonly images: readonly string[];
  readonly portForwards: readonly PortForward[];
  readonly extraPodSelectors: readonly Readonly<Record<string, string>>[];
  readonly discoveryStrategy: "default" | "selectors-only";
}

/** `k8s_custom_deploy`: a command applies the objects and prints them. */
export interface CustomResource extends ResourceBase {
  readonly type: "custom";
  readonly readiness: ReadinessMode;
  readonly applyCmd: Command;
  readonly deleteCmd: Command;
  readonly deps: readonly string[];
  readonly images: readonly string[];
  readonly imageSelector?: string;
  readonly containerSelector?: string;
  readonly portForwards: readonly PortForward[];
  readonly extraPodSelectors: readonly Readonly<Record<string, string>>[];
  readonly discoveryStrategy: "default" | "selectors-only";
}

export interface LocalResource extends ResourceBase {
  readonly type: "local";
  readonly updateCmd?: Command;
  readonly serveCmd?: Command;
  readonly readinessProbe?: Probe;
  readonly allowParallel: boolean;
  /** `test()` in place of `local_resource()`: its phase is called `test`. */
  readonly isTest: boolean;
  readonly deps: readonly string[];
  readonly ignore: readonly string[];
}

export interface ComposeResource extends ResourceBase {
  readonly type: "compose";
  readonly project: string;
  readonly service: string;
  /** Refs of images that the Tiltfile builds for this service. */
  readonly images: readonly string[];
  /** The image reference that the service runs. */
  readonly imageRef: string;
  /** Compose builds the image itself (`build:` and no matching `docker_build`). */
  readonly composeBuild: boolean;
  /** What Compose builds from, where it is on this machine. */
  readonly buildFiles?: ComposeBuildFiles;
  readonly hasHealthcheck: boolean;
  /** From the compose file: service → condition (`service_started`, `service_healthy`, `service_completed_successfully`). */
  readonly dependsOn: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
}

/** Absolute paths. */
export interface ComposeBuildFiles {
  readonly context: string;
  readonly dockerfile: string;
}

export interface ComposeProject {
  readonly name: string;
  readonly directory: string;
  /** Absolute paths; a Blob is materialised as `content` and fed on stdin. */
  readonly files: readonly ComposeFile[];
  readonly envFile?: string;
  readonly profiles: readonly string[];
  readonly wait: boolean;
}

export type ComposeFile = { readonly path: string } | { readonly content: string };

export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
};

export interface PlannedObject {
  readonly object: KubernetesObject;
  /** The `k8s_yaml` call that brought it. */
  readonly position: Position;
  /** Where images are found beside the pod specs of known kinds (`k8s_kind`, `k8s_image_json_path`). */
  readonly imageLocators: readonly ImageLocator[];
}

export type ImageLocator =
  | { readonly type: "path"; readonly jsonPath: string }
  | {
      readonly type: "object";
      readonly jsonPath: string;
      readonly repoField: string;
      readonly tagField: string;
    };

export interface PortForward {
  readonly localPort: number;
  /** 0: the same port if the pod exposes it, else the first declared one. */
  readonly containerPort: number;
  readonly host?: string;
  readonly name?: string;
  readonly linkPath?: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly dir: string;
  /** Beside the inherited environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Probe {
  readonly initialDelaySecs: number;
  readonly timeoutSecs: number;
  readonly periodSecs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  readonly action:
    | { readonly type: "exec"; readonly argv: readonly string[] }
    | {
        readonly type: "http";
        readonly host: string;
        readonly port: number;
        readonly path: string;
        readonly scheme: "http" | "https";
        readonly headers?: readonly { readonly name: string; readonly value: string }[];
      }
    | { readonly type: "tcp"; readonly host: string; readonly port: number };
}

export type ImageBuild = DockerBuild | CustomBuild;

interface ImageBuildBase {
  /** Familiar form as the Tiltfile spells it, e.g. `example/api` or `api:v1`. The image's name everywhere in a run. */
  readonly ref: string;
  /** Only this exact tag matches (the ref had a tag, or several builds share the name). */
  readonly exactTag: boolean;
  readonly position: Position;
  /** Refs of images of this plan that must be built before. */
  readonly dependsOn: readonly string[];
  /** Names of the resources that use it, themselves or through another image. */
  readonly usedBy: readonly string[];
  /** Some resource runs it: it is pushed. False for a mere base image. */
  readonly deployed: boolean;
  readonly matchInEnvVars: boolean;
  /** Overrides `command` of the containers that run it. */
  readonly entrypoint?: readonly string[];
  /** Overrides `args`. */
  readonly containerArgs?: readonly string[];
  readonly liveUpdate: readonly LiveUpdateStep[];
}

export interface DockerBuild extends ImageBuildBase, DockerBuildParameters {
  readonly type: "docker";
}

/** What `docker_build` gives to the builder. */
export interface DockerBuildParameters {
  /** Absolute directory; "-" for an empty context. */
  readonly context: string;
  /** Path of the Dockerfile, absent when its text was given. */
  readonly dockerfile?: string;
  /** Text of the Dockerfile as read at evaluation. */
  readonly dockerfileContents: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly ssh: readonly string[];
  readonly secret: readonly string[];
  readonly network?: string;
  readonly extraTags: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly pull: boolean;
  readonly platform?: string;
  readonly extraHosts: readonly string[];
  /** The independent matchers that thin the context out: a file goes if any of them excludes it. */
  readonly contextFilters: readonly ContextFilter[];
}

/** dockerignore-style patterns, relative to `directory`; `source` is for messages. */
export interface ContextFilter {
  readonly directory: string;
  readonly patterns: readonly string[];
  readonly source: string;
}

export interface CustomBuild extends ImageBuildBase {
  readonly type: "custom";
  readonly command: Command;
  readonly deps: readonly string[];
  readonly tag?: string;
  readonly disablePush: boolean;
  readonly skipsLocalDocker: boolean;
  readonly outputsImageRefTo?: string;
  /** In the order of `image_deps`: TILT_IMAGE_0 … */
  readonly imageDeps: readonly string[];
}

export type LiveUpdateStep =
  | { readonly type: "sync"; readonly localPath: string; readonly remotePath: string }
  | {
      readonly type: "run";
      readonly argv: readonly string[];
      readonly triggers: readonly string[];
      readonly echoOff: boolean;
    }
  | { readonly type: "fall_back_on"; readonly paths: readonly string[] }
  | { readonly type: "restart_container" }
  | { readonly type: "initial_sync" };

/** Times in milliseconds; absent = not set by the Tiltfile. */
export interface Settings {
  readonly ci: {
    readonly timeoutMs?: number;
    readonly readinessTimeoutMs?: number;
    readonly gracePeriodMs?: number;
  };
  readonly update: {
    readonly maxParallelUpdates?: number;
    readonly upsertTimeoutMs?: number;
    readonly serverSideApply?: "true" | "false" | "auto";
  };
  readonly defaultRegistry?: {
    readonly host: string;
    readonly hostFromCluster?: string;
    readonly singleName?: string;
  };
  readonly allowedContexts: readonly string[];
  readonly scrubSecrets: boolean;
}
