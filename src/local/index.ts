/** Commands of the Tiltfile on this machine: `local_resource`'s `cmd` and `serve_cmd`, and their probes. */
export { type CommandHooks, runCommand } from "./command.ts";
export { type CommandSurroundings, commandEnvironment } from "./environment.ts";
export { mentionsCluster } from "./needs-cluster.ts";
export { type Server, type ServerHooks, startServer } from "./server.ts";
