import { describe, expect, test } from "vitest";
import { createPullQueue } from "../../../src/cluster/pull-queue.ts";

/** Pulls that begin when asked and end when told, in the order in which they began. */
function controlledPulls() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const pull = (ref: string) =>
    new Promise<void>((resolve, reject) => {
      begun.push(ref);
      ends.set(ref, { resolve, reject });
    });
  return { begun, ends, queue: createPullQueue(pull) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("createPullQueue()", () => {
  test("begins pulls that share no layer at once", async () => {
    const { begun, queue } = controlledPulls();
    void queue({ ref: "a", layers: ["1"] });
    void queue({ ref: "b", layers: ["2"] });
    void queue({ ref: "c" });
    void queue({ ref: "d" });
    await turn();
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("begins a pull that shares layers with others when all of those have ended", async () => {
    const { begun, ends, queue } = controlledPulls();
    void queue({ ref: "base", layers: ["1"] });
    void queue({ ref: "other", layers: ["2"] });
    const both = queue({ ref: "both", layers: ["1", "2", "3"] });
    void queue({ ref: "top", layers: ["3"] });
    await turn();
    expect(begun).toEqual(["base", "other"]);
    ends.get("base")!.resolve();
    await turn();
    expect(begun).toEqual(["base", "other"]);
    ends.get("other")!.resolve();
    await turn();
    expect(begun).toEqual(["base", "other", "both"]);
    ends.get("both")!.resolve();
    await both;
    await turn();
    expect(begun).toEqual(["base", "other", "both", "top"]);
  });

  test("goes on with the next one after a failure, which only its caller hears of", async () => {
    const { begun, ends, queue } = controlledPulls();
    const first = queue({ ref: "first", layers: ["1"] });
    const second = queue({ ref: "second", layers: ["1"] });
    await turn();
    ends.get("first")!.reject(new Error("no such image"));
    await expect(first).rejects.toThrow("no such image");
    await turn();
    expect(begun).toEqual(["first", "second"]);
    ends.get("second")!.resolve();
    await expect(second).resolves.toBeUndefined();
  });

  test("does not begin a pull that was cancelled while it waited", async () => {
    const { begun, ends, queue } = controlledPulls();
    const controller = new AbortController();
    void queue({ ref: "first", layers: ["1"] });
    const second = queue({ ref: "second", layers: ["1"] }, controller.signal);
    controller.abort();
    await turn();
    ends.get("first")!.resolve();
    await expect(second).rejects.toThrow();
    expect(begun).toEqual(["first"]);
  });
});
