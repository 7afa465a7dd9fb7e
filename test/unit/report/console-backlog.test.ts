import { expect, test } from "vitest";
import { Backlog } from "../../../src/report/console-backlog.ts";

/** Takes all that waits, giving each block back at once. */
function drain(backlog: Backlog): string {
  let text = "";
  for (let block = backlog.take(); block !== undefined; block = backlog.take()) {
    text += Buffer.from(block).toString("utf8");
    backlog.giveBack(block);
  }
  return text;
}

test("Backlog keeps text whole and in order, whatever its length, and again after it was empty", () => {
  const backlog = new Backlog(10 ** 7);
  const texts = ["", "é\n", "😀".repeat(30_000), "x".repeat(200_000), "end\n"];
  const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ünï\n`);
  for (let round = 0; round < 3; round++) {
    for (const text of [...texts, ...lines]) backlog.add(text);
    expect(backlog.isEmpty).toBe(false);
    expect(drain(backlog) === [...texts, ...lines].join("")).toBe(true);
    expect(backlog.isEmpty).toBe(true);
  }
});

test("Backlog has room up to its limit, and again when something was taken", () => {
  const backlog = new Backlog(1000);
  backlog.add("x".repeat(990));
  expect([backlog.hasRoomFor("y".repeat(10)), backlog.hasRoomFor("y".repeat(11))]).toEqual([
    true,
    false,
  ]);
  backlog.take();
  expect(backlog.hasRoomFor("y".repeat(1000))).toBe(true);
});

test("Backlog uses a block again once it was given back, not before", () => {
  const backlog = new Backlog(10 ** 6);
  backlog.add("first");
  const first = backlog.take()!;
  backlog.add("second");
  const second = backlog.take()!;
  expect(second.buffer).not.toBe(first.buffer);
  backlog.giveBack(first);
  backlog.add("third");
  expect(backlog.take()!.buffer).toBe(first.buffer);
  expect(Buffer.from(second).toString()).toBe("second");
});
