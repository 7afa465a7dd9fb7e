import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createScrubber } from "../../../src/report/scrub.ts";
import type { Secret } from "../../../src/report/secret-forms.ts";

const secret = (
  value: string,
  label = "secret db:password",
  origin: Secret["origin"] = "manifest",
): Secret => ({ value, label, origin });
/** CPU time of this process: what a busy machine does not stretch. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const PASSWORD = "p4ss/wörd +&=%!";
const PEM = `-----BEGIN PRIVATE KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n".repeat(4)}shortend\n-----END PRIVATE KEY-----\n`;

describe("createScrubber()", () => {
  test("replaces a Secret's value by Tilt's text", () => {
    expect(createScrubber([secret("hunter2")]).text("password is hunter2, ok")).toBe(
      "password is [redacted secret db:password], ok",
    );
  });

  test.each([
    ["plain", PASSWORD],
    ["base64", Buffer.from(PASSWORD).toString("base64")],
    ["base64 without padding", Buffer.from(PASSWORD).toString("base64").replace(/=+$/, "")],
    ["base64url", Buffer.from(PASSWORD).toString("base64url")],
    ["base64 of echo's output", Buffer.from(`${PASSWORD}\n`).toString("base64")],
    ["URL-encoded", encodeURIComponent(PASSWORD)],
    [
      "URL-encoded in lower case",
      encodeURIComponent(PASSWORD).replace(/%../g, (c) => c.toLowerCase()),
    ],
    ["form-encoded", new URLSearchParams({ p: PASSWORD }).toString().slice(2)],
    ["JSON-escaped", JSON.stringify(PASSWORD).slice(1, -1)],
  ])("finds the value %s", (_, shown) => {
    const scrubbed = createScrubber([secret(PASSWORD)]).text(`<${shown}>`);
    expect(scrubbed).toMatch(/^<\[redacted secret db:password\]=*>$/);
  });

  test.each([0, 1, 2, 3])("finds the value inside longer base64, %i bytes in", (offset) => {
    const value = "correct-horse-battery";
    const shown = Buffer.from(`${"u".repeat(offset)}${value}:tail`).toString("base64");
    const scrubbed = createScrubber([secret(value)]).text(shown);
    expect(scrubbed).toContain("[redacted");
    expect(Buffer.from(scrubbed.split("[redacted")[0] ?? "", "base64").toString()).not.toContain(
      "correct",
    );
  });

  test("finds each line of a multi-line value, its JSON and its wrapped base64", () => {
    const scrubber = createScrubber([secret(PEM, "secret tls:key")]);
    for (const line of PEM.trim().split("\n").slice(1, -1))
      expect(scrubber.text(`  ${line}`)).toBe("  [redacted secret tls:key]");
    expect(scrubber.text("-----BEGIN PRIVATE KEY-----")).toBe("-----BEGIN PRIVATE KEY-----");
    expect(scrubber.text(JSON.stringify({ key: PEM }))).toBe('{"key":"[redacted secret tls:key]"}');
    const wrapped =
      Buffer.from(PEM)
        .toString("base64")
        .match(/.{1,76}/g) ?? [];
    for (const line of wrapped)
      expect(scrubber.text(line)).toMatch(/^\[redacted secret tls:key\]=*$/);
  });

  test("takes the longest of values that begin alike", () => {
    const scrubber = createScrubber([
      secret("abcdef", "env A", "explicit"),
      secret("abcdefghij", "env B", "explicit"),
    ]);
    expect(scrubber.text("abcdefghij abcdefg")).toBe("[redacted env B] [redacted env A]g");
  });

  test("leaves short values of manifests, and takes short explicit ones only as whole words", () => {
    const scrubber = createScrubber();
    expect(scrubber.add([secret("root", "secret db:user")])).toEqual(["secret db:user"]);
    expect(scrubber.add([secret("ab", "env X", "explicit")])).toEqual(["env X"]);
    expect(scrubber.add([secret("key", "env K", "explicit")])).toEqual([]);
    expect(scrubber.text("root monkey key keyed (key)")).toBe(
      "root monkey [redacted env K] keyed ([redacted env K])",
    );
  });

  test("scrubs plain data but not what identifies things", () => {
    const scrubber = createScrubber([secret("postgres")]);
    const event = {
      type: "phase-finished",
      resource: "postgres",
      failure: { code: "CrashLoop", message: "user postgres denied", lines: ["postgres"] },
    };
    expect(scrubber.data(event)).toEqual({
      type: "phase-finished",
      resource: "postgres",
      failure: {
        code: "CrashLoop",
        message: "user [redacted secret db:password] denied",
        lines: ["[redacted secret db:password]"],
      },
    });
  });

  test("stream() gives the same as text(), however the text is cut", () => {
    const scrubber = createScrubber([
      secret("hunter2-hunter2"),
      secret("tok", "env T", "explicit"),
      secret("hunter", "env H", "explicit"),
    ]);
    const text = "a hunter2-hunter2 b tok token hunter hunter2-hunter2tok tok";
    const whole = scrubber.text(text);
    expect(whole).not.toContain("hunter");
    let state = 7;
    const random = () => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return state / 0x7fffffff;
    };
    for (let round = 0; round < 500; round++) {
      const stream = scrubber.stream();
      let out = "";
      for (let at = 0; at < text.length; ) {
        const length = 1 + Math.floor(random() * 9);
        out += stream.push(text.slice(at, at + length));
        at += length;
      }
      expect(out + stream.end()).toBe(whole);
    }
  });

  test("is fast with 2,000 secrets, and linear on a line of 10 MB", () => {
    const secrets = Array.from({ length: 2000 }, (_, i) =>
      secret(randomBytes(24).toString("base64"), `secret s:${i}`),
    );
    const scrubber = createScrubber(secrets);
    const line = `2026-01-01 INFO handled request id=12345 path=/api/v1/things/${"x".repeat(40)} in 12ms`;
    const start = cpuMs();
    for (let i = 0; i < 50_000; i++) scrubber.text(line);
    const lines = cpuMs() - start;
    const long = `${randomBytes(5_000_000).toString("hex")}${secrets[3]?.value}`;
    const before = cpuMs();
    expect(scrubber.text(long)).toContain("[redacted secret s:3]");
    // Wide bounds: 0.35 s and 0.15 s on an idle core.
    expect(lines).toBeLessThan(4000);
    expect(cpuMs() - before).toBeLessThan(3000);
  });
});
