import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { privateLines } from "../images/index.ts";
import type { ComposeResource } from "../model/plan.ts";
import type { Session } from "./session.ts";

/**
 * A compose file, to be read last, that keeps the report and state directories out of a service's build context: logs
 * that change all the while would end in the image and void the builder's cache. Undefined where none is inside.
 * BuildKit prefers the ignore file beside the Dockerfile, so both are copied to where nobody else sees them.
 */
export async function withoutPrivateFiles(
  { service, buildFiles }: Pick<ComposeResource, "service" | "buildFiles">,
  { privatePaths, temporaryDirectory }: Pick<Session, "privatePaths" | "temporaryDirectory">,
): Promise<string | undefined> {
  if (buildFiles === undefined) return undefined;
  const { context, dockerfile } = buildFiles;
  const lines = await privateLines(context, privatePaths);
  const text = await readIfThere(dockerfile);
  // What is wrong with a Dockerfile that cannot be read, Compose says best.
  if (lines.length === 0 || text === undefined) return undefined;
  const ignored =
    (await readIfThere(`${dockerfile}.dockerignore`)) ??
    (await readIfThere(join(context, ".dockerignore"))) ??
    "";
  await mkdir(temporaryDirectory, { recursive: true });
  const directory = await mkdtemp(join(temporaryDirectory, "compose-"));
  const copy = join(directory, basename(dockerfile));
  const override = join(directory, "compose.yaml");
  await writeFile(copy, text);
  await writeFile(`${copy}.dockerignore`, [ignored, ...lines, ""].join("\n"));
  await writeFile(
    override,
    JSON.stringify({ services: { [service]: { build: { dockerfile: copy } } } }),
  );
  return override;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
