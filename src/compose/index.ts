/** Docker Compose services of a Tiltfile: started one by one, watched, removed. */

export { type ContainerState, observeContainer } from "./observe.ts";
export { type ComposeStack, createComposeStack, type StackHooks } from "./stack.ts";
