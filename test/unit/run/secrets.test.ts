import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ApiObject } from "../../../src/kubernetes/index.ts";
import {
  appliedSecrets,
  buildSecrets,
  credentialsIn,
  plannedSecrets,
  registryCredentials,
} from "../../../src/run/secrets.ts";
import { image, planOf } from "../engine/scenario.ts";

const directory = mkdtempSync(join(tmpdir(), "tci-secrets-"));
afterAll(() => rmSync(directory, { recursive: true }));
const base64 = (text: string) => Buffer.from(text).toString("base64");
const values = (secrets: readonly { readonly value: string }[]) =>
  secrets.map(({ value }) => value);

describe("buildSecrets()", () => {
  writeFileSync(join(directory, "npmrc"), "token=from-file");
  const read = (spec: string, env = {}) =>
    buildSecrets([image("app", ["app"], { secret: [spec] })], env, directory);

  test("reads files, beside the working directory and anywhere", async () => {
    expect(values(await read("id=npm,src=npmrc"))).toEqual(["token=from-file"]);
    expect(values(await read(`id=npm,source=${directory}/npmrc`))).toEqual(["token=from-file"]);
    expect(values(await read("type=file,id=npmrc", { npmrc: "no" }))).toEqual(["token=from-file"]);
  });

  test("reads variables, by name or by the id", async () => {
    expect(await read("id=t,env=TOKEN", { TOKEN: "from-env" })).toEqual([
      { label: "build secret t", value: "from-env", origin: "explicit" },
    ]);
    expect(values(await read("id=TOKEN", { TOKEN: "from-env" }))).toEqual(["from-env"]);
  });

  test("leaves what is missing to the build", async () => {
    expect(await read("id=npm,src=nowhere")).toEqual([]);
    expect(await read("id=t,env=NOWHERE")).toEqual([]);
  });
});

describe("registryCredentials()", () => {
  const config = JSON.stringify({
    auths: {
      "r.example.com": { auth: base64("robot:pass:word") },
      other: { identitytoken: "idt-1" },
    },
  });

  test("reads Docker's configuration and DOCKER_AUTH_CONFIG", async () => {
    writeFileSync(join(directory, "config.json"), config);
    expect(values(await registryCredentials({ DOCKER_CONFIG: directory }))).toEqual([
      base64("robot:pass:word"),
      "pass:word",
      "idt-1",
    ]);
    expect(values(await registryCredentials({ DOCKER_AUTH_CONFIG: config }))).toContain(
      "pass:word",
    );
    expect(await registryCredentials({ DOCKER_CONFIG: "/nowhere" })).toEqual([]);
  });

  test("finds nothing in what is no configuration", () => {
    for (const text of ["", "{", "null", "[]", '{"auths":null}', '{"auths":{"a":"b"}}', "7"])
      expect(credentialsIn(text), text).toEqual([]);
  });
});

describe("secrets of Kubernetes", () => {
  const pull = JSON.stringify({ auths: { r: { username: "u", password: "pull-password" } } });

  test("plannedSecrets() adds the passwords in Secrets for pulling, and yields to disable_scrub", () => {
    const secrets = [{ secretName: "pull", key: ".dockerconfigjson", value: pull }];
    const plan = { ...planOf([]), secrets };
    expect(values(plannedSecrets(plan))).toEqual([pull, "pull-password"]);
    const settings = { ...plan.settings, scrubSecrets: false };
    expect(plannedSecrets({ ...plan, settings })).toEqual([]);
  });

  test("appliedSecrets() decodes what a command applied", () => {
    const secret = {
      kind: "Secret",
      metadata: { name: "db" },
      data: { password: base64("hunter22") },
    };
    const other = { kind: "ConfigMap", metadata: { name: "c" }, data: { a: "b" } };
    expect(appliedSecrets([secret, other] as unknown as ApiObject[])).toEqual([
      { label: "secret db:password", value: "hunter22", origin: "manifest" },
    ]);
  });
});
