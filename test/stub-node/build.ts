import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * How the stub behaves: `ok` becomes a cluster; `init-fails` and `init-hangs` in kubeadm, `init-flakes` with an
 * error that is tried again; `silent` never says that it has booted.
 */
export type StubMode = "ok" | "init-fails" | "init-flakes" | "init-hangs" | "silent";

const source = fileURLToPath(new URL(".", import.meta.url));

/** Builds the stub node image of a mode (a second; cached by Docker) and gives its reference. */
export function buildStubNode(mode: StubMode): string {
  const tag = `tci-stub-node:${mode}`;
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
  return tag;
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
