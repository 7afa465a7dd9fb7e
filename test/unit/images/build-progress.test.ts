import { describe, expect, test } from "vitest";
import { BuildProgress, type BuildStep } from "../../../src/images/build-progress.ts";

function read(text: string, now: () => number = () => 0) {
  const steps: BuildStep[] = [];
  const progress = new BuildProgress(now, (step) => steps.push(step));
  for (const line of text.split("\n")) progress.add(line);
  return { progress, steps };
}

const BUILD = (
  copy: string,
  run: string,
) => `#0 building with "default" instance using docker driver

#4 [1/3] FROM docker.io/library/python:3-alpine
#4 DONE 0.0s

#5 [internal] load build context
#5 transferring context: 42B done
#5 DONE 0.0s

#7 [2/3] COPY app.py .
#7 ${copy}

#8 [release 3/3] RUN echo hi
#8 ${run}`;

describe("BuildProgress", () => {
  test("cached is true only when every instruction was", () => {
    expect(read(BUILD("CACHED", "CACHED")).progress.cached).toBe(true);
    expect(read(BUILD("CACHED", "DONE 0.2s")).progress.cached).toBe(false);
    expect(read(BUILD("DONE 0.0s", "DONE 0.2s")).progress.cached).toBe(false);
  });

  test("cached knows the classic builder's lines", () => {
    const lines = (second: string) =>
      `Step 1/3 : FROM alpine\n ---> 795e\nStep 2/3 : COPY a /\n ---> Using cache\nStep 3/3 : RUN x\n${second}`;
    expect(read(lines(" ---> Using cache")).progress.cached).toBe(true);
    expect(read(lines(" ---> Running in d7c4")).progress.cached).toBe(false);
  });

  test("tells steps with the time they took", () => {
    let time = 10_000;
    const { steps } = read(BUILD("DONE 2.5s", "ERROR: process failed"), () => {
      time += 10;
      return time;
    });
    const [, , copy, run] = steps;
    expect(steps.map(({ name }) => name)).toEqual([
      "[1/3] FROM docker.io/library/python:3-alpine",
      "[internal] load build context",
      "[2/3] COPY app.py .",
      "[release 3/3] RUN echo hi",
    ]);
    expect(copy!.at - copy!.startedAt).toBe(2500);
    expect(run!.at - run!.startedAt).toBe(10);
  });

  test("error() names the instruction that failed and where it stands", () => {
    const { progress } = read(`#5 [2/2] RUN echo out; exit 3
#5 0.186 out
#5 ERROR: process "/bin/sh -c echo out; exit 3" did not complete successfully: exit code: 3
------
 > [2/2] RUN echo out; exit 3:
0.186 out
------
Dockerfile:2
--------------------
   1 |     FROM python:3-alpine
   2 | >>> RUN echo out; exit 3
   3 |     
--------------------
ERROR: failed to solve: process "/bin/sh -c echo out; exit 3" did not complete successfully: exit code: 3`);
    const error = progress.error();
    expect(error.message).toBe("RUN echo out; exit 3: exit code: 3");
    expect(error.line).toBe(2);
    expect(error.stepFailed).toBe(true);
    expect(error.detail).toMatch(/^------\n > \[2\/2\] RUN.*\n0\.186 out/);
  });

  test.each([
    [
      "a file that is not in the context",
      ` > [2/2] COPY nope /x:\n------\n   1 |     FROM a\n   2 | >>> COPY nope /x\nERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref 6c92::s1io: "/nope": not found`,
      'COPY nope /x: "/nope": not found',
      2,
    ],
    [
      "an instruction that does not exist",
      `#1 DONE 0.0s\nDockerfile:1\n   1 | >>> FRM x\nERROR: failed to solve: dockerfile parse error on line 1: unknown instruction: FRM (did you mean FROM?)`,
      "dockerfile parse error on line 1: unknown instruction: FRM (did you mean FROM?)",
      1,
    ],
    [
      "a base image that does not exist",
      ` > [internal] load metadata for docker.io/library/nope:1:\n   1 | >>> FROM nope:1\nERROR: failed to solve: nope:1: failed to resolve source metadata for docker.io/library/nope:1: pull access denied`,
      "nope:1: failed to resolve source metadata for docker.io/library/nope:1: pull access denied",
      1,
    ],
    [
      "no daemon",
      "ERROR: Cannot connect to the Docker daemon at unix:///nope.sock. Is the docker daemon running?",
      "Cannot connect to the Docker daemon at unix:///nope.sock. Is the docker daemon running?",
      undefined,
    ],
  ])("error() is short for %s", (_, output, message, line) => {
    const error = read(output).progress.error();
    expect(error.message).toBe(message);
    expect(error.line).toBe(line);
    expect(error.stepFailed).toBe(false);
  });

  test("error() knows the classic builder's step", () => {
    const error = read(
      "Step 2/2 : RUN exit 3\n ---> Running in abc\nThe command '/bin/sh -c exit 3' returned a non-zero code: 3",
    ).progress.error();
    expect(error.message).toBe(
      "RUN exit 3: The command '/bin/sh -c exit 3' returned a non-zero code: 3",
    );
    expect(error.stepFailed).toBe(true);
  });

  test("error() of a builder that says nothing says so", () => {
    expect(read("").progress.error().message).toBe("no output");
  });
});
