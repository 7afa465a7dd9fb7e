// Completes package-lock.json after `npm install` against a registry that does not serve the packages of every
// platform: npm then leaves those out of the lock file, and `npm ci` refuses it everywhere. The entries that this adds
// have a version and a platform, but no checksum.
import { readFileSync, writeFileSync } from "node:fs";

const systems = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const processors = ["arm64", "arm", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"];

/** Which platform a package is for, by the words of its name: binding-linux-x64-musl. */
export function platformOf(/** @type {string} */ name) {
  const words = name.split(/[-/]/);
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (!os || !cpu) return undefined;
  const libc = words.at(-1)?.startsWith("musl")
    ? "musl"
    : words.at(-1)?.startsWith("gnu")
      ? "glibc"
      : undefined;
  return { cpu: [cpu], ...(os === "linux" && libc ? { libc: [libc] } : {}), os: [os] };
}

/**
 * Optional packages for a platform that a lock file's packages ask for and do not have, as the entries to add.
 * @param {Record<string, { dev?: boolean, optionalDependencies?: Record<string, string> }>} packages
 */
export function missingEntries(packages) {
  const missing = Object.values(packages).flatMap(({ dev, optionalDependencies = {} }) =>
    Object.entries(optionalDependencies).map(([name, version]) => ({ dev, name, version })),
  );
  return missing
    .filter(({ name }) => !packages[`node_modules/${name}`] && platformOf(name))
    .map(({ dev, name, version }) => [
      `node_modules/${name}`,
      { version, ...(dev ? { dev } : {}), optional: true, ...platformOf(name) },
    ]);
}

if (process.argv[1]?.endsWith("complete-lock.mjs")) {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const entries = missingEntries(lock.packages);
  const packages = Object.fromEntries(
    [...Object.entries(lock.packages), ...entries].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync("package-lock.json", `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`Added ${entries.length} packages of other platforms to package-lock.json`);
}
