import { tmpdir } from "node:os";
import type { CustomBuild, DockerBuild } from "../../../src/model/plan.ts";

const position = { file: "/src/Tiltfile", line: 3, column: 1 };

/** A `docker_build` that asks for nothing but what is given. */
export function dockerBuild(over: Partial<DockerBuild> = {}): DockerBuild {
  return {
    type: "docker",
    ref: "example/app",
    exactTag: false,
    position,
    dependsOn: [],
    usedBy: ["app"],
    deployed: true,
    matchInEnvVars: false,
    liveUpdate: [],
    context: "/src/app",
    dockerfileContents: "FROM scratch\n",
    buildArgs: {},
    ssh: [],
    secret: [],
    extraTags: [],
    cacheFrom: [],
    pull: false,
    extraHosts: [],
    contextFilters: [],
    ...over,
  };
}

/** A `custom_build` of one shell line. */
export function customBuild(over: Partial<CustomBuild> = {}): CustomBuild {
  return {
    type: "custom",
    ref: "example/app",
    exactTag: false,
    position,
    dependsOn: [],
    usedBy: ["app"],
    deployed: true,
    matchInEnvVars: false,
    liveUpdate: [],
    command: { argv: ["sh", "-c", "./build.sh"], dir: tmpdir(), env: {} },
    deps: [],
    disablePush: false,
    skipsLocalDocker: false,
    imageDeps: [],
    ...over,
  };
}

/** A digest that is easy to tell from others. */
export function digest(char: string): string {
  return `sha256:${char.repeat(64)}`;
}
