/** Images of a run: built by BuildKit or by the user's commands, and brought to where the cluster gets them. */

export type {
  DeliveryTarget,
  Images,
  ImagesHooks,
  ImagesOptions,
  MirroredImage,
} from "./api.ts";
export type { BuildStep } from "./build-progress.ts";
export type { BuiltImage, DeliveredImage } from "./built-image.ts";
export { cacheAt, checkCacheOptions } from "./cache-options.ts";
export { privateLines } from "./context-filter.ts";
export type { RegistryAddress } from "./image-names.ts";
export { createImages } from "./images.ts";
export { fingerprintInputs, inputsAmong } from "./inputs.ts";
export type { OtherBuild } from "./other-build.ts";
