import type {
  Command,
  ComposeBuildFiles,
  DockerBuildParameters,
  ImageLocator,
  KubernetesObject,
  Link,
  LiveUpdateStep,
  PlanWarning,
  PortForward,
  Probe,
  ReadEnvironment,
  ReadinessMode,
  Settings,
} from "../model/plan.ts";
import type { Position } from "../model/position.ts";

/**
 * What executing the Tiltfile recorded, before assembly: builtins only add here, `assemble()` turns it into a Plan
 * (tiltfile-api.md §1.4: execution only records; §10: assembly).
 */
export interface Recorded {
  readonly tiltfile: string;
  readonly directory: string;
  /** docker_build and custom_build in call order. */
  readonly images: RecordedImage[];
  /** k8s_yaml's objects in call order (lists flattened, duplicates already refused). */
  readonly objects: RecordedObject[];
  readonly customDeploys: RecordedCustomDeploy[];
  readonly k8sResources: RecordedK8sResource[];
  readonly kindRules: KindRule[];
  readonly imagePathRules: ImagePathRule[];
  /** workload_to_resource_function: calls back into Starlark; throws an error that is placed already. */
  workloadToResource?: { readonly position: Position; name(id: WorkloadId): string };
  readonly locals: RecordedLocal[];
  readonly compose: RecordedCompose;
  /** The steps that no image uses, in order: an error of assembly. */
  readonly liveUpdateSteps: RecordedLiveUpdateStep[];
  /** trigger_mode(): the mode of resources that set none; auto when absent. */
  readonly triggerMode?: "auto" | "manual";
  readonly settings: Settings;
  readonly suppressUnusedImageWarnings: string[];
  readonly selection: Selection;
  /** Warnings of evaluation, in order; assembly appends its own. */
  readonly warnings: PlanWarning[];
  environment: ReadEnvironment;
  /** The Kubernetes context in force and whether the Tiltfile may use it (`allow_k8s_contexts`, dev clusters). */
  readonly kubeContext: { readonly name: string; readonly allowed: boolean };
}

interface RecordedImageBase {
  /** As written. */
  readonly ref: string;
  readonly position: Position;
  readonly matchInEnvVars: boolean;
  readonly entrypoint?: readonly string[];
  readonly containerArgs?: readonly string[];
  readonly liveUpdate: readonly RecordedLiveUpdateStep[];
}

export interface RecordedDockerBuild extends RecordedImageBase, DockerBuildParameters {
  readonly type: "docker";
}

export interface RecordedCustomBuild extends RecordedImageBase {
  readonly type: "custom";
  readonly command: Command;
  readonly deps: readonly string[];
  readonly tag?: string;
  readonly disablePush: boolean;
  readonly skipsLocalDocker: boolean;
  readonly outputsImageRefTo?: string;
  readonly imageDeps: readonly string[];
}

export type RecordedImage = RecordedDockerBuild | RecordedCustomBuild;

export interface RecordedLiveUpdateStep {
  readonly step: LiveUpdateStep;
  readonly position: Position;
  /** As Tilt prints it: `sync step: '$D/a'->'/b'`. */
  readonly text: string;
  /** `live_update_sync_step` … */
  readonly typeName: string;
}

export interface RecordedObject {
  readonly object: KubernetesObject;
  readonly position: Position;
  /** Text of the stack of the call, for `Duplicate YAML`. */
  readonly stack: string;
}

export interface RecordedK8sResource {
  readonly position: Position;
  readonly workload: string;
  readonly newName: string;
  readonly objects: readonly string[];
  readonly portForwards: readonly PortForward[];
  readonly extraPodSelectors: readonly Readonly<Record<string, string>>[];
  readonly triggerMode?: "auto" | "manual";
  readonly resourceDeps: readonly string[];
  readonly autoInit?: boolean;
  readonly podReadiness?: ReadinessMode;
  readonly links: readonly Link[];
  readonly labels: readonly string[];
  readonly discoveryStrategy?: "default" | "selectors-only";
}

export interface RecordedCustomDeploy {
  readonly name: string;
  readonly position: Position;
  readonly applyCmd: Command;
  readonly deleteCmd: Command;
  readonly deps: readonly string[];
  readonly imageSelector?: string;
  readonly containerSelector?: string;
  readonly imageDeps: readonly string[];
  readonly liveUpdate: readonly RecordedLiveUpdateStep[];
}

/** k8s_kind: unanchored, case-insensitive regular expressions. */
export interface KindRule {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly podReadiness?: ReadinessMode;
  readonly locators: readonly ImageLocator[];
  readonly position: Position;
}

/** k8s_image_json_path. */
export interface ImagePathRule {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly jsonPaths: readonly string[];
  readonly position: Position;
}

export interface WorkloadId {
  readonly name: string;
  readonly kind: string;
  readonly namespace: string;
  readonly group: string;
}

export interface RecordedLocal {
  readonly name: string;
  readonly position: Position;
  readonly updateCmd?: Command;
  readonly serveCmd?: Command;
  readonly readinessProbe?: Probe;
  readonly allowParallel: boolean;
  readonly isTest: boolean;
  readonly deps: readonly string[];
  readonly ignore: readonly string[];
  readonly triggerMode?: "auto" | "manual";
  readonly autoInit: boolean;
  readonly resourceDeps: readonly string[];
  readonly links: readonly Link[];
  readonly labels: readonly string[];
}

export interface RecordedCompose {
  /** By project name, merged, services as `docker compose config --format json` gave them, dependencies first. */
  readonly projects: RecordedComposeProject[];
}

export interface RecordedComposeProject {
  readonly name: string;
  readonly position: Position;
  readonly directory: string;
  readonly files: readonly ({ readonly path: string } | { readonly content: string })[];
  readonly envFile?: string;
  readonly profiles: readonly string[];
  readonly wait: boolean;
  readonly services: RecordedComposeService[];
}

/** A service with what `dc_resource` calls changed (they are applied at once). */
export interface RecordedComposeService {
  readonly service: string;
  name: string;
  /** Image reference of the compose file or the default `<project>_<service>`. */
  readonly image: string;
  /** What dc_resource says in place of that. */
  givenImage?: string;
  readonly hasBuild: boolean;
  readonly buildFiles?: ComposeBuildFiles;
  readonly hasHealthcheck: boolean;
  readonly dependsOn: Readonly<Record<string, string>>;
  readonly publishedPorts: readonly number[];
  triggerMode?: "auto" | "manual";
  autoInit: boolean;
  inferLinks: boolean;
  readonly resourceDeps: string[];
  readonly links: Link[];
  readonly labels: string[];
  position: Position;
}

/** config.* and command-line resource names (tiltfile-api.md §9). */
export interface Selection {
  cleared: boolean;
  /** Last `config.set_enabled_resources` call, undefined when none. */
  enabled?: readonly string[];
  /** Where that call is. */
  enabledAt?: Position;
  parsed: boolean;
  /** Arguments of the command line before or after `--`. */
  args: readonly string[];
}
