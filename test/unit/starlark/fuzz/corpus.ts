import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ParseError,
  parseFile,
  ResolveError,
  referencedGlobals,
} from "../../../../src/starlark/index.ts";
import { UNIVERSE } from "../../../../src/starlark/universe/universe.ts";

/* Real programs to mutate: the tests of the language, and the Tiltfiles of the tests of the API. */

/** The names that a program expects of its host. A broken program has none. */
function expectedNames(source: string): string[] {
  try {
    const names = referencedGlobals(parseFile("corpus.star", source));
    return [...names].filter((name) => !UNIVERSE.has(name));
  } catch (error) {
    if (error instanceof ParseError || error instanceof ResolveError) return [];
    throw error;
  }
}

/** A program that can run by itself: what its host would give is a function that prints its arguments. */
function standAlone(source: string): string {
  const stubs = expectedNames(source).map(
    (name) => `def ${name}(*args, **kwargs): print("${name}", args, kwargs)`,
  );
  return `${stubs.join("\n")}\n${source}`;
}

function tiltfiles(file: string): string[] {
  const cases = JSON.parse(readFileSync(file, "utf8")) as { files: Record<string, string> }[];
  return cases.flatMap(({ files }) => (files.Tiltfile === undefined ? [] : [files.Tiltfile]));
}

/** Reads the corpus from the project in a folder. */
export function readCorpus(project: string): string[] {
  const language = join(project, "test/unit/starlark/testdata");
  const chunks = readdirSync(language)
    .filter((file) => file.endsWith(".star"))
    .sort()
    .flatMap((file) => readFileSync(join(language, file), "utf8").split("\n---\n"));
  const tilt = tiltfiles(join(project, "test/tiltfile/testdata/tilt-answers.json"));
  // starlark-go hands %F to Go's formatter, which knows none and writes "%F"; the specification has it
  return [...chunks, ...tilt].map((source) => standAlone(source.replaceAll("%F", "%f")));
}
