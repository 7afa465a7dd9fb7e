/** Pure decisions of a run: what starts next, what the verdict is. Acts on nothing; src/run.ts carries them out. */
export { close } from "./close.ts";
export { type Decision, decide } from "./decide.ts";
export {
  buildGraph,
  type Graph,
  type GraphResource,
  ownPhases,
  type Task,
  taskId,
} from "./graph.ts";
export { DEFAULT_POLICY, type Policy } from "./policy.ts";
export { initialState, type RunState, reduce } from "./state.ts";
