import { describe, expect, test } from "vitest";
import { parseStringPromise } from "xml2js";
import { annotationsOf, workflowCommand } from "../../../src/report/annotations.ts";
import {
  escapeHtml,
  escapeMarkdown,
  markdownBlock,
  markdownCode,
  scriptJson,
} from "../../../src/report/escape.ts";
import { finalMessage } from "../../../src/report/final-message.ts";
import { renderJunit } from "../../../src/report/junit.ts";
import { plainLine, plainText, shorten, terminalText } from "../../../src/report/plain-text.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { renderSummary } from "../../../src/report/summary.ts";
import { failure, logsOf, planned, Story } from "./sample-run.ts";

/** Deterministic (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PIECES = [
  "<",
  ">",
  "&",
  '"',
  "'",
  "`",
  "```",
  "````",
  "]]>",
  "<!--",
  "-->",
  "</script>",
  "<script>",
  "<![CDATA[",
  "::",
  "::error::x",
  "##[error]x",
  "::set-output name=a::b",
  "::stop-commands::t",
  "%",
  "%0A",
  "%25",
  "\n",
  "\r",
  "\r\n",
  "\t",
  "\0",
  "\x1b[31m",
  "\x1b]0;t\x07",
  "\x9b2J",
  "\x1b",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\ufffe",
  "\ud800",
  "\udc00",
  "😀",
  "|",
  "\\",
  "[a](http://x)",
  "![i](x)",
  "*b*",
  "_u_",
  "#",
  "# h",
  "- l",
  "1. n",
  "@user",
  "http://x.y",
  "www.x.y",
  "{{x}}",
  "${x}",
  "$x$",
  "~~~",
  "<a href=javascript:alert(1)>",
  "end\n```\n## forged",
  "a",
  "word",
  " ",
  ":",
  ",",
  ";",
  "\ue000[2J",
];
function nasty(random: () => number): string {
  const length = 1 + Math.floor(random() * 8);
  return Array.from({ length }, () =>
    random() < 0.15
      ? String.fromCharCode(Math.floor(random() * 65536))
      : PIECES[Math.floor(random() * PIECES.length)],
  ).join("");
}
const ROUNDS = 3000;
function each(check: (text: string) => void): void {
  const random = randomOf(42);
  for (let round = 0; round < ROUNDS; round++) {
    const text = nasty(random);
    try {
      check(text);
    } catch (error) {
      throw new Error(`for ${JSON.stringify(text)}: ${(error as Error).message}`);
    }
  }
}

describe("escaping holds for any text", () => {
  test("plainText() and plainLine()", () => {
    each((text) => {
      expect(plainText(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]/);
      expect(plainText(text)).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
      expect(plainLine(text)).not.toMatch(/[\n\r\t\u2028\u2029]/);
      expect(plainText(plainText(text))).toBe(plainText(text));
    });
  });

  test("terminalText() lets colours through and nothing else", () => {
    each((text) => {
      expect(terminalText(text, true).replace(/\x1b\[[\d;:]*m/g, "")).not.toMatch(
        /[\x00-\x08\x0b-\x1f\x7f-\x9f]/,
      );
      expect(terminalText(text, false)).not.toContain("\x1b");
    });
    expect(terminalText("\x1b[1;31mred\x1b[0m\x1b[2K\ue000[2J", true)).toBe(
      "\x1b[1;31mred\x1b[0m\ue000[2J",
    );
  });

  test("escapeHtml()", () => {
    each((text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']/);
      expect(escapeHtml(text)).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#39;)/);
    });
  });

  test("scriptJson() is JSON without a way out of the element", () => {
    each((text) => {
      expect(scriptJson({ text })).not.toMatch(/[<\u2028\u2029]/);
      expect(JSON.parse(scriptJson({ text }))).toEqual({ text });
    });
  });

  test("escapeMarkdown() gives one line without markup, links, mentions or HTML", () => {
    each((text) => {
      const escaped = escapeMarkdown(text);
      expect(escaped).not.toMatch(/[\n\r<>@]/);
      expect(escaped).not.toMatch(/:\/\//);
      expect(escaped.replace(/\\./gs, "")).not.toMatch(/[`*_[\]|~$]/);
      expect(escaped).not.toMatch(/^([-=+] |\d+[.)] |# )/);
    });
  });

  test("markdownBlock() and markdownCode() cannot be closed from inside", () => {
    each((text) => {
      const [fence, ...rest] = markdownBlock(text).split("\n");
      const ticks = /^`+/.exec(fence ?? "")?.[0] ?? "";
      expect(rest.at(-1)).toBe(ticks);
      for (const line of rest.slice(0, -1)) expect(line.includes(ticks)).toBe(false);
      const code = markdownCode(text);
      if (code === "") return;
      const run = /^`+/.exec(code)?.[0].length ?? 0;
      expect(
        code
          .slice(run, -run)
          .split(/[^`]+/)
          .every((inner) => inner.length !== run),
      ).toBe(true);
      expect(code).not.toContain("\n");
    });
  });

  test("workflowCommand() is one line and one command", () => {
    each((text) => {
      const command = workflowCommand({
        level: "error",
        title: text,
        message: text,
        file: text,
        line: 1,
      });
      expect(command).not.toMatch(/[\r\n]/);
      expect(command.startsWith("::error file=")).toBe(true);
      const head = command.slice(2, command.indexOf("::", 2));
      expect(head.split(",").map((p) => p.split("=")[0])).toEqual(["error file", "line", "title"]);
    });
  });

  test("shorten() never splits a character", () => {
    each((text) => {
      const cut = shorten(text, 3);
      expect(cut.length).toBeLessThanOrEqual(3);
    });
    expect(shorten("ab😀cd", 4)).toBe("ab…");
  });

  test("whole reports stay well-formed", async () => {
    const random = randomOf(7);
    for (let round = 0; round < 60; round++) {
      const [name, image, message, detail, log] = [
        nasty(random),
        nasty(random),
        nasty(random),
        nasty(random),
        nasty(random),
      ] as [string, string, string, string, string];
      const logs = logsOf([[{ resource: name, phase: "ready" }, log.split("\n")]]);
      const story = new Story([planned(name, { images: [image], labels: [message] })])
        .failed(
          name,
          "ready",
          1,
          2,
          failure("CrashLoop", message, { detail, object: name, hint: log }),
        )
        .verdict(3, "failed", 1, message)
        .finished(4, 1);
      const result = reduceResult(story.events, { logs });
      await expect(parseStringPromise(renderJunit(result))).resolves.toBeDefined();
      const summary = renderSummary(result);
      const outside = summary.split("\n").filter(insideFence());
      expect(
        outside
          .filter((line) => line.startsWith("#"))
          .every((line) =>
            /^#{2,4} ([✅❌💥🛑]|First cause: |Reproduce$|Resources$|Timeline$|Phases$)/u.test(
              line,
            ),
          ),
      ).toBe(true);
      const text = outside.join("\n").replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
      expect(text).not.toMatch(/<\/?[a-z!]/i);
      for (const annotation of annotationsOf(result))
        expect(workflowCommand(annotation)).not.toMatch(/[\r\n]/);
      for (const line of finalMessage(result).split("\n"))
        expect(line).toMatch(
          /^$|^\s*(Error|Resource|Cause|why|at|try|last log lines|failed|never|and|Also|Report|Reproduce|│)/,
        );
      expect(finalMessage(result)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f]/);
    }
  });
});

/** Keeps lines outside fenced blocks, by CommonMark's rule for closing a fence. */
function insideFence(): (line: string) => boolean {
  let fence = "";
  return (line) => {
    const ticks = /^`{3,}/.exec(line)?.[0] ?? "";
    if (fence === "" && ticks !== "") {
      fence = ticks;
      return false;
    }
    if (fence !== "" && ticks.length >= fence.length && line.trim() === ticks) {
      fence = "";
      return false;
    }
    return fence === "";
  };
}
