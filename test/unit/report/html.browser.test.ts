import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "../../../src/model/run-result.ts";
import { type PageSources, renderHtml } from "../../../src/report/html.ts";
import { reduceResult } from "../../../src/report/reduce.ts";
import { bigPage, redPage } from "./sample-page.ts";
import { failure, greenStory, logsOf, planned, Story } from "./sample-run.ts";

const CHROMIUM = [
  process.env.TILT_CI_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
const title =
  CHROMIUM === undefined
    ? "renderHtml() in a browser (skipped: no Chromium here; Debian: apt-get install chromium)"
    : "renderHtml() in a browser";

describe.skipIf(CHROMIUM === undefined)(title, () => {
  let browser: Browser;
  let page: Page;
  let problems: string[];
  const dir = mkdtempSync(join(tmpdir(), "tilt-ci-html-"));

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: ["--no-sandbox", "--disable-gpu"],
    });
  });
  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(
    { result, sources }: { result: RunResult; sources: PageSources },
    options: { dark?: boolean; width?: number } = {},
  ) {
    const file = join(dir, "report.html");
    writeFileSync(file, renderHtml(result, sources));
    page = await browser.newPage({
      viewport: { width: options.width ?? 1280, height: 900 },
      colorScheme: options.dark ? "dark" : "light",
    });
    problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => problems.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) problems.push(`request of ${request.url()}`);
    });
    page.on("dialog", (dialog) => {
      problems.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector("html[data-ready=true]", { timeout: 20_000 });
    return page;
  }
  const none: PageSources = { log: () => undefined, applied: () => undefined };
  const text = (selector: string) => page.locator(selector).first().textContent();

  test("shows verdict and first cause on top, with its last log lines and what followed", async () => {
    await open(redPage());
    expect(await text(".badge")).toBe("FAILED");
    const cause = await text("#cause");
    for (const part of [
      "db",
      "CrashLoop",
      "Deployment/default/db: exit 1, 4 restarts",
      "FATAL: data directory has wrong ownership",
      "Tiltfile:10:1",
      "api and worker",
      "web",
      "tilt-ci ci --file Tiltfile",
    ])
      expect(cause).toContain(part);
    const box = await page.locator("#cause").boundingBox();
    expect(box?.y).toBeLessThan(300);
  });

  test("shows the last of the culprit's log lines, however long they are", async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `step ${i}: ${"a long line ".repeat(30)}`);
    const story = new Story([planned("a")])
      .failed("a", "ready", 1, 2, failure("CrashLoop", "Deployment/default/a: exit 1"))
      .verdict(3, "failed", 1)
      .finished(4, 1);
    const logs = logsOf([[{ resource: "a", phase: "ready" }, [...lines, "FATAL: no database"]]]);
    await open({ result: reduceResult(story.events, { logs }), sources: none });
    const tail = page.locator("#cause pre.tail");
    const bottom = async (node: typeof tail) => {
      const box = await node.boundingBox();
      return box!.y + box!.height;
    };
    expect(await bottom(tail.locator("code"))).toBeLessThanOrEqual(await bottom(tail));
    expect(await text("#cause dl")).toContain("2.0s into the run (2026-01-01T00:00:02.000Z)");
  });

  test("draws a bar a phase, what waited, the critical path, boot and teardown", async () => {
    await open(redPage());
    expect(await page.locator(".tl-row").count()).toBe(7);
    expect(
      await page.locator(".tl-row").filter({ hasText: "(cluster)" }).locator(".bar").count(),
    ).toBe(3);
    expect(await page.locator(".bar.failed").count()).toBe(3);
    expect(await page.locator(".bar.critical").count()).toBe(6);
    expect(await page.locator(".lines .crit").count()).toBe(5);
    expect(
      await page
        .locator(".tl-row")
        .filter({ hasText: "worker" })
        .locator(".wait")
        .getAttribute("title"),
    ).toContain("worker waited");
    await page.locator(".tl-row").filter({ hasText: "worker" }).hover();
    expect(await page.locator(".lines .dep").count()).toBe(1);
    await page.getByRole("button", { name: "Critical path" }).click();
    expect(await page.locator(".tl-row").count()).toBe(3);
    await page.getByLabel("Zoom").selectOption("4");
    const widths = await page
      .locator(".tl")
      .evaluate((node) => [node.clientWidth, node.parentElement!.clientWidth]);
    expect(widths[0]).toBeGreaterThan(widths[1]! * 3.5);
  });

  test("draws the graph with echoes and blocks", async () => {
    await open(redPage());
    expect(await page.locator(".graph svg a").count()).toBe(5);
    expect(await page.locator(".graph .edge.echo").count()).toBe(2);
    expect(await page.locator(".graph .edge.blocked").count()).toBe(1);
  });

  test("shows a resource's phases, log, events, conditions and YAML", async () => {
    await open(redPage());
    await page.locator(".res > summary").first().click();
    const body = page.locator(".res[open] .body");
    expect(await body.locator("table").first().textContent()).toContain(
      "Look at the container's last output",
    );
    expect(await body.locator("pre.log").textContent()).toContain(
      "00:00:13.250 FATAL: data directory",
    );
    await body.getByRole("tab", { name: "Events (1)" }).click();
    expect(await body.textContent()).toContain("Back-off restarting failed container");
    await body.getByRole("tab", { name: "Conditions" }).click();
    expect(await body.textContent()).toContain("default/db-0");
    await body.getByRole("tab", { name: "Applied YAML" }).click();
    expect(await body.locator("pre.log").textContent()).toContain("kind: StatefulSet");
  });

  test("searches one log and all logs", async () => {
    await open(bigPage());
    await page.locator(".res > summary").first().click();
    await page.getByLabel("Filter log lines").first().fill("request 19");
    expect(await page.locator(".res[open] .bar2 .note").first().textContent()).toBe(
      "11 matching of 200 lines",
    );
    expect(await page.locator(".res[open] mark").first().textContent()).toBe("request 19");
    await page.keyboard.press("Escape");
    await page.keyboard.press("l");
    await page.keyboard.type("request 199");
    await expect.poll(() => text("#logs .note")).toMatch(/^\d+ matching lines$/);
  });

  test("is used by keyboard alone", async () => {
    await open(redPage());
    await page.keyboard.press("/");
    await page.keyboard.type("echo");
    expect(await page.locator(".res:not([hidden])").count()).toBe(2);
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    expect(await page.locator(".res[open] .name").textContent()).toBe("worker");
    // an entry is filled a moment after it opens, sooner than a person presses the next key
    await page.locator(".res[open] .body").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.closest('.res') !== null")).toBe(true);
    await page.evaluate("location.hash = '#r2'");
    await expect.poll(() => page.locator("#r2[open]").count()).toBe(1);
  });

  test.each([false, true])("has readable colours (dark: %s)", async (dark) => {
    await open(redPage(), { dark });
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(
      dark ? "dark" : "light",
    );
    await page.locator(".res > summary").first().click();
    const worst = await page.evaluate(contrastScript);
    expect(worst.ratio, worst.text).toBeGreaterThan(3.9);
    await page.locator("#theme").click();
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe(
      dark ? "light" : "dark",
    );
  });

  test("stays readable and quick with 400 resources, on a narrow screen too", async () => {
    const big = bigPage();
    const start = performance.now();
    await open(big);
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(statSync(join(dir, "report.html")).size).toBeLessThan(12e6);
    expect(await page.locator(".tl-row").count()).toBe(402);
    expect(
      await page.locator(".graph").evaluate((n) => n.querySelectorAll("svg a").length),
    ).toBeLessThan(60);
    expect(await page.locator(".res .name").first().textContent()).toBe("team-7-service-7");
    await page.getByLabel("Filter resources").fill("service-399");
    expect(await page.locator(".res:not([hidden])").count()).toBe(1);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(1280);
    await page.setViewportSize({ width: 480, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(480);
  });

  test.each([420, 1280])("writes the times of its axis apart, %i pixels wide", async (width) => {
    await open(bigPage(), { width });
    const overlaps = await page.locator(".ticks").evaluate((ticks) => {
      const ends = ticks.getBoundingClientRect().right;
      const boxes = [...ticks.children].map((tick) => tick.getBoundingClientRect());
      return boxes.filter((box, i) => box.right > (boxes[i + 1]?.left ?? ends)).length;
    });
    expect(overlaps).toBe(0);
  });

  test("shows a passed run, a cut-off run and an empty one", async () => {
    await open({ result: reduceResult(greenStory().events), sources: none });
    expect(await text("h1")).toBe("SUCCESS. All workloads are healthy.");
    expect(await text("#cause")).toBe("2 resources healthy after 21.0s");
    await page.close();
    await open({ result: reduceResult(greenStory().events.slice(0, 8)), sources: none });
    expect(await text("h1")).toContain("did not come to its end");
    await page.close();
    await open({ result: reduceResult([]), sources: none });
    expect(await text(".badge")).toBe("CANCELLED");
  });

  test("turns nothing that a program or a Tiltfile says into markup", async () => {
    const nasty = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'\`--><!--<script>\u2028javascript:alert(3)`;
    const logs = logsOf([[{ resource: nasty, phase: "ready" }, [nasty]]]);
    const story = new Story([
      planned(nasty, { labels: [nasty], images: [nasty], objects: [nasty] }),
    ])
      .failed(
        nasty,
        "ready",
        1,
        2,
        failure("CrashLoop", nasty, {
          detail: nasty,
          hint: nasty,
          object: nasty,
          position: { file: `/repo/${nasty}`, line: 1, column: 1 },
        }),
      )
      .add({
        type: "cluster-event",
        at: 1,
        resource: nasty,
        object: nasty,
        reason: nasty,
        message: nasty,
        warning: true,
        count: 1,
      })
      .add({ type: "warning", at: 1, message: nasty });
    await open({
      result: reduceResult(story.events, { logs }),
      sources: { log: () => nasty, applied: () => nasty },
    });
    await page.locator(".res > summary").first().click();
    for (const tab of await page.getByRole("tab").all()) await tab.click();
    expect(await page.locator("script").count()).toBe(2);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("a[href^='javascript']").count()).toBe(0);
    expect(await text(".cause .message")).toContain("</script><script>alert(1)</script>");
  });
});

/** The worst contrast of visible text with the colour behind it, by WCAG's formula. */
const contrastScript = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const lum = (c) => { const f = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const behind = (n) => { for (; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255, 255]; };
  let worst = { ratio: 99, text: "" };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const value = walker.currentNode.textContent.trim();
    if (!value || !parent.checkVisibility() || /SCRIPT|STYLE|OPTION/.test(parent.tagName) || parent.closest("svg,noscript,.skip")) continue;
    const a = lum(rgb(getComputedStyle(parent).color)), b = lum(behind(parent));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text: parent.tagName + "." + parent.className + " " + value.slice(0, 40) };
  }
  return worst;
})()` as unknown as () => { ratio: number; text: string };
