import { describe, expect, test } from "vitest";
import { proxyFor } from "../../../src/host/proxy.ts";

const P = "http://proxy.example:3128";

describe("proxyFor()", () => {
  test.each([
    ["https by its own variable", "https://get.helm.sh/x", { HTTPS_PROXY: P }, P],
    ["http by its own variable", "http://get.helm.sh/x", { HTTP_PROXY: P }, P],
    ["https not by that of http", "https://get.helm.sh/x", { HTTP_PROXY: P }, undefined],
    ["all_proxy for what has none", "https://get.helm.sh/x", { ALL_PROXY: P }, P],
    [
      "small letters first",
      "https://a.example/",
      { https_proxy: P, HTTPS_PROXY: "http://other" },
      P,
    ],
    ["an empty variable as none", "https://a.example/", { https_proxy: "" }, undefined],
    ["a proxy without a scheme", "https://a.example/", { HTTPS_PROXY: "proxy.example:3128" }, P],
    ["no proxy for loopback", "http://127.0.0.1:80/", { HTTP_PROXY: P }, undefined],
    ["no proxy for loopback by IPv6", "http://[::1]:80/", { HTTP_PROXY: P }, undefined],
  ])("takes %s", (_what, url, env, expected) => {
    expect(proxyFor(url, env as Record<string, string>)).toBe(expected);
  });

  test.each([
    ["a.example", "https://a.example/", undefined],
    ["a.example", "https://b.a.example/", undefined],
    ["a.example", "https://ba.example/", P],
    [".a.example", "https://b.a.example/", undefined],
    ["*.a.example", "https://b.a.example/", undefined],
    ["*", "https://b.example/", undefined],
    ["x, A.EXAMPLE", "https://a.example/", undefined],
    ["a.example:444", "https://a.example/", P],
    ["a.example:443", "https://a.example/", undefined],
    ["", "https://a.example/", P],
  ])("with no_proxy=%j asks for %s through %s", (no_proxy, url, expected) => {
    expect(proxyFor(url, { https_proxy: P, no_proxy })).toBe(expected);
  });
});
