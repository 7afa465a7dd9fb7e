import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { REASON_CODES } from "../../../src/model/reason.ts";
import { PHASES } from "../../../src/model/result.ts";

const failures = readFileSync("docs/failures.md", "utf8");
const reports = readFileSync("docs/reports.md", "utf8");

describe("docs/failures.md", () => {
  test.each(REASON_CODES)(
    "has a section that says what %s means, how it was recognised, what to try",
    (code) => {
      const section = failures.split(/^## /m).find((part) => part.startsWith(`${code}\n`));
      expect(section).toBeDefined();
      for (const part of ["**Means:**", "**Recognised by:**", "**Try:**"])
        expect(section).toContain(part);
      expect(failures).toMatch(
        new RegExp(`^\\| \\[${code}\\]\\(#${code.toLowerCase()}\\) +\\|`, "m"),
      );
    },
  );

  test("has no section for a code that does not exist", () => {
    const sections = [...failures.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual([...REASON_CODES]);
  });
});

describe("docs/reports.md", () => {
  test("names every phase and has no dead links", () => {
    for (const phase of PHASES) expect(reports).toContain(`\`${phase}\``);
    const anchors = new Set(
      [...reports.matchAll(/^##+ (.+)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      ),
    );
    for (const [, target] of reports.matchAll(/\]\(#([\w-]+)\)/g))
      expect(anchors).toContain(target);
  });

  test("shows JSON that is JSON", () => {
    const example = /```json\n([\s\S]*?)```/.exec(reports)?.[1] ?? "";
    expect(JSON.parse(example)).toMatchObject({ schemaVersion: "1.0", verdict: "failed" });
  });
});
