import { expect, test } from "vitest";
import { createEventLog } from "../../../src/run/event-log.ts";
import { describeTiltfileError, tellOfResource } from "../../../src/run/tiltfile-failure.ts";
import { TiltfileError } from "../../../src/tiltfile/index.ts";

const at = (line: number) => ({ file: "/app/Tiltfile", line, column: 1 });

test("describeTiltfileError() takes the reason from the last line of a traceback", () => {
  const error = new TiltfileError(
    "Traceback (most recent call last):\n  main\nError: no such file",
    {
      positions: [at(1), at(7)],
    },
  );
  expect(describeTiltfileError(error)).toMatchObject({
    status: "failed",
    failure: { code: "TiltfileError", message: "Error: no such file", position: { line: 7 } },
  });
});

test("describeTiltfileError() takes the whole of a reason of several lines", () => {
  const stack = "Traceback (most recent call last):\n  /app/Tiltfile:1:6: in <toplevel>";
  const said = `Error in local: command "make x" failed.
error: exit status 2
stdout: ""
stderr: 'make: *** No rule to make target "x".  Stop.
'`;
  const error = new TiltfileError(`${stack}\n${said}`, { positions: [at(1)] });
  const { failure } = describeTiltfileError(error);
  expect(failure.message).toBe(
    `Error in local: command "make x" failed. error: exit status 2 stdout: "" stderr: 'make: *** No rule to make target "x".  Stop. '`,
  );
  expect(failure.detail).toBe(`${stack}\n${said}`);
});

test("describeTiltfileError() cuts a reason that quotes much", () => {
  const error = new TiltfileError(
    `Traceback (most recent call last):\n  x\nError: ${"y".repeat(9000)}`,
  );
  const { failure } = describeTiltfileError(error);
  expect(failure.message).toMatch(/^Error: y+…$/);
  expect(failure.message.length).toBeLessThan(500);
  expect(failure.detail).toContain("y".repeat(9000));
});

test("tellOfResource() tells of an error about a resource under its name, code and place", () => {
  const log = createEventLog();
  const error = new TiltfileError("resource api waits on seed, which never starts", {
    positions: [at(3), at(9)],
    resource: "api",
    code: "DependencyNeverStarts",
  });
  tellOfResource({ log, now: () => 5 }, "api", error);
  expect(log.events.map(({ type }) => type)).toEqual(["phase-started", "phase-finished"]);
  expect(log.events[1]).toMatchObject({
    resource: "api",
    phase: "evaluate",
    status: "failed",
    failure: { code: "DependencyNeverStarts", position: { line: 3 } },
  });
});
