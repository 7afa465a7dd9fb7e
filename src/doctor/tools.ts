import semver from "semver";
import { CommandNotFoundError } from "../host/command-not-found.ts";
import type { Host } from "../host/host.ts";
import type { Check } from "./check.ts";

interface Tool {
  readonly name: string;
  readonly argv: readonly string[];
  /** Without it `ci` cannot do its main job; else it is needed for some Tiltfiles only. */
  readonly required: boolean;
  readonly minimum?: string;
  readonly use: string;
  readonly hint: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: "docker",
    argv: ["docker", "version", "--format", "{{.Server.Version}}"],
    required: true,
    minimum: "20.10.0",
    use: "image builds and clusters",
    hint: "Install Docker Engine or Docker Desktop and start it; your user must be allowed to use it (group docker)",
  },
  {
    name: "buildx",
    argv: ["docker", "buildx", "version"],
    required: false,
    use: "builds with BuildKit (without it the classic builder is used)",
    hint: "Install the buildx plugin (package docker-buildx-plugin or docker-buildx)",
  },
  {
    name: "kind",
    argv: ["kind", "version"],
    required: true,
    minimum: "0.27.0",
    use: "clusters of --cluster kind",
    hint: "go install sigs.k8s.io/kind@v0.33.0, or see kind's quick start",
  },
  {
    name: "kubectl",
    argv: ["kubectl", "version", "--client", "--output=json"],
    required: false,
    use: "commands of Tiltfiles that call it",
    hint: "Install kubectl if your Tiltfile's commands use it",
  },
  {
    name: "helm",
    argv: ["helm", "version", "--short"],
    required: false,
    use: "helm() and the helm extensions",
    hint: "Install Helm 3 if your Tiltfile uses it",
  },
  {
    name: "kustomize",
    argv: ["kustomize", "version"],
    required: false,
    use: "kustomize() (without it kubectl kustomize is used)",
    hint: "Install kustomize, or kubectl",
  },
  {
    name: "docker compose",
    argv: ["docker", "compose", "version", "--short"],
    required: false,
    use: "docker_compose()",
    hint: "Install the compose plugin (package docker-compose-plugin or docker-compose)",
  },
  {
    name: "git",
    argv: ["git", "--version"],
    required: false,
    use: "extensions (load('ext://…')) and the pre-push hook",
    hint: "Install git",
  },
];

/** Asks every tool for its version, all at once. */
export async function checkTools(host: Host): Promise<Check[]> {
  return Promise.all(TOOLS.map((tool) => checkTool(tool, host)));
}

async function checkTool(tool: Tool, host: Host): Promise<Check> {
  const bad = (detail: string): Check => ({
    name: tool.name,
    status: tool.required ? "missing" : "warning",
    detail: `${detail}; needed for ${tool.use}`,
    hint: tool.hint,
  });
  try {
    const outcome = await host.run(tool.argv, { timeoutMs: 10_000 });
    if (outcome.timedOut) return bad("does not answer within 10 s");
    if (outcome.exitCode !== 0)
      return bad(outcome.stderr.trim().split("\n").at(-1) || `exit status ${outcome.exitCode}`);
    const version = semver.coerce(/\d+\.\d+\.\d+/.exec(outcome.stdout)?.[0])?.version;
    if (tool.minimum && version && semver.lt(version, tool.minimum))
      return { ...bad(`version ${version} is older than ${tool.minimum}`), version };
    const found = version === undefined ? { detail: "version unknown" } : { version };
    return { name: tool.name, status: "ok", ...found };
  } catch (error) {
    if (error instanceof CommandNotFoundError) return bad("not installed");
    throw error;
  }
}
