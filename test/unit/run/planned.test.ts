import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runProgram } from "../../fake-api-server/whole-run.ts";

describe("a resource that the run does not start", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tci-planned-"));
    mkdirSync(join(directory, "project"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const TILTFILE = [
    "local_resource('manual', 'true', serve_cmd='sleep 1', auto_init=False)",
    "local_resource('a', 'true')",
    "local_resource('off', 'true')",
    "config.set_enabled_resources(['manual', 'a'])",
  ];

  const cases = (xml: string) =>
    [...xml.matchAll(/<testcase [^>]*name="([^"]*)"[^>]*(?:\/>|>\s*<skipped message="([^"]*)")/g)]
      .map(([, name, why]) => (why ? `${name}: ${why}` : name))
      .filter((name) => !name?.startsWith("("));

  test.each([
    [[], ["manual: local: auto_init=False", "manual: serve: auto_init=False", "a: local"]],
    [
      ["--report-deselected"],
      [
        ...["manual: local: auto_init=False", "manual: serve: auto_init=False", "a: local"],
        "off: local: disabled",
      ],
    ],
  ])("is skipped in the reports, with the reason (%o)", async (flags, expected) => {
    writeFileSync(join(directory, "project/Tiltfile"), `${TILTFILE.join("\n")}\n`);
    const stage = { directory, onEvent: () => {} };
    const { code, report } = await runProgram(stage, ["--cluster", "none", ...flags]);
    expect(code).toBe(0);
    const xml = readFileSync(join(directory, "reports/junit.xml"), "utf8");
    expect(cases(xml)).toEqual(expected);
    expect(report.counts).toMatchObject({ passed: 1, skipped: 1, pending: 0 });
    const statusOf = (name: string) => report.resources.find((one) => one.name === name)?.status;
    expect([statusOf("manual"), statusOf("a"), statusOf("off")]).toEqual([
      ...["skipped", "passed", "skipped"],
    ]);
  });
});
