import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * How the stub behaves: `ok` becomes a cluster; `init-fails` and `init-hangs` in kubeadm, `init-flakes` with an
 * error that is tried again; `silent` never says that it has booted.
 */
export type StubMode = "ok" | "init-fails" | "init-flakes" | "init-hangs" | "silent";

const source = fileURLToPath(new URL(".", import.meta.url));
const REPOSITORY = "tci-stub-node";
const DAY_MS = 24 * 3600 * 1000;

/**
 * The stub node image of a mode. Built (a second) when this machine has none of these sources from today, whose
 * certificate is still good; those of other days go.
 */
export function buildStubNode(mode: StubMode): string {
  const day = `${mode}-${Math.floor(Date.now() / DAY_MS)}`;
  const tag = `${REPOSITORY}:${day}-${digestOf(source)}`;
  if (spawnSync("docker", ["image", "inspect", tag], { stdio: "ignore" }).status === 0) return tag;
  const context = mkdtempSync(join(tmpdir(), "tci-stub-"));
  try {
    cpSync(source, context, { recursive: true });
    mkdirSync(join(context, "tls"));
    certificate(join(context, "tls"));
    execFileSync(
      "docker",
      ["build", "--quiet", "--build-arg", `MODE=${mode}`, "-t", tag, context],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
  } finally {
    rmSync(context, { recursive: true });
  }
  removeOlder(mode, day);
  return tag;
}

/** A node that runs does not miss its tag. */
function removeOlder(mode: StubMode, day: string): void {
  const tags = execFileSync("docker", ["images", REPOSITORY, "--format", "{{.Tag}}"], {
    encoding: "utf8",
  }).split("\n");
  const old = tags.filter((tag) => tag.startsWith(`${mode}-`) && !tag.startsWith(`${day}-`));
  if (old.length > 0)
    spawnSync("docker", ["rmi", ...old.map((tag) => `${REPOSITORY}:${tag}`)], { stdio: "ignore" });
}

function digestOf(directory: string): string {
  const hash = createHash("sha256");
  for (const path of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const file = join(directory, path);
    if (statSync(file).isFile()) hash.update(path).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 12);
}

/** A certificate for loopback that is its own authority. */
function certificate(directory: string): void {
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=stub"],
      ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
      ...["-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-keyout", join(directory, "key.pem"), "-out", join(directory, "cert.pem")],
    ],
    { stdio: "ignore" },
  );
}
