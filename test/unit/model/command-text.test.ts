import { expect, test } from "vitest";
import { commandText, commandTitle } from "../../../src/model/command-text.ts";

test.each([
  [["sh", "-c", "make x"], "make x"],
  [["/bin/sh", "-c", "make x"], "make x"],
  [["bash", "-c", "make x"], "bash -c make x"],
  [["make", "x"], "make x"],
])("commandText() of %j is %s", (argv, text) => {
  expect(commandText(argv)).toBe(text);
});

test("commandTitle() is a short command itself", () => {
  expect(commandTitle(["sh", "-c", "\n  make x\n"])).toBe("make x");
});

test("commandTitle() is the first telling line of a script, and the beginning of a long line", () => {
  const script = "#!/bin/sh\n\nset -e\n  make a\nmake b\n";
  expect(commandTitle(["sh", "-c", script])).toBe("make a …");
  expect(commandTitle(["sh", "-c", "set -x"])).toBe("set -x");
  const long = commandTitle(["sh", "-c", `pytest ${"tests/unit ".repeat(50)}`]);
  expect(long).toMatch(/^pytest tests\/unit .* …$/);
  expect(long.length).toBeLessThanOrEqual(102);
  expect(commandTitle(["sh", "-c", `${"x".repeat(99)}😀 tail`])).toBe(`${"x".repeat(99)} …`);
});
