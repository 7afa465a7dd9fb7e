import { describe, expect, test } from "vitest";
import { openStage } from "../fake-api-server/whole-run.ts";

/** Its minute of retries is longer than all else here. */
const FULL = process.env.TILT_CI_TEST_FULL === "1";

/** The whole program on a fake API server, where its patience has to run out first: all at once, since they wait. */
describe.concurrent("a run whose API server does not come back", () => {
  test("ends with exit 3 when it goes away for good, and says since when", async () => {
    await using stage = await openStage({ readyAfterMs: 60_000 });
    stage.onEvent = (event) => {
      if (event.type === "observed" && stage.server.watchCount > 0) void stage.server.down();
    };
    const { code, report, output } = await stage.run();
    expect({ code, verdict: report.verdict }).toEqual({ code: 3, verdict: "error" });
    expect(output).toMatch(/API server http:\S+ stopped answering since \d\d:\d\d:\d\d UTC/);
  });

  test.runIf(FULL)("ends with exit 3 when it refuses for good", async () => {
    await using stage = await openStage();
    stage.server.refuse = ({ method }) =>
      method === "PATCH"
        ? { code: 500, reason: "InternalError", message: "Internal error occurred: it is broken" }
        : undefined;
    const { code, report, output } = await stage.run();
    expect({ code, verdict: report.verdict }).toEqual({ code: 3, verdict: "error" });
    expect(output).toContain("it is broken");
  });

  test("ends with exit 3 when its name cannot be resolved", async () => {
    await using stage = await openStage({ address: "http://no-such-host.invalid:6443" });
    const { code, report, output } = await stage.run();
    expect({ code, verdict: report.verdict }).toEqual({ code: 3, verdict: "error" });
    expect(output).toMatch(/no-such-host\.invalid.*(ENOTFOUND|EAI_AGAIN)/);
  });

  test("ends with exit 3 when nobody listens", async () => {
    await using stage = await openStage({ address: "http://127.0.0.1:9" });
    const { code, output } = await stage.run();
    expect(code).toBe(3);
    expect(output).toContain("ECONNREFUSED");
  });

  test("passes when watches are half open: they bring nothing, and do not end", async () => {
    await using stage = await openStage({ readyAfterMs: 1_000 });
    let abandoned = false;
    stage.onEvent = (event) => {
      if (abandoned || event.type !== "phase-finished" || event.phase !== "deploy") return;
      abandoned = true;
      setTimeout(() => stage.server.abandonWatches(), 300);
    };
    const { code, report, durationMs } = await stage.run();
    expect({ code, verdict: report.verdict }).toEqual({ code: 0, verdict: "passed" });
    // The bound of docs/limits.md: a watch that is dead without a sign is opened again after 35 s.
    expect(durationMs).toBeLessThan(50_000);
  });
});
