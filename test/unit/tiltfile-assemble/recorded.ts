import { expect } from "vitest";
import { parseManifests } from "../../../src/manifests/manifests.ts";
import type { Plan, Resource } from "../../../src/model/plan.ts";
import type { Position } from "../../../src/model/position.ts";
import { assemble } from "../../../src/tiltfile/assemble/assemble.ts";
import type {
  Recorded,
  RecordedComposeProject,
  RecordedComposeService,
  RecordedCustomBuild,
  RecordedCustomDeploy,
  RecordedDockerBuild,
  RecordedK8sResource,
  RecordedLiveUpdateStep,
  RecordedLocal,
} from "../../../src/tiltfile/recorded.ts";
import { TiltfileError } from "../../../src/tiltfile/tiltfile-error.ts";

/** A place in the Tiltfile. */
export function at(line: number): Position {
  return { file: "/d/Tiltfile", line, column: 1 };
}

/** What a Tiltfile recorded that does nothing but what is given; `yaml` stands for a k8s_yaml call in line 1. */
export function recorded({
  yaml = "",
  ...rest
}: Partial<Recorded> & { readonly yaml?: string } = {}): Recorded {
  return {
    tiltfile: "/d/Tiltfile",
    directory: "/d",
    images: [],
    objects: parseManifests(yaml, { file: "k8s.yaml" }).map(({ object }) => ({
      object,
      position: at(1),
      stack: "",
    })),
    customDeploys: [],
    k8sResources: [],
    kindRules: [],
    imagePathRules: [],
    locals: [],
    compose: { projects: [] },
    liveUpdateSteps: [],
    settings: { ci: {}, update: {}, allowedContexts: [], scrubSecrets: true },
    suppressUnusedImageWarnings: [],
    selection: { cleared: false, parsed: false, args: [] },
    warnings: [],
    environment: { files: [], variables: [], commands: [], env: {} },
    kubeContext: { name: "kind-tilt", allowed: true },
    ...rest,
  };
}

export function plan(parts: Parameters<typeof recorded>[0]): Plan {
  return assemble(recorded(parts));
}

/** The error that assembly throws. */
export function failure(parts: Parameters<typeof recorded>[0]): TiltfileError {
  try {
    plan(parts);
  } catch (error) {
    if (error instanceof TiltfileError) return error;
    throw error;
  }
  return expect.fail("assembly did not fail");
}

/** Names of resources with those of their objects: `web: web:deployment:default…`. */
export function groups({ resources }: Plan): Record<string, string[]> {
  return Object.fromEntries(
    resources.map((resource) => [
      resource.name,
      resource.type === "k8s"
        ? resource.objects.map(({ object }) => `${object.kind}/${object.metadata.name}`)
        : [],
    ]),
  );
}

export function resourceOf<T extends Resource["type"]>(
  { resources }: Plan,
  name: string,
  type: T,
): Extract<Resource, { type: T }> {
  const found = resources.find((resource) => resource.name === name);
  expect(found?.type).toBe(type);
  return found as Extract<Resource, { type: T }>;
}

export function dockerBuild(
  ref: string,
  parts: Partial<RecordedDockerBuild> = {},
): RecordedDockerBuild {
  return {
    type: "docker",
    ref,
    position: at(10),
    matchInEnvVars: false,
    liveUpdate: [],
    context: "/d/app",
    dockerfileContents: "FROM alpine\n",
    buildArgs: {},
    ssh: [],
    secret: [],
    extraTags: [],
    cacheFrom: [],
    pull: false,
    extraHosts: [],
    contextFilters: [],
    ...parts,
  };
}

export function customBuild(
  ref: string,
  parts: Partial<RecordedCustomBuild> = {},
): RecordedCustomBuild {
  return {
    type: "custom",
    ref,
    position: at(11),
    matchInEnvVars: false,
    liveUpdate: [],
    command: { argv: ["make"], dir: "/d", env: {} },
    deps: ["/d/src"],
    disablePush: false,
    skipsLocalDocker: false,
    imageDeps: [],
    ...parts,
  };
}

export function k8sResource(parts: Partial<RecordedK8sResource>): RecordedK8sResource {
  return {
    position: at(20),
    workload: "",
    newName: "",
    objects: [],
    portForwards: [],
    extraPodSelectors: [],
    resourceDeps: [],
    links: [],
    labels: [],
    ...parts,
  };
}

export function customDeploy(
  name: string,
  parts: Partial<RecordedCustomDeploy> = {},
): RecordedCustomDeploy {
  const command = { argv: ["deploy"], dir: "/d", env: {} };
  return {
    name,
    position: at(25),
    applyCmd: command,
    deleteCmd: command,
    deps: [],
    imageDeps: [],
    liveUpdate: [],
    ...parts,
  };
}

export function local(name: string, parts: Partial<RecordedLocal> = {}): RecordedLocal {
  return {
    name,
    position: at(30),
    updateCmd: { argv: ["true"], dir: "/d", env: {} },
    allowParallel: false,
    isTest: false,
    deps: [],
    ignore: [],
    autoInit: true,
    resourceDeps: [],
    links: [],
    labels: [],
    ...parts,
  };
}

export function composeService(
  service: string,
  parts: Partial<RecordedComposeService> = {},
): RecordedComposeService {
  return {
    service,
    name: service,
    image: `shop-${service}`,
    hasBuild: false,
    hasHealthcheck: false,
    dependsOn: {},
    publishedPorts: [],
    autoInit: true,
    inferLinks: true,
    resourceDeps: [],
    links: [],
    labels: [],
    position: at(40),
    ...parts,
  };
}

export function composeProject(
  services: readonly RecordedComposeService[],
): RecordedComposeProject {
  return {
    name: "shop",
    position: at(40),
    directory: "/d",
    files: [{ path: "/d/compose.yaml" }],
    profiles: [],
    wait: false,
    services: [...services],
  };
}

export function sync(localPath: string, line = 50): RecordedLiveUpdateStep {
  return {
    step: { type: "sync", localPath, remotePath: "/app" },
    position: at(line),
    text: `sync step: '${localPath}'->'/app'`,
    typeName: "live_update_sync_step",
  };
}

/** A workload whose pods have the label `app`. */
export function deployment(name: string, image = "nginx", namespace = ""): string {
  return `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${namespace === "" ? "" : `  namespace: ${namespace}\n`}spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}, tier: all}
    spec:
      containers:
      - name: main
        image: ${image}
`;
}

export function service(name: string, selector: string, namespace = ""): string {
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
${namespace === "" ? "" : `  namespace: ${namespace}\n`}spec:
  selector: ${selector}
`;
}

/** An object that is no workload. */
export function plain(kind: string, name: string, namespace = "", more = ""): string {
  const apiVersion = { Namespace: "v1", ConfigMap: "v1", Secret: "v1" }[kind] ?? "example.com/v1";
  return `---
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${name}
${namespace === "" ? "" : `  namespace: ${namespace}\n`}${more}`;
}
