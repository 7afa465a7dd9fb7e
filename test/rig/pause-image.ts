import { execFileSync } from "node:child_process";
import { rigEnv } from "./env.ts";

/** The image that every node of the rig has, whatever node image it is: the one that holds pods' namespaces. */
export function pauseImage(): string {
  const read = [
    "-n",
    's/^ *sandbox_image = "\\(.*\\)"$/\\1/p',
    "/etc/containerd/config.toml",
  ] as const;
  const run = ["run", "--rm", "--network", "none", "--entrypoint", "sed", rigEnv().nodeImage];
  return execFileSync("docker", [...run, ...read], { encoding: "utf8" }).trim();
}
