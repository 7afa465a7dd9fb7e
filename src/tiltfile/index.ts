/** The room's door: a Tiltfile becomes a plan. */
export { type EvaluationHooks, evaluateInWorker } from "./evaluate-in-worker.ts";
export type { EvaluateOptions } from "./options.ts";
export { TiltfileError } from "./tiltfile-error.ts";
