/** Docker Compose services of a Tiltfile: started one by one, watched, removed. */

export { type ComposeStack, createComposeStack, type StackHooks } from "./stack.ts";
