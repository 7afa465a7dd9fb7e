import { join } from "node:path";
import { UsageError } from "../errors.ts";

const TYPES = ["gha", "local", "registry", "inline", "s3", "azblob"];

/**
 * A `--cache-to` or `--cache-from` of the run for one image: each image gets a place of its own, or the last one
 * built would overwrite the others. `local` gets a subdirectory, `gha` a scope, `registry` a tag, the rest a name.
 * Throws `UsageError` for what no builder understands.
 */
export function cacheOptionFor(option: string, imageName: string): string {
  const fields = parseFields(option);
  const type = fields.get("type");
  const name = imageName.replace(/[^A-Za-z0-9_.-]/g, "_");
  switch (type) {
    case "local":
      for (const key of ["dest", "src"]) {
        const directory = fields.get(key);
        if (directory !== undefined) fields.set(key, join(directory, name));
      }
      break;
    case "gha":
      fields.set("scope", [fields.get("scope") ?? "tilt-ci", name].join("-"));
      break;
    case "registry":
      fields.set("ref", tagged(fields.get("ref") ?? "", name));
      break;
    case "s3":
    case "azblob":
      fields.set("name", [fields.get("name") ?? "tilt-ci", name].join("-"));
      break;
  }
  return [...fields]
    .map(([key, value]) => (value === undefined ? key : `${key}=${value}`))
    .join(",");
}

/** Throws `UsageError` unless every option has a type that BuildKit knows. For the command line, before anything runs. */
export function checkCacheOptions(options: readonly string[]): void {
  for (const option of options) {
    const type = parseFields(option).get("type");
    if (type === undefined || !TYPES.includes(type)) {
      throw new UsageError(
        `Cannot use the cache "${option}": its type must be one of ${TYPES.join(", ")}`,
        "For example type=gha, type=local,dest=DIR or type=registry,ref=HOST/NAME",
      );
    }
  }
}

/**
 * The `--cache-to` and `--cache-from` that `--cache` stands for; with a GitHub token BuildKit asks GitHub itself where its
 * cache throttles. Throws `UsageError` for a place that is none.
 */
export function cacheAt(
  where: string,
  githubToken?: string,
): { readonly to: string[]; readonly from: string[] } {
  if (where === "none") return { to: [], from: [] };
  const place = where === "gha" ? "type=gha" : registryCache(where);
  const token = where === "gha" && githubToken ? [`ghtoken=${githubToken}`] : [];
  // a cache that cannot be written must not fail a build
  return { to: [[place, "mode=max", "ignore-error=true", ...token].join(",")], from: [place] };
}

function registryCache(where: string): string {
  const ref = /^registry=([^,\s]+)$/.exec(where)?.[1];
  if (ref === undefined)
    throw new UsageError(
      `Cannot use the cache "${where}"`,
      "Give gha, registry=HOST/NAME or none; --cache-to and --cache-from take all that BuildKit knows",
    );
  return `type=registry,ref=${ref}`;
}

function parseFields(option: string): Map<string, string | undefined> {
  if (!option.includes("="))
    return new Map([
      ["type", "registry"],
      ["ref", option],
    ]);
  return new Map(
    option.split(",").map((field): [string, string | undefined] => {
      const at = field.indexOf("=");
      return at < 0 ? [field.trim(), undefined] : [field.slice(0, at).trim(), field.slice(at + 1)];
    }),
  );
}

/** A cache reference with the image's name in its tag. */
function tagged(ref: string, name: string): string {
  const colon = ref.lastIndexOf(":");
  const hasTag = colon > ref.lastIndexOf("/");
  return hasTag ? `${ref}-${name}` : `${ref}:${name}`;
}
