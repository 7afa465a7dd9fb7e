// Writes docs/licenses.md: the packages whose code is in dist/, with their licences, as the bundler counts them.
// `node scripts/licenses.mjs` writes it, `--check` fails when it is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleOptions } from "./bundle.mjs";

const TARGET = fileURLToPath(new URL("../docs/licenses.md", import.meta.url));

/** @typedef {{ name: string, version: string, license: string, text: string }} Package */

const text = await document();
if (!process.argv.includes("--check")) writeFileSync(TARGET, text);
else if (!existsSync(TARGET) || readFileSync(TARGET, "utf8") !== text) {
  console.error("docs/licenses.md is stale: run node scripts/licenses.mjs");
  process.exitCode = 1;
}

async function document() {
  const { metafile } = await build({ ...bundleOptions("dist"), write: false, metafile: true });
  const packages = packagesOf(Object.keys(metafile?.inputs ?? {})).map(describe);
  const rows = packages.map(
    ({ name, version, license }) => `| ${name} | ${version} | ${license} |`,
  );
  /** @type {Map<string, string[]>} */
  const texts = new Map();
  for (const { name, text } of packages) texts.set(text, [...(texts.get(text) ?? []), name]);
  return `# Licences of the bundle

tilt-ci itself is under the Apache License 2.0 ([LICENSE](../LICENSE)). The files in \`dist/\` hold code of these packages;
\`node scripts/licenses.mjs\` writes this page from what the bundler takes.

| package | version | licence |
| --- | --- | --- |
${rows.join("\n")}

${[...texts].map(([text, names]) => `## ${names.join(", ")}\n\n\`\`\`text\n${text}\n\`\`\``).join("\n\n")}
`;
}

/** Folders of packages, by the files that were taken from them. */
function packagesOf(/** @type {readonly string[]} */ files) {
  const folders = files.flatMap((file) => {
    const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
    return match ? [match[0]] : [];
  });
  return [...new Set(folders)].sort((a, b) => nameOf(a).localeCompare(nameOf(b), "en"));
}

function nameOf(/** @type {string} */ folder) {
  return folder.split("node_modules/").at(-1) ?? folder;
}

/** @returns {Package} */
function describe(/** @type {string} */ folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$|-)/i.test(entry));
  if (!license) throw new Error(`${name} names no licence`);
  const text = file
    ? readFileSync(join(folder, file), "utf8")
    : `${license} (no text comes with it)`;
  return {
    name,
    version,
    license,
    text: text.replaceAll("\r\n", "\n").replaceAll("\t", "  ").trim(),
  };
}
