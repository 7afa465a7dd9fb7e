/** Docker Compose services of a Tiltfile: started one by one and watched. */

export { type ComposeStack, createComposeStack, type StandingProject } from "./stack.ts";
