import { expect, test } from "vitest";
import type { ContainerState } from "../../../src/compose/observe.ts";
import { logsSince } from "../../../src/compose/service-watch.ts";

const RUN = Date.parse("2026-01-01T00:00:00Z");
const at = (second: string) => `2026-01-01T00:00:${second}Z`;
const NEVER = "0001-01-01T00:00:00Z";
const state = (Status: string, StartedAt: string, FinishedAt: string) =>
  ({ Id: "a", State: { Status, StartedAt, FinishedAt } }) as ContainerState;

test.each([
  ["a first start", state("running", at("05"), NEVER), undefined, RUN],
  ["a restart", state("running", at("09"), at("08")), undefined, RUN + 8000],
  ["a restart whose end was seen", state("running", at("09"), at("08")), RUN + 7500, RUN + 7500],
  ["one that has ended", state("exited", at("05"), at("06")), undefined, RUN],
  ["one that ended before it started", state("exited", at("05.2"), at("05.1")), undefined, RUN],
  ["one from before the run", state("running", at("09"), "2025-12-31T00:00:00Z"), undefined, RUN],
])("logsSince() leaves nothing out of what %s wrote", (_, container, end, expected) => {
  expect(logsSince(container, end, RUN)).toBe(expected);
});
