import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { clusterAvailable, rigEnv } from "./env.ts";
import { sh } from "./shell.ts";

const rig = fileURLToPath(new URL(".", import.meta.url));
const realCache =
  process.env.RIG_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tilt-ci-rig");

// What the script itself needs; everything else on the PATH is a test's own.
const basics = [
  ...[
    "awk",
    "bash",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "df",
    "dirname",
    "dpkg-query",
    "find",
    "flock",
    "grep",
  ],
  ...[
    "head",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sha256sum",
    "sleep",
    "sort",
    "tail",
    "touch",
  ],
  ...["tr", "uname", "paste", "seq"],
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rigtest-up-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface UpOptions {
  readonly env?: Record<string, string>;
  /** Where the rig is: a changed copy, for instance. */
  readonly from?: string;
  /** Ends the run with SIGKILL, children included, as soon as its messages hold this text. */
  readonly killAt?: string;
}

function up(
  args: readonly string[],
  { env = {}, from = rig, killAt }: UpOptions = {},
): Promise<Outcome> {
  const child = spawn("bash", [join(from, "up"), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const output = { stdout: "", stderr: "" };
  let killed = false;
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
    if (!killed && killAt && output.stderr.includes(killAt) && child.pid) {
      killed = process.kill(-child.pid, "SIGKILL");
    }
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, ...output }));
  });
}

/** A machine of a test's own: a cache, and a PATH that holds the basics and these programs (shell scripts). */
async function machine(programs: Record<string, string>): Promise<Record<string, string>> {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of basics) {
    const found = (await sh(["sh", "-c", `command -v ${name} || true`])).trim();
    if (found && !(name in programs)) symlinkSync(found, join(bin, name));
  }
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { PATH: bin, RIG_CACHE: join(folder, "cache"), DOCKER_HOST: "" };
}

const notRoot = 'if [ "$1" = -u ]; then echo 1000; else echo somebody; fi';
const noEngine = "echo 'Cannot connect to the Docker daemon' >&2; exit 1";

describe("up", () => {
  test("--help says how to use it", async () => {
    const { exitCode, stdout } = await up(["--help"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/eval "\$\(test\/rig\/up\)"/);
    expect(stdout).toMatch(/Exit codes: 0 ready, 2 wrong usage, 3 /);
  });

  test("refuses an argument that it does not know", async () => {
    const { exitCode, stderr } = await up(["--of-line"]);
    expect(exitCode).toBe(2);
    expect(stderr).toBe("rig: unknown argument --of-line; see test/rig/up --help\n");
  });

  test("says what to install when there is no engine and the user may not install one", async () => {
    const env = await machine({ docker: noEngine, id: notRoot });
    const { exitCode, stdout, stderr } = await up([], { env });
    expect(exitCode).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^rig: no Docker engine answers, and this rig may install one only as root/,
    );
    expect(stderr).toMatch(/apt-get install docker\.io|docs\.docker\.com\/engine\/install/);
  });

  test("names macOS's ways to an engine on macOS", async () => {
    const env = await machine({ docker: noEngine, id: notRoot, uname: "echo Darwin" });
    const { exitCode, stderr } = await up(["engine"], { env });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("brew install colima docker");
  });

  test("says how to be let in when the engine refuses this user", async () => {
    const docker = "echo 'permission denied while trying to connect to the docker API' >&2; exit 1";
    const { exitCode, stderr } = await up(["engine"], {
      env: await machine({ docker, id: notRoot }),
    });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("sudo usermod -aG docker somebody");
  });

  test("does not install an engine beside a DOCKER_HOST that does not answer", async () => {
    const env = { ...(await machine({ docker: noEngine })), DOCKER_HOST: "tcp://127.0.0.1:1" };
    const { exitCode, stderr } = await up(["engine"], { env });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("no Docker engine answers at DOCKER_HOST=tcp://127.0.0.1:1");
  });

  test("asks for the plugins when a user's engine lacks them", async () => {
    const docker = '[ "$1" = info ]';
    const { exitCode, stderr } = await up(["engine"], {
      env: await machine({ docker, id: notRoot }),
    });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Docker lacks its buildx or compose plugin");
  });

  test("browser names the Chromium that is there", async () => {
    const env = await machine({ "google-chrome": "exit 0", id: notRoot });
    const { exitCode, stdout, stderr } = await up(["browser"], {
      env: { ...env, TILT_CI_CHROMIUM: "" },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(`export TILT_CI_CHROMIUM=${join(folder, "bin/google-chrome")}\n`);
  });

  test("browser says what to install when there is none and the user may not install one", async () => {
    const env = await machine({ id: notRoot, "dpkg-query": "exit 1" });
    const { exitCode, stdout, stderr } = await up(["browser"], {
      env: { ...env, TILT_CI_CHROMIUM: "" },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
    expect(stderr).toMatch(/apt-get install chromium|Install Chromium or Google Chrome/);
  });

  test("asks for Go when it is missing", async () => {
    const { exitCode, stderr } = await up(["tools"], { env: await machine({}) });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/rig: Go is missing.*\n\s+Install Go 1\.26 or later/);
  });

  test("asks for a newer Go when the old one may not fetch it", async () => {
    const go = 'case "$2" in GOVERSION) echo go1.22.5 ;; GOTOOLCHAIN) echo local ;; esac';
    const { exitCode, stderr } = await up(["tools"], { env: await machine({ go }) });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("Go go1.22.5 is too old");
  });

  test("shows the end of a failing step's output and names its log", async () => {
    const go = 'case "$1" in env) echo go1.26.1 ;; *) echo "boom: no such module"; exit 7 ;; esac';
    const { exitCode, stderr } = await up(["tools"], { env: await machine({ go }) });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("boom: no such module");
    expect(stderr).toMatch(
      /building kind: failed with exit code 7\n\s+Its whole output is in .*\.log/,
    );
  });

  test("says so when the disk fills up", async () => {
    const go =
      'case "$1" in env) echo go1.26.1 ;; *) echo "write: no space left on device"; exit 1 ;; esac';
    const { exitCode, stderr } = await up(["tools"], { env: await machine({ go }) });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("building kind: the disk is full");
  });
});

/** Runs a line of shell with the rig's functions; `here` is the rig, or a copy. */
function inRig(line: string, here = rig): Promise<string> {
  const parts =
    "for part in say lock machine binaries userland busybox node-base node-image base-images published";
  const load = `here=${here}; kubernetes=v1.34.4; cache=${folder}; ${parts}; do . "$here/lib/$part.sh"; done`;
  return sh(["bash", "-c", `set -euo pipefail; ${load}; ${line}`]);
}

function copyOfRig(): string {
  const copy = join(folder, "rig");
  cpSync(rig, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

describe("recipes", () => {
  test("an unchanged copy of the rig names the same images", async () => {
    expect(await inRig("built_node_image", copyOfRig())).toBe(await inRig("built_node_image"));
  });

  test("a changed node is another node image on the same base", async () => {
    const copy = copyOfRig();
    writeFileSync(join(copy, "node/rootfs/kind/extra"), "");
    expect(await inRig("built_node_image", copy)).not.toBe(await inRig("built_node_image"));
    expect(await inRig("node_base", copy)).toBe(await inRig("node_base"));
  });

  test("a changed checksum of a module is another base", async () => {
    const copy = copyOfRig();
    writeFileSync(join(copy, "modules/etcd/go.sum"), "");
    expect(await inRig("node_base", copy)).not.toBe(await inRig("node_base"));
    expect(await inRig("built_node_image", copy)).not.toBe(await inRig("built_node_image"));
  });

  test("a changed test is no other image", async () => {
    const copy = copyOfRig();
    writeFileSync(join(copy, "node/pod-network/network_test.go"), "");
    expect(await inRig("built_node_image", copy)).toBe(await inRig("built_node_image"));
  });
});

const hasGo = spawnSync("go", ["version"]).status === 0;
test.skipIf(!hasGo)(
  `the pod network passes its own tests${hasGo ? "" : " (there is no Go here)"}`,
  async () => {
    const argv = ["go", "test", "-C", join(rig, "node/pod-network"), "./..."];
    expect(await sh(argv, { env: { GOWORK: "off" } })).toMatch(/^ok\s/m);
  },
);

describe.skipIf(!clusterAvailable())("up on a machine with an engine", () => {
  test("gives two callers at once the same, and ignores an inherited node image", async () => {
    const env = { TILT_CI_NODE_IMAGE: "kindest/node:somebody-elses" };
    const [first, second] = await Promise.all([up([], { env }), up([], { env })]);
    expect(first).toMatchObject({ exitCode: 0 });
    expect(second.stdout).toBe(first.stdout);
    expect(first.stdout).toContain(`export TILT_CI_NODE_IMAGE=${rigEnv().nodeImage}\n`);
    expect(`${first.stderr}${second.stderr}`).toContain("waiting for another rig/up");
  });

  test("comes to its end after a kill in the middle", async () => {
    const from = copyOfRig();
    writeFileSync(join(from, "node/rootfs/kind/extra"), `${process.pid}`);
    const killed = await up(["--offline"], { from, killAt: "building kindest/node" });
    expect(killed.exitCode).toBeNull();
    const again = await up(["--offline"], { from });
    expect(again).toMatchObject({ exitCode: 0 });
    const image = again.stdout.match(/TILT_CI_NODE_IMAGE=(.*)/)?.[1] ?? "";
    try {
      const content = await sh([
        "docker",
        "run",
        "--rm",
        "--entrypoint",
        "cat",
        image,
        "/kind/extra",
      ]);
      expect(content).toBe(`${process.pid}`);
      expect(await sh(["docker", "ps", "-aq", "--filter", "name=tilt-ci-rig-node"])).toBe("");
    } finally {
      await sh(["docker", "rmi", image]);
    }
  });

  test("stops before it fills a disk", async () => {
    const real = await sh(["sh", "-c", "command -v docker"]);
    // an engine that has no image yet, and no registry
    const docker = `case "$1" in image | manifest) exit 1 ;; *) exec ${real.trim()} "$@" ;; esac`;
    const df =
      'echo "Filesystem 1024-blocks Used Available Capacity Mounted on"; echo "/dev/x 9 8 1048576 90% /"';
    const env = await machine({ docker, df });
    mkdirSync(join(folder, "cache"));
    symlinkSync(join(realCache, "bin"), join(folder, "cache/bin"));
    const { exitCode, stderr } = await up([], {
      env: { ...env, DOCKER_HOST: process.env.DOCKER_HOST ?? "" },
    });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/the disk of .* has 1 GB free, and \d+ GB are needed/);
  });
});

describe.skipIf(!clusterAvailable())("up where a container registry", () => {
  /** A machine whose engine holds what it has pulled or tagged, and whose programs are built. */
  async function machineWithRegistry(manifest: string, pull: string) {
    const store = join(folder, "images");
    writeFileSync(store, "");
    const docker = `
      case "$1 $2" in
        info* | "buildx version" | "compose version") exit 0 ;;
        "manifest inspect") ${manifest} ;;
        "image inspect") grep -qxF "\${@: -1}" ${store} && echo " 1" ;;
        "pull --quiet") ${pull}; echo "$3" >>${store} ;;
        tag*) echo "$3" >>${store} ;;
        *) echo "unexpected: $*" >&2; exit 64 ;;
      esac`;
    const df = 'echo "x"; echo "/dev/x 9 8 1048576 90% /"';
    const env = await machine({ docker, df });
    mkdirSync(join(folder, "cache"));
    symlinkSync(join(realCache, "bin"), join(folder, "cache/bin"));
    return env;
  }
  const tooFull = /the disk of .* has 1 GB free/; // as far as building gets on these machines

  test("answers takes the published images, and knows them the next time", async () => {
    const env = await machineWithRegistry("exit 0", "true");
    const first = await up([], { env });
    expect(first).toMatchObject({ exitCode: 0 });
    const image = /^export TILT_CI_NODE_IMAGE=kindest\/node:v[\d.]+@sha256:[0-9a-f]{64}$/m;
    expect(first.stdout).toMatch(image);
    expect(first.stderr).toContain("pulling the published images");
    expect(await up([], { env })).toEqual({ ...first, stderr: "" });
  });

  test("answers, but fails to deliver, builds the images", async () => {
    const env = await machineWithRegistry("exit 0", "echo toomanyrequests >&2; exit 1");
    const { exitCode, stderr } = await up([], { env });
    expect(exitCode).toBe(3);
    expect(stderr).toContain("pulling failed, building the images instead: toomanyrequests");
    expect(stderr).toMatch(tooFull);
  });

  test("does not answer within 5 s builds the images", async () => {
    const env = await machineWithRegistry("exec sleep 60", "true");
    const started = Date.now();
    const { exitCode, stderr } = await up([], { env });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(tooFull);
    expect(Date.now() - started).toBeGreaterThan(4_900);
    expect(Date.now() - started).toBeLessThan(30_000);
  });

  test("answers is not asked with --offline", async () => {
    const env = await machineWithRegistry("exit 0", "true");
    const { exitCode, stderr } = await up(["--offline"], { env });
    expect(exitCode).toBe(3);
    expect(stderr).not.toContain("pulling");
    expect(stderr).toMatch(tooFull);
  });
});
