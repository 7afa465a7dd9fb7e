import { describe, expect, test } from "vitest";
import { findJsonPath, replaceMatch } from "../../../src/manifests/json-path.ts";
import { goAnswers, outcome, sortedJson } from "./go-answers.ts";

describe("findJsonPath()", () => {
  test.each(goAnswers("json-path"))("finds $arg as kubectl does", ({ text, arg, out, error }) => {
    const found = outcome(() =>
      findJsonPath(JSON.parse(text), arg!).map(({ value }) => sortedJson(value)),
    );
    // scripts/go-answers says in which of the two steps it failed.
    const message = error?.replace(/^(?:parse|find): /, "");
    expect(found).toEqual(message === undefined ? { value: out ?? [] } : { error: message });
  });

  test("compares numbers of one kind", () => {
    const root = { list: [{ v: 1 }, { v: 2 }, { v: 3 }] };
    const values = (path: string) => findJsonPath(root, path).map(({ value }) => value);
    expect(values("{.list[?(@.v>1)].v}")).toEqual([2, 3]);
    expect(values("{.list[?(@.v<=2)].v}")).toEqual([1, 2]);
    expect(values("{.list[?(@.v!=2)].v}")).toEqual([1, 3]);
  });
});

describe("replaceMatch()", () => {
  test("writes into the object that holds the match", () => {
    const root = { spec: { images: ["a", "b"], image: "c" } };
    for (const match of findJsonPath(root, "{.spec.images[*]}")) {
      replaceMatch(match, `${match.value}:new`);
    }
    replaceMatch(findJsonPath(root, "{.spec.image}")[0]!, "d");
    expect(root).toEqual({ spec: { images: ["a:new", "b:new"], image: "d" } });
  });
});
