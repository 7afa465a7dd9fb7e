/** The cluster room: a kind cluster and a registry for one run, what a run owns, and its removal. */
export { bakeNode } from "./baked/bake.ts";
export type { WarmOptions } from "./baked/choose-warm.ts";
export { listNodes, type NodeRow, pruneNodes } from "./baked/stock.ts";
export { chooseClusterName } from "./cluster-name.ts";
export {
  type ClusterProduct,
  type CurrentCluster,
  useCurrentCluster,
} from "./current.ts";
export { type DownOptions, type DownResult, down } from "./down.ts";
export type { BringUpHooks } from "./hooks.ts";
export { identifyProcess } from "./identity.ts";
export { importIntoKindCluster } from "./import-image.ts";
export { keepInstructions } from "./keep.ts";
export { type ClusterLease, startKindCluster } from "./kind.ts";
export type { KindClusterOptions } from "./kind-boot.ts";
export { findLocalKind } from "./local-kind.ts";
export {
  type LocalRegistryHostingConfigMap,
  localRegistryHostingConfigMap,
  type RegistryAddress,
} from "./local-registry-hosting.ts";
export { createRunId, SMOKE_REUSE } from "./names.ts";
export { MIRROR_PREFIX } from "./node-script.ts";
export { RUN_VARIABLE } from "./processes.ts";
export { type Owned, openRecord, type RunRecord } from "./record.ts";
export {
  type RegistryLease,
  type RegistryOptions,
  startRegistry,
} from "./registry.ts";
export { type AppliedObject, acquireReuse, type ReuseHandle } from "./reuse.ts";
export { stateDirectory } from "./state.ts";
export { type TeardownOptions, teardown } from "./teardown.ts";
