import { createWriteStream } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InfrastructureError } from "./infrastructure.ts";
import { readTar } from "./tar-reader.ts";

/** Unpacks what `docker save` gives for one image as an OCI layout; gives the digest of its manifest (or index). */
export async function writeOciLayout(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
): Promise<string> {
  for await (const { name, body } of readTar(archive)) {
    if (!/^(?:blobs\/sha256\/[0-9a-f]{64}|index\.json|oci-layout)$/.test(name)) continue;
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(Readable.from(body), createWriteStream(path));
  }
  const index = await readFile(join(directory, "index.json"), "utf8").catch(() => {
    throw new InfrastructureError("docker save gave no OCI layout: Docker 25 or newer is needed");
  });
  const [manifest] = (JSON.parse(index) as { manifests: { digest: string }[] }).manifests;
  if (!manifest) throw new InfrastructureError("docker save gave an empty OCI layout");
  return manifest.digest;
}
