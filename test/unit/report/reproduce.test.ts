import { describe, expect, test } from "vitest";
import { ciCommand } from "../../../src/cli/ci.ts";
import { IMMATERIAL_FLAGS } from "../../../src/report/reproduce.ts";

const { options } = ciCommand(() => async () => {});
const find = (flag: string) => options.find(({ short, long }) => short === flag || long === flag);

describe("flags that a reproduce command leaves out", () => {
  test.each(IMMATERIAL_FLAGS.withValue)("%s is a flag of ci with a value", (flag) => {
    expect(find(flag)?.required).toBe(true);
  });

  test.each(IMMATERIAL_FLAGS.alone)("%s is a switch of ci", (flag) => {
    expect(find(flag)).toMatchObject({ required: false, optional: false });
  });
});
