import { steadyNow } from "../host/steady-clock.ts";
import type { PlanWarning, ReadEnvironment } from "../model/plan.ts";
import type { Position } from "../model/position.ts";
import type { Thread } from "../starlark/index.ts";
import { dirname, isAbsolute, isChild, join } from "./go/path.ts";
import { goQuote } from "./go/quote.ts";
import type { EvaluateOptions, SyncHost } from "./options.ts";
import type {
  ImagePathRule,
  KindRule,
  Recorded,
  RecordedComposeProject,
  RecordedCustomDeploy,
  RecordedImage,
  RecordedK8sResource,
  RecordedLiveUpdateStep,
  RecordedLocal,
  RecordedObject,
  Selection,
} from "./recorded.ts";
import { finishSettings, initialSettings } from "./recorded-settings.ts";
import type { ObjectTypeName } from "./v1alpha1/types.ts";
import type { PlainObject } from "./v1alpha1/values.ts";

/** One evaluation of a Tiltfile: what builtins read and add to. Nothing of it is shared between evaluations. */
export class Evaluation {
  readonly options: EvaluateOptions;
  readonly sync: SyncHost;
  /** The Tiltfile that evaluation starts with: absolute, symbolic links resolved. */
  readonly tiltfile: string;
  /** The process environment as the Tiltfile sees and changes it. */
  readonly env: Map<string, string>;
  /** By `steadyNow()`: after that nothing may run any more. */
  readonly deadline: number | undefined;

  readonly images: RecordedImage[] = [];
  readonly objects: RecordedObject[] = [];
  readonly customDeploys: RecordedCustomDeploy[] = [];
  readonly k8sResources: RecordedK8sResource[] = [];
  readonly kindRules: KindRule[] = [];
  readonly imagePathRules: ImagePathRule[] = [];
  readonly locals: RecordedLocal[] = [];
  readonly composeProjects: RecordedComposeProject[] = [];
  readonly suppressUnusedImageWarnings: string[] = [];
  readonly warnings: PlanWarning[] = [];
  readonly settings = initialSettings();
  readonly selection: Selection;
  workloadToResource: NonNullable<Recorded["workloadToResource"]> | undefined;
  /** The mode of resources that do not set one. */
  triggerMode: "auto" | "manual" = "auto";

  /** Steps by the place that made them: one that was made again at the same place replaces the first, as in Tilt. */
  readonly unusedLiveUpdateSteps = new Map<string, RecordedLiveUpdateStep>();

  /** Normal forms of the references that have a build. */
  readonly builtImages = new Set<string>();

  /** Objects of the v1alpha1 API by type and name, as they were registered. */
  readonly apiObjects: Readonly<Record<ObjectTypeName, Map<string, PlainObject>>> = {
    cmd: new Map(),
    config_map: new Map(),
    extension: new Map(),
    extension_repo: new Map(),
    file_watch: new Map(),
    kubernetes_apply: new Map(),
    kubernetes_discovery: new Map(),
    ui_button: new Map(),
  };

  /** Names of the extensions that files were loaded from. */
  readonly loadedExtensions = new Set<string>();

  /** The folders of the repositories that extensions were loaded from. */
  readonly extensionRoots = new Set<string>();

  /** The file whose top level runs: relative paths are relative to it, even in functions of other files. */
  executingFile: string;
  /** False once the files have run: what assembly calls back may compute, but not act. */
  executing = true;

  readonly #files = new Set<string>();
  readonly #variables = new Set<string>();
  readonly #commands: (readonly string[])[] = [];

  constructor(options: EvaluateOptions, sync: SyncHost, tiltfile: string) {
    this.options = options;
    this.sync = sync;
    this.tiltfile = tiltfile;
    this.executingFile = tiltfile;
    this.env = new Map(Object.entries(options.env));
    const { deadlineMs } = options;
    this.deadline = deadlineMs === undefined ? undefined : steadyNow() + deadlineMs;
    this.selection = { cleared: false, parsed: false, args: options.args };
    this.recordFile(tiltfile);
    this.recordFile(join(dirname(tiltfile), ".tiltignore"));
  }

  /** The directory that relative paths are relative to. */
  get directory(): string {
    return dirname(this.executingFile);
  }

  /** The absolute form of a path that a Tiltfile wrote; an absolute one is left as it is, uncleaned. */
  absolute(path: string): string {
    return isAbsolute(path) ? path : join(this.directory, path);
  }

  log(text: string): void {
    for (const line of text.split("\n")) this.sync.log(line, "info");
  }

  warn(message: string, position?: Position): void {
    const warning = position === undefined ? { message } : { message, position };
    this.warnings.push(warning);
    this.logWarning(warning);
  }

  logWarning(warning: PlanWarning): void {
    const lines = warning.message.split("\n");
    lines.forEach((line, index) => {
      this.sync.log(line, "warn", index === lines.length - 1 ? warning : undefined);
    });
  }

  /** Whether a file came with an extension: nothing that the user wrote, unless it is where evaluation started. */
  isForeign(file: string): boolean {
    if (file === this.tiltfile) return false;
    for (const root of this.extensionRoots) if (isChild(root, file)) return true;
    return false;
  }

  recordFile(path: string): void {
    this.#files.add(path);
  }

  /** Sets a variable of the environment; what the system would refuse is passed over, as in Tilt. */
  setVariable(name: string, value: string): void {
    if (name === "" || /[=\0]/.test(name) || value.includes("\0")) return;
    this.env.set(name, value);
  }

  recordVariable(name: string): void {
    this.#variables.add(name);
  }

  recordCommand(argv: readonly string[]): void {
    this.#commands.push(argv);
  }

  /**
   * With --no-local-exec, refuses a call that asks for a command on this machine.
   * @throws Error naming the call
   */
  refuseCommand(what: string): void {
    if (this.options.allowLocalExec) return;
    throw new Error(`${what} runs a command on this machine, which --no-local-exec forbids`);
  }

  /** What has been read and run so far. */
  environment(): ReadEnvironment {
    return {
      files: [...this.#files].sort(),
      variables: [...this.#variables].sort(),
      commands: this.#commands,
      env: Object.fromEntries(this.env),
    };
  }

  /**
   * Refuses a name that another resource has.
   * @throws Error in Tilt's words.
   */
  checkNameIsFree(name: string): void {
    const quoted = goQuote(name);
    if (this.customDeploys.some((deploy) => deploy.name === name)) {
      throw new Error(`k8s_resource named ${quoted} already exists`);
    }
    if (this.#localNames.has(name))
      throw new Error(`local_resource named ${quoted} already exists`);
    if (this.composeProjects.some((project) => project.services.some((s) => s.name === name))) {
      throw new Error(`dc_resource named ${quoted} already exists`);
    }
  }

  readonly #localNames = new Set<string>();

  addLocal(local: RecordedLocal): void {
    this.#localNames.add(local.name);
    this.locals.push(local);
  }

  /** Whether the Tiltfile may touch the cluster: a development cluster, or one it has allowed. */
  get contextIsAllowed(): boolean {
    const { name, allowed } = this.options.kubeContext;
    return allowed || this.settings.allowedContexts.includes(name);
  }

  /** All that was recorded, for assembly. */
  finish(): Recorded {
    return {
      tiltfile: this.tiltfile,
      directory: dirname(this.tiltfile),
      images: this.images,
      objects: this.objects,
      customDeploys: this.customDeploys,
      k8sResources: this.k8sResources,
      kindRules: this.kindRules,
      imagePathRules: this.imagePathRules,
      ...(this.workloadToResource ? { workloadToResource: this.workloadToResource } : {}),
      locals: this.locals,
      compose: { projects: this.composeProjects },
      triggerMode: this.triggerMode,
      liveUpdateSteps: [...this.unusedLiveUpdateSteps.values()],
      settings: finishSettings(this.settings),
      suppressUnusedImageWarnings: this.suppressUnusedImageWarnings,
      selection: this.selection,
      warnings: this.warnings,
      environment: this.environment(),
      kubeContext: { name: this.options.kubeContext.name, allowed: this.contextIsAllowed },
    };
  }
}

/**
 * Where the builtin that runs was called: the innermost place, or the innermost that is not foreign, if there is one.
 */
export function callPosition(
  thread: Thread,
  isForeign: (file: string) => boolean = () => false,
): Position {
  const { file, line, col } =
    thread.callerPosition((candidate) => !isForeign(candidate)) ?? thread.callerPosition();
  return { file, line, column: col };
}
