import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import type { Check } from "../../../src/doctor/check.ts";
import { formatChecks } from "../../../src/doctor/index.ts";
import { checkMachine, checkRegistries } from "../../../src/doctor/machine.ts";
import { checkTools } from "../../../src/doctor/tools.ts";
import { fakeHost, on } from "../../fake-host.ts";

const versions = [
  on(/^docker version/, { stdout: "28.1.0\n" }),
  on(/^docker buildx/, { stdout: "github.com/docker/buildx v0.30.1 abcdef\n" }),
  on(/^kind/, { stdout: "kind v0.33.0 go1.26 linux/amd64\n" }),
  on(/^kubectl/, { stdout: '{"clientVersion":{"gitVersion":"v1.36.4"}}' }),
  on(/^helm/, { stdout: "v3.22.0+gabcdef\n" }),
  on(/^kustomize/, { stdout: "v5.8.1\n" }),
  on(/^docker compose/, { stdout: "2.40.0\n" }),
  on(/^git/, { stdout: "git version 2.39.5\n" }),
];
const named = (checks: readonly Check[], name: string) => checks.find((one) => one.name === name);

describe("checkTools()", () => {
  test("tells the version of everything that is there", async () => {
    const checks = await checkTools(fakeHost(versions));
    expect(checks.map(({ name, status, version }) => `${name} ${status} ${version}`)).toEqual([
      "docker ok 28.1.0",
      "buildx ok 0.30.1",
      "kind ok 0.33.0",
      "kubectl ok 1.36.4",
      "helm ok 3.22.0",
      "kustomize ok 5.8.1",
      "docker compose ok 2.40.0",
      "git ok 2.39.5",
    ]);
  });

  test.each([
    ["is not installed", { notFound: true }, "missing", /not installed; needed for clusters/],
    [
      "is too old",
      { stdout: "kind v0.20.0" },
      "missing",
      /version 0\.20\.0 is older than 0\.27\.0/,
    ],
    ["fails", { exitCode: 1, stderr: "one\nbroken\n" }, "missing", /^broken; needed/],
    ["hangs", { timedOut: true }, "missing", /does not answer within 10 s/],
  ] as const)("says how to get a tool that %s", async (_how, outcome, status, detail) => {
    const kind = named(await checkTools(fakeHost([on(/^kind/, outcome), ...versions])), "kind");
    expect(kind).toMatchObject({ status, detail: expect.stringMatching(detail) });
    expect(kind?.hint).toContain("kind");
  });

  test("takes a tool that does not tell its version", async () => {
    const own = on(/^kustomize/, { stdout: "(devel)\n" });
    const checks = await checkTools(fakeHost([own, ...versions]));
    expect(named(checks, "kustomize")).toMatchObject({
      status: "ok",
      detail: "version unknown",
    });
  });

  test("only warns of what some Tiltfiles need", async () => {
    const helm = on(/^helm/, { notFound: true });
    const checks = await checkTools(fakeHost([helm, ...versions]));
    expect(named(checks, "helm")).toMatchObject({ status: "warning", hint: expect.any(String) });
  });
});

describe("checkMachine()", () => {
  test("tells disk, inotify limits and cgroup version, where Docker keeps its data", async () => {
    const root = on(/^docker info/, { stdout: "/\n" });
    const checks = await checkMachine(fakeHost([root], { cwd: "/tmp", platform: "linux" }));
    expect(checks.map(({ name }) => name)).toEqual([
      "disk",
      "node",
      "fs.inotify.max_user_instances",
      "fs.inotify.max_user_watches",
      "cgroup",
    ]);
    expect(named(checks, "disk")?.detail).toMatch(/^\d+\.\d GiB free in \/$/);
    for (const { status, hint } of checks) if (status !== "ok") expect(hint).toBeTruthy();
  });

  test("looks at this folder's disk when Docker cannot be asked", async () => {
    const none = on(/^docker info/, { notFound: true });
    const checks = await checkMachine(fakeHost([none], { cwd: "/tmp", platform: "darwin" }));
    expect(named(checks, "disk")?.detail).toContain("/tmp");
    expect(named(checks, "cgroup")).toBeUndefined();
  });
});

describe("checkRegistries()", () => {
  test("warns of one that does not answer, with the reason and what to do", async () => {
    const [check] = await checkRegistries({}, ["127.0.0.1:1"]);
    expect(check).toMatchObject({
      name: "registry 127.0.0.1:1",
      status: "warning",
      detail: expect.stringContaining("ECONNREFUSED"),
      hint: expect.stringContaining("mirror"),
    });
  });

  test("asks the proxy of the environment for the way there", async () => {
    const asked: string[] = [];
    const server = createServer().on("connect", ({ url = "", headers }, socket) => {
      asked.push(`${url} ${headers["proxy-authorization"] ?? ""}`.trim());
      socket.end(`HTTP/1.1 ${url.startsWith("good") ? "200 OK" : "403 Forbidden"}\r\n\r\n`);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const env = { HTTPS_PROXY: `http://user:p%40ss@127.0.0.1:${port}` };
    const checks = await checkRegistries(env, ["good.example", "bad.example:8443"]);
    server.close();
    expect(checks.map(({ status, detail }) => detail ?? status)).toEqual([
      "ok",
      "the proxy refuses: HTTP status 403",
    ]);
    const login = Buffer.from("user:p@ss").toString("base64");
    expect(asked.sort()).toEqual([
      `bad.example:8443 Basic ${login}`,
      `good.example:443 Basic ${login}`,
    ]);
  });
});

describe("formatChecks()", () => {
  test("aligns the checks, puts hints below, and concludes", () => {
    const ok: Check = { name: "docker", status: "ok", version: "28.1.0" };
    const missing: Check = {
      name: "kind",
      status: "missing",
      detail: "not installed",
      hint: "go install",
    };
    expect(formatChecks([ok, missing])).toBe(
      [
        "ok      docker  28.1.0",
        "MISSING kind    not installed",
        "                → go install",
        "",
        "tilt-ci cannot run here yet: kind missing.",
        "",
      ].join("\n"),
    );
    expect(formatChecks([ok])).toContain("tilt-ci can run here.");
  });
});
