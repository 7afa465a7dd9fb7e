import { execFileSync } from "node:child_process";
import { expect, vi } from "vitest";

/** What of a cluster is on this machine: containers, volumes, networks, processes, each as a line. */
export function leftoversOf(name: string, network: string): readonly string[] {
  const docker = (...args: readonly string[]) =>
    execFileSync("docker", [...args], { encoding: "utf8" })
      .split("\n")
      .filter(Boolean);
  const processes = execFileSync("ps", ["-axo", "pid=,command="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => /\b(kind|docker) /.test(line) && line.includes(name));
  return [
    ...docker("ps", "--all", "--format", "container {{.Names}}", "--filter", `name=${name}`),
    ...docker("volume", "ls", "--format", "volume {{.Name}}", "--filter", `name=${name}`),
    ...docker("network", "ls", "--format", "network {{.Name}}", "--filter", `name=${network}`),
    ...processes.map((line) => `process ${line.trim()}`),
  ];
}

/** Volumes that no container uses: an anonymous one of ours would be among them. */
export function danglingVolumes(): readonly string[] {
  return execFileSync("docker", ["volume", "ls", "--quiet", "--filter", "dangling=true"], {
    encoding: "utf8",
  })
    .split("\n")
    .filter(Boolean);
}

/** Waits until no dangling volume is left that was not there before; one of another run's may come and go. */
export async function expectNoNewVolumes(before: readonly string[]): Promise<void> {
  await vi.waitFor(
    () => expect(danglingVolumes().filter((name) => !before.includes(name))).toEqual([]),
    { timeout: 15_000, interval: 300 },
  );
}
