import { createHash } from "node:crypto";
import { CommandFailedError, type ContainerEngine } from "./container-engine.ts";
import { NETWORK_LABEL } from "./names.ts";
import { errorLine } from "./symptoms.ts";

const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Makes the nodes' network, as kind makes it, unless it is there. So a registry can be started on it: one that
 * joins it later loses its published port and the connections through it when the network has IPv6 (Docker 26).
 * Ours carries a label, by which `removeNetwork()` knows it. Only for Docker: elsewhere kind makes it.
 * Throws `EnvironmentError`.
 */
export async function ensureNetwork(
  name: string,
  engine: ContainerEngine,
  signal: AbortSignal | undefined,
): Promise<void> {
  const bounds = { timeoutMs: COMMAND_TIMEOUT_MS, signal };
  const there = await engine.run(["network", "inspect", name, "--format", "{{.Name}}"], bounds);
  if (there.exitCode === 0) return;
  const mtu = await engine.run(
    [
      ...["network", "inspect", "bridge", "--format"],
      '{{index .Options "com.docker.network.driver.mtu"}}',
    ],
    bounds,
  );
  const args = networkArgs(name, Number(mtu.stdout.trim()) || undefined);
  const withIpv6 = await engine.run([...args, "--ipv6", "--subnet", ulaOf(name), name], bounds);
  if (withIpv6.exitCode === 0 || isThere(withIpv6.stderr)) return;
  // a machine without IPv6, or with that range in use: kind, too, goes on without
  const plain = await engine.run([...args, name], bounds);
  if (plain.exitCode === 0 || isThere(plain.stderr)) return;
  throw new CommandFailedError(`Cannot create the network ${name}`, plain);
}

/** `docker network create` with kind's options and our label, without the name. */
export function networkArgs(name: string, mtu: number | undefined): readonly string[] {
  return [
    ...["network", "create", "--driver", "bridge", "--label", `${NETWORK_LABEL}=${name}`],
    ...["--opt", "com.docker.network.bridge.enable_ip_masquerade=true"],
    ...(mtu ? ["--opt", `com.docker.network.driver.mtu=${mtu}`] : []),
  ];
}

/** A unique local IPv6 range (RFC 4193) of the network's own. */
export function ulaOf(name: string): string {
  const hash = createHash("sha256").update(`tilt-ci ${name}`).digest("hex");
  return `fd${hash.slice(0, 2)}:${hash.slice(2, 6)}:${hash.slice(6, 10)}:${hash.slice(10, 14)}::/64`;
}

function isThere(stderr: string): boolean {
  return /already exists/.test(stderr);
}

/**
 * Removes the network if tilt-ci made it, whichever run, and nothing is attached to it any more.
 * Answers with what went wrong otherwise.
 */
export async function removeNetwork(
  name: string,
  engine: ContainerEngine,
): Promise<readonly string[]> {
  const bounds = { timeoutMs: COMMAND_TIMEOUT_MS };
  const label = await engine.run(
    ["network", "inspect", name, "--format", `{{index .Labels "${NETWORK_LABEL}"}}`],
    bounds,
  );
  if (label.exitCode !== 0 || label.stdout.trim() !== name) return [];
  const outcome = await engine.run(["network", "rm", name], bounds);
  if (outcome.exitCode === 0) return [];
  if (/active endpoints|not found|[Nn]o such network|in use|being used/.test(outcome.stderr))
    return [];
  return [`Cannot remove the network ${name}: ${errorLine(outcome)}`];
}
