import type { ImageStore } from "./docker.ts";

/**
 * Takes all names under a registry's host out of the local Docker; images that have another name (a content tag)
 * stay. Throws `DockerError`.
 */
export async function removeRegistryTags(
  store: Pick<ImageStore, "names" | "untag">,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  const names = await store.names(signal);
  await store.untag(
    names.filter((name) => name.startsWith(`${host}/`)),
    signal,
  );
}
