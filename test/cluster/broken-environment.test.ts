import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { breakEnvironment } from "../chaos/broken-environment.ts";
import { clusterAvailable } from "../rig/env.ts";
import { SHARED } from "./tilt-ci.ts";

/* The cheap ones on the shared cluster; test/full/broken-environment.test.ts breaks clusters of its own. */

describe.skipIf(!clusterAvailable())("a run whose environment breaks", () => {
  test("passes when its registry is away during a push, and calls the push flaky", async () => {
    const { code, output, report, leftovers } = await breakEnvironment({
      at: "phase-started:push",
      args: SHARED,
      megabytes: 20,
      readySecs: 0,
      async act({ docker, registry }) {
        await docker("kill", registry);
        await delay(1500);
        await docker("start", registry);
      },
    });
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(leftovers).toEqual([]);
    const flaky = report?.resources.flatMap(({ phases }) => phases).filter((phase) => phase.flaky);
    expect(flaky?.map(({ name }) => name)).toEqual(["push"]);
  });

  test("passes when the engine is away during a build", async () => {
    const { code, output, leftovers } = await breakEnvironment({
      at: "reached:api",
      args: SHARED,
      buildSecs: 7,
      readySecs: 0,
      async act({ engine }) {
        await delay(1000);
        await engine.cut();
        await delay(1000);
        await engine.restore();
      },
    });
    expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
    expect(leftovers).toEqual([]);
  });

  test("ends with exit 3 when the engine is gone during a build", async () => {
    const { code, report, down, leftovers } = await breakEnvironment({
      at: "reached:api",
      args: SHARED,
      buildSecs: 7,
      async act({ engine }) {
        await delay(1000);
        await engine.cut();
      },
    });
    expect({ code, verdict: report?.verdict }).toEqual({ code: 3, verdict: "error" });
    expect(report?.message).toMatch(/Docker daemon|docker\.sock|container engine/);
    expect(down ?? 0).toBe(0);
    expect(leftovers).toEqual([]);
  });
});
