import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Answer, answerOf, type Snippet } from "./answer.ts";

/** A snippet with what Tilt's own loader said of it. */
interface Case extends Snippet {
  readonly answer: Answer;
}

const FIXTURE = new URL("testdata/tilt-answers.json", import.meta.url);
/** Newer answers, where there are any: not part of the repository. */
const SHARED = new URL("../../../shared/tiltfile-cases.json", import.meta.url);

interface SharedCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[] | null;
  readonly tilt: {
    readonly out: string;
    readonly err: string | null;
    readonly manifests: readonly string[];
    readonly enabled: string;
    readonly warn: string | null;
    readonly cfg: string;
  };
}

function readCases(): Case[] {
  const cases = JSON.parse(readFileSync(FIXTURE, "utf8")) as Case[];
  if (!existsSync(SHARED)) return cases;
  const known = new Set(cases.map(({ name, files }) => name + JSON.stringify(files)));
  const shared = JSON.parse(readFileSync(SHARED, "utf8")) as SharedCase[];
  return [
    ...cases,
    ...shared
      .filter(({ name, files }) => !known.has(name + JSON.stringify(files)))
      .map(({ name, files, args, tilt }) => ({
        name,
        files,
        ...(args === null ? {} : { args }),
        answer: {
          log: tilt.out,
          ...(tilt.err === null ? {} : { error: tilt.err }),
          resources: tilt.manifests,
          enabled: tilt.enabled,
          ...(tilt.warn === null ? {} : { warnings: tilt.warn }),
          filesRead: tilt.cfg,
        },
      })),
  ];
}

/** What differs for a reason. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'local("env | grep': "values of TILT_HOST, TILT_PORT and KUBECONFIG are the runner's",
};

const NO_COMPOSE = /Failed to determine Docker Compose version: .*\n.*\n\n/;

describe("evaluate() answers as Tilt does", () => {
  for (const { name, answer, ...snippet } of readCases()) {
    const reason = Object.entries(DIFFERENT).find(([start]) =>
      snippet.files.Tiltfile?.startsWith(start),
    );
    test.skipIf(reason !== undefined)(name, () => {
      const actual = answerOf({ name, ...snippet });
      // Tilt found no Compose where the answers were taken, and says so at debug level.
      const expected = { ...answer, log: answer.log.replace(NO_COMPOSE, "") };
      // After an error of validation Tilt still lists resources; a plan is all or nothing.
      if (expected.error !== undefined) expect(actual).toEqual({ ...expected, resources: [] });
      else expect(actual).toEqual(expected);
    });
  }
});
