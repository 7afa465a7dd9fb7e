import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ApiObject } from "../kubernetes/index.ts";
import type { ImageBuild, Plan } from "../model/plan.ts";
import type { Secret } from "../report/index.ts";

/*
 * Values that must appear nowhere, beside those that Tilt knows (Secrets of the Tiltfile's YAML): what builds are given as
 * secrets, what Docker logs in to registries with, and Secrets that commands apply.
 */

type Env = Readonly<Record<string, string>>;

/** Of `docker_build(secret=)`: files and variables as buildx reads them. What is not there is the build's business. */
export async function buildSecrets(
  images: readonly ImageBuild[],
  env: Env,
  cwd: string,
): Promise<Secret[]> {
  const specs = new Set(images.flatMap((image) => (image.type === "docker" ? image.secret : [])));
  const found = await Promise.all(
    [...specs].map(async (spec): Promise<Secret[]> => {
      const { id, value } = await readSecret(spec, env, cwd);
      return value ? [{ label: `build secret ${id}`, value, origin: "explicit" }] : [];
    }),
  );
  return found.flat();
}

/** `id=npm,src=.npmrc`, `id=token,env=TOKEN`; without either a variable of the id's name, else a file. */
async function readSecret(
  spec: string,
  env: Env,
  cwd: string,
): Promise<{ readonly id: string; readonly value: string | undefined }> {
  const fields = new Map(
    spec.split(",").map((field) => {
      const at = field.indexOf("=");
      return at < 0 ? ["", field] : [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)];
    }),
  );
  const file = fields.get("src") ?? fields.get("source");
  const id = fields.get("id") ?? file ?? fields.get("env") ?? "";
  const variable = fields.get("env") ?? (file === undefined ? id : undefined);
  if (fields.get("type") !== "file" && variable !== undefined && env[variable] !== undefined)
    return { id, value: env[variable] };
  const value = await readFile(resolve(cwd, file ?? id), "utf8").catch(() => undefined);
  return { id, value };
}

/** What Docker's configuration holds: passwords and tokens, not what a credential helper keeps for it. */
export async function registryCredentials(env: Env): Promise<Secret[]> {
  const directory = env.DOCKER_CONFIG || (env.HOME ? join(env.HOME, ".docker") : undefined);
  const file =
    directory && (await readFile(join(directory, "config.json"), "utf8").catch(() => ""));
  return [file, env.DOCKER_AUTH_CONFIG].flatMap((text) =>
    credentialsIn(text ?? "").map((value) => ({
      label: "registry credentials",
      value,
      origin: "explicit" as const,
    })),
  );
}

/** Passwords and tokens in a Docker configuration or in a Secret for pulling images; none in what is neither. */
export function credentialsIn(json: string): string[] {
  let config: unknown;
  try {
    config = JSON.parse(json);
  } catch {
    return [];
  }
  if (config === null || typeof config !== "object") return [];
  // An older form, `.dockercfg`, is what newer ones have under `auths`.
  const { auths = config } = config as { auths?: object | null };
  return Object.values(auths ?? {}).flatMap((entry: unknown) => {
    if (entry === null || typeof entry !== "object") return [];
    const { auth, password, identitytoken, registrytoken } = entry as Record<string, unknown>;
    const decoded = typeof auth === "string" ? Buffer.from(auth, "base64").toString("utf8") : "";
    const own = decoded.slice(decoded.indexOf(":") + 1);
    return [auth, password, identitytoken, registrytoken, own].filter(
      (value): value is string => typeof value === "string" && value !== "",
    );
  });
}

/** Of the Tiltfile's YAML; none when `secret_settings(disable_scrub=True)` says so. */
export function plannedSecrets({
  settings,
  secrets,
}: Pick<Plan, "settings" | "secrets">): Secret[] {
  if (!settings.scrubSecrets) return [];
  return secrets.flatMap(({ secretName, key, value }) => manifestSecrets(secretName, key, value));
}

/** Of Secrets that a command has applied and printed. */
export function appliedSecrets(objects: readonly ApiObject[]): Secret[] {
  return objects.flatMap((object) => {
    if (object.kind !== "Secret") return [];
    const { data = {} } = object as ApiObject & {
      readonly data?: Readonly<Record<string, string>>;
    };
    return Object.entries(data).flatMap(([key, value]) =>
      manifestSecrets(object.metadata.name, key, Buffer.from(value, "base64").toString("utf8")),
    );
  });
}

/** A value, and the credentials in it if it is for pulling images. */
function manifestSecrets(secretName: string, key: string, value: string): Secret[] {
  const values = key.startsWith(".dockerc") ? [value, ...credentialsIn(value)] : [value];
  return values.map((one) => ({
    label: `secret ${secretName}:${key}`,
    value: one,
    origin: "manifest" as const,
  }));
}
