import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readChunks, runChunk } from "./chunks.ts";

// Each program of testdata/*.star runs as it stands; its own assertions and the marked errors are all that is checked.
const folder = new URL("testdata/", import.meta.url);

const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".star"))
  .flatMap((file) =>
    readChunks(readFileSync(new URL(file, folder), "utf8")).map((chunk) => ({
      file,
      chunk,
      line: chunk.firstLine,
    })),
  );

test.each(cases)("execFile() does what $file:$line says", ({ file, chunk }) => {
  const { failures, errors } = runChunk(file, chunk);
  const unexpected = errors.filter(({ line, message }) => !chunk.expected.get(line)?.test(message));
  const met = new Set(errors.map(({ line }) => line));
  const missing = [...chunk.expected].filter(([line]) => !met.has(line));
  expect({ failures, unexpected, missing }).toEqual({ failures: [], unexpected: [], missing: [] });
});
