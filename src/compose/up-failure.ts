import type { ReasonCode } from "../model/reason.ts";
import type { Failure } from "../model/result.ts";

const KINDS: readonly {
  readonly code: ReasonCode;
  readonly sign: RegExp;
  readonly hint?: string;
}[] = [
  {
    code: "PortTaken",
    sign: /port is already allocated|address already in use|ports are not available/i,
    hint: "Another process or container listens on that port: find it with `docker ps` or `ss -ltnp`",
  },
  {
    code: "ImagePull",
    sign: /pull access denied|manifest (?:for \S+ )?(?:unknown|not found)|failed to resolve reference|repository does not exist|no such image|Get "https?:|error getting credentials|toomanyrequests/i,
  },
  { code: "ProbeFailed", sign: /is unhealthy/ },
  { code: "CrashLoop", sign: /container \S+ exited \(\d+\)/ },
  {
    code: "ContainerConfig",
    sign: /failed to create (?:shim )?task|executable file not found|invalid mount config|bind source path does not exist|bind mount failed|unknown or invalid runtime|not a directory: unknown/i,
  },
];

/** Why `docker compose up` of a service failed, from what it printed. */
export function upFailure(service: string, exitCode: number, lines: readonly string[]): Failure {
  const object = `compose service ${service}`;
  const told = lines.map((line) => line.trim()).filter((line) => line !== "");
  const cause = told.findLast((line) => /error|fail|denied|unhealthy|invalid|cannot/i.test(line));
  const text = cause ?? told.at(-1) ?? `exit status ${exitCode}`;
  const kind = KINDS.find(({ sign }) => sign.test(text));
  return {
    code: kind?.code ?? "PodFailed",
    object,
    message: `${object}: ${text.replace(/^Error response from daemon: /, "")}`,
    ...(told.length > 0 ? { detail: told.join("\n") } : {}),
    ...(kind?.hint ? { hint: kind.hint } : {}),
  };
}
