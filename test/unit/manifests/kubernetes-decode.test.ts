import { describe, expect, test } from "vitest";
import { decodeManifest } from "../../../src/manifests/kubernetes-decode.ts";
import { formatManifests } from "../../../src/manifests/kubernetes-serialize.ts";
import type { GoType } from "../../../src/manifests/kubernetes-types.ts";
import { typeOfKind } from "../../../src/manifests/kubernetes-types.ts";
import { parseManifests } from "../../../src/manifests/manifests.ts";
import { canonicalQuantity } from "../../../src/manifests/quantity.ts";
import { parseYamlStream } from "../../../src/manifests/yaml.ts";
import { goAnswers, outcome, sortedJson } from "./go-answers.ts";

/** The parts of a value that Tilt leaves out: statuses, and times that are not set. */
function withoutStatus(value: unknown, type: GoType): unknown {
  if (value === null || typeof value !== "object") return value;
  if (type.kind === "pointer") return withoutStatus(value, type.element);
  if (Array.isArray(value)) {
    return type.kind === "slice" ? value.map((item) => withoutStatus(item, type.element)) : value;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      const field = type.kind === "struct" ? type.fields.get(key) : undefined;
      const member = field?.type ?? (type.kind === "map" ? type.element : undefined);
      if (member === undefined) return [[key, item]];
      if (member.kind === "struct" && member.isStatus) return [];
      if (member.kind === "time" && item === null && field?.omitEmpty) return [];
      return [[key, withoutStatus(item, member)]];
    }),
  );
}

describe("decodeManifest() and formatManifests()", () => {
  test.each(goAnswers("kubernetes"))("take $text as client-go does", ({ text, out, error }) => {
    const object = JSON.parse(text);
    const name = typeof object.metadata?.name === "string" ? object.metadata.name : "";
    const decoded = outcome(() => decodeManifest(object));
    if (error !== undefined) {
      return expect(decoded).toEqual({
        error: `decoding ${object.kind} ${JSON.stringify(name)}: ${error}`,
      });
    }
    const type = typeOfKind(object.apiVersion, object.kind)!;
    const [theirs] = parseYamlStream(out![0]!, { file: "go" });
    const written = formatManifests("value" in decoded ? decoded.value : []);
    const [ours] = parseYamlStream(written, { file: "ours" });
    return expect(sortedJson(ours!.value)).toBe(sortedJson(withoutStatus(theirs!.value, type)));
  });
});

describe("decodeManifest()", () => {
  const META_TYPE =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  test.each([
    ['{"a":"b"}', `Object 'Kind' is missing in '{"a":"b"}'`],
    [
      '{"z":1,"kind":"Pod","a":"<"}',
      `decoding Pod "": Object 'apiVersion' is missing in '{"a":"\\u003c","kind":"Pod","z":1}'`,
    ],
    [
      '"hello"',
      `couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type ${META_TYPE}`,
    ],
    [
      "[1]",
      `couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${META_TYPE}`,
    ],
    [
      '{"apiVersion":1,"kind":"Pod","metadata":{"name":"p"}}',
      `decoding Pod "p": couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .apiVersion of type string`,
    ],
    [
      '{"apiVersion":"v1","kind":true}',
      "couldn't get version/kind; json parse error: json: cannot unmarshal bool into Go struct field .kind of type string",
    ],
    ['{"apiVersion":"a/b/c","kind":"Pod"}', "unexpected GroupVersion string: a/b/c"],
    [
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":true}}',
      'decoding ConfigMap "": json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string',
    ],
    [
      '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":"!"}}',
      'decoding Secret "s": illegal base64 data at input byte 0',
    ],
    [
      '{"apiVersion":"v1","kind":"List","items":5}',
      'decoding List "": json: cannot unmarshal number into Go struct field List.items of type []runtime.RawExtension',
    ],
  ])("refuses %s in Tilt's words", (text, error) => {
    expect(outcome(() => decodeManifest(JSON.parse(text)))).toEqual({ error });
  });

  test("takes custom resources as they are", () => {
    const object = { apiVersion: "x.io/v1", kind: "Foo", metadata: { name: true }, spec: [1] };
    expect(decodeManifest(object)).toEqual([object]);
  });

  test("gives objects without metadata an empty one", () => {
    expect(decodeManifest({ apiVersion: "x.io/v1", kind: "Foo" })[0]!.metadata).toEqual({});
  });

  test("takes Lists apart, also those in Lists, and nothing from empty ones", () => {
    const item = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
    const list = (...items: unknown[]) => ({ apiVersion: "v1", kind: "List", items });
    const names = decodeManifest(list(item("a"), list(item("b")), null) as never).map(
      ({ metadata }) => metadata.name,
    );
    expect(names).toEqual(["a", "b"]);
    expect(decodeManifest({ apiVersion: "v1", kind: "List" })).toEqual([]);
  });
});

describe("parseManifests()", () => {
  test("gives objects with the line of their document", () => {
    const text = "# first\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\n";
    expect(
      parseManifests(text, { file: "f" }).map(({ object, line }) => [object.kind, line]),
    ).toEqual([
      ["ConfigMap", 1],
      ["Secret", 5],
    ]);
  });
});

describe("canonicalQuantity()", () => {
  test.each([
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0.5", "500m"],
    ["100M", "100M"],
    ["1e3", "1e3"],
    ["12345678", "12345678"],
    ["1500Ki", "1500Ki"],
    ["0.0000000001", "1n"],
    ["-1500m", "-1500m"],
    ["0", "0"],
    ["0Ki", "0"],
    ["0.5Ki", "512"],
  ])("writes %s as %s", (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });
});
