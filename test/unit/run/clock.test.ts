import { afterEach, describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/model/event.ts";
import { ALLOWED, openStage, type Stage } from "../../fake-api-server/whole-run.ts";

const HOUR_MS = 3_600_000;
const RealDate = Date;

/** From now on the clock of this machine, and with it that of a cluster on it, is off by so much. */
function setClock(offMs: number): void {
  globalThis.Date = class extends RealDate {
    constructor(value: string | number | Date = RealDate.now() + offMs) {
      super(value);
    }
    static override now() {
      return RealDate.now() + offMs;
    }
  } as DateConstructor;
}

/** Sets the clock when the first object is there, and again when it is watched. */
function jumpTwice(stage: Stage, offMs: number): void {
  const jumps: ((event: RunEvent) => boolean)[] = [
    (event) => event.type === "phase-finished" && event.phase === "deploy",
    (event) => event.type === "observed",
  ];
  let off = 0;
  stage.onEvent = (event) => {
    if (!jumps[0]?.(event)) return;
    jumps.shift();
    off += offMs;
    setClock(off);
  };
}

/** The whole program while somebody sets the clock: what it decides depends on time that passes alone. */
describe("run() on a machine whose clock is set in mid-run", () => {
  afterEach(() => {
    globalThis.Date = RealDate;
  });

  test.each([-HOUR_MS, HOUR_MS])("passes when it jumps by %d ms", async (offMs) => {
    await using stage = await openStage({ readyAfterMs: 800 });
    jumpTwice(stage, offMs);
    const { code, report, durationMs } = await stage.run([
      "--timeout",
      "60s",
      "--stable-for",
      "1s",
    ]);
    expect({ code, verdict: report.verdict }).toEqual({ code: 0, verdict: "passed" });
    expect(durationMs).toBeLessThan(30_000);
    // what is reported is what has passed, not what the clock said
    expect(report.durationMs).toBeLessThan(30_000);
    for (const { durationMs: took } of report.resources) {
      expect(took).toBeGreaterThanOrEqual(0);
      expect(took).toBeLessThan(30_000);
    }
  });

  test.each([-HOUR_MS, HOUR_MS])(
    "fails after its time, no sooner and no later, when it jumps by %d ms",
    async (offMs) => {
      await using stage = await openStage();
      stage.server.stayUnready.add("web");
      jumpTwice(stage, offMs);
      const { code, report, durationMs } = await stage.run(["--timeout", "3s"]);
      expect({ code, verdict: report.verdict }).toEqual({ code: 1, verdict: "failed" });
      expect(report.firstCause).toMatchObject([{ resource: "web" }]);
      expect(durationMs).toBeGreaterThan(2_900);
      expect(durationMs).toBeLessThan(15_000);
    },
  );

  test.each([-HOUR_MS, HOUR_MS])(
    "keeps to the time of a command when it jumps by %d ms",
    async (offMs) => {
      await using stage = await openStage({
        workloads: [],
        tiltfile: `${ALLOWED}local_resource('first', 'true')
local_resource('slow', 'sleep 20', resource_deps=['first'])
ci_settings(timeout='2s')
`,
      });
      stage.onEvent = (event) => {
        if (event.type === "phase-finished" && event.resource === "first") setClock(offMs);
      };
      const { code, durationMs } = await stage.run();
      expect(code).toBe(1);
      expect(durationMs).toBeLessThan(10_000);
    },
  );
});
