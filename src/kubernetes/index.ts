/** The door of the room: everything about talking to a cluster's API server. */
export type { ApiObject, Pod } from "./api/api-object.ts";
export type { AppliedObject } from "./applied-object.ts";
export { appliedObject } from "./applied-object.ts";
export type { ApplyItem } from "./apply/apply-object.ts";
export { applyObjects } from "./apply/apply-objects.ts";
export type { ApplyOptions } from "./apply/options.ts";
export type { Retry } from "./apply/retry.ts";
export type { ConnectOptions, KubernetesConnection } from "./connection.ts";
export { connect, waitForApiServer } from "./connection.ts";
export type { DeleteOptions, DeleteOutcome, ObjectRef } from "./delete-objects.ts";
export { deleteObjects } from "./delete-objects.ts";
export type { LocalRegistry } from "./detect-registry.ts";
export { detectRegistry } from "./detect-registry.ts";
export type {
  DiagnosedResource,
  Diagnostics,
  DiagnosticsOptions,
} from "./diagnostics/collect-diagnostics.ts";
export { collectDiagnostics } from "./diagnostics/collect-diagnostics.ts";
export type { BuiltImage } from "./inject/inject-images.ts";
export { injectImages } from "./inject/inject-images.ts";
export { containerRuntime, nodeArchitecture } from "./node-info.ts";
export type { OpenPortForwards, PodSource, PortForwardOptions } from "./pods/port-forward.ts";
export { openPortForwards } from "./pods/port-forward.ts";
export { isCustomKind } from "./readiness/rules.ts";
export type { TrackRequest } from "./watch/tracked-resource.ts";
export type { Watcher } from "./watch/watcher.ts";
export { createWatcher } from "./watch/watcher.ts";
export type { ContainerRestart, PodLogLine, WatcherOptions } from "./watch/watcher-options.ts";
