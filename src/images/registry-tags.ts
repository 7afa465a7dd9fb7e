import type { Docker } from "./docker.ts";

/**
 * Takes all names under a registry's host out of the local Docker; images that have another name (a content tag)
 * stay. Throws `DockerError`.
 */
export async function removeRegistryTags(
  docker: Docker,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  const listed = await docker.expect(
    ["image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}"],
    signal,
  );
  const tags = listed
    .split("\n")
    .filter((name) => name.startsWith(`${host}/`) && !name.endsWith(":<none>"));
  if (tags.length > 0) await docker.expect(["rmi", "--no-prune", ...tags], signal);
}
