/** What a node knows that others must not: every private key, certificate and token in any of its files. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readTar } from "../../src/images/tar-reader.ts";

/** Hash of what is secret → the files in which it stands. */
export type Found = ReadonlyMap<string, readonly string[]>;

export interface Secrets {
  readonly keys: Found;
  readonly certificates: Found;
  /** JSON web tokens. */
  readonly tokens: Found;
  /** How many files were read. */
  readonly files: number;
}

/** The kernel's own, what everybody may download (programs, images, public authorities), and the root of containers. */
const ELSEWHERE = [
  ...["proc", "sys", "dev", "usr", "etc/ssl", "kind/tilt-ci/store", "run/containerd"],
  "var/lib/containerd/io.containerd.content.v1.content",
  "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
];

/** Of a node that runs. */
export function secretsOfNode(container: string): Promise<Secrets> {
  return secretsOf(["exec", container, "tar", ...tarArgs()]);
}

/** Of an image. */
export function secretsOfImage(image: string): Promise<Secrets> {
  const run = ["run", "--rm", "--network", "none", "--entrypoint", "tar"];
  return secretsOf([...run, image, ...tarArgs()]);
}

/** The files of either in which something stands that the other one has, too. */
export function shared(one: Found, two: Found): readonly string[] {
  const both = [...one].filter(([hash]) => two.has(hash));
  return pathsOf(new Map(both.map(([hash, paths]) => [hash, [...paths, ...two.get(hash)!]])));
}

/** In order, each once. */
export function pathsOf(found: Found): readonly string[] {
  return [...new Set([...found.values()].flat())].sort();
}

function tarArgs(): readonly string[] {
  const excludes = ELSEWHERE.map((path) => `--exclude=./${path}`);
  return ["--format=posix", "--anchored", ...excludes, "-C", "/", "-cf", "-", "."];
}

async function secretsOf(dockerArgs: readonly string[]): Promise<Secrets> {
  // files may change while tar reads them, and sockets are none: its exit code and words say nothing
  const child = spawn("docker", dockerArgs, { stdio: ["ignore", "pipe", "ignore"] });
  const found = {
    keys: new Map<string, string[]>(),
    certificates: new Map<string, string[]>(),
    tokens: new Map<string, string[]>(),
  };
  let files = 0;
  for await (const { name, body } of readTar(child.stdout)) {
    files += 1;
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    for (const { kind, value } of secretsIn(Buffer.concat(chunks).toString("latin1"))) {
      const hash = createHash("sha256").update(value).digest("hex");
      const paths = found[kind].get(hash) ?? [];
      found[kind].set(hash, [...paths, name.replace(/^\./, "")]);
    }
  }
  return { ...found, files };
}

interface Secret {
  readonly kind: "keys" | "certificates" | "tokens";
  readonly value: string;
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s\\]+?)-----END \1-----/g;
const PEM_IN_BASE64 = /LS0tLS1CRUdJTi[A-Za-z0-9+/]{60,}/g;
const TOKEN = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/g;

/** As PEM, also inside JSON strings and base64 (kubeconfigs), and as tokens. */
export function secretsIn(text: string): readonly Secret[] {
  const blocks = [...text.matchAll(PEM)].flatMap(([, type = "", body = ""]): Secret[] => {
    const value = body.replaceAll("\\n", "").replaceAll(/\s/g, "");
    if (type.endsWith("PRIVATE KEY")) return [{ kind: "keys", value }];
    return type === "CERTIFICATE" ? [{ kind: "certificates", value }] : [];
  });
  const encoded = [...text.matchAll(PEM_IN_BASE64)].flatMap(([word]) =>
    secretsIn(Buffer.from(word, "base64").toString("latin1")),
  );
  const tokens = [...text.matchAll(TOKEN)].map(([value]): Secret => ({ kind: "tokens", value }));
  return [...blocks, ...encoded, ...tokens];
}
