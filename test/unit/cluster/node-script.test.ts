import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fullyQualified } from "../../../src/cluster/node-images.ts";
import {
  apiRouteScript,
  hostsFiles,
  quote,
  registryCheckScript,
  writeFiles,
} from "../../../src/cluster/node-script.ts";

const registry = { host: "localhost:32768", address: "tci-a-registry:5000" };

test("hostsFiles() sends both names of the registry to its container", () => {
  const files = hostsFiles(registry, []);
  expect(Object.keys(files)).toEqual([
    "/etc/containerd/certs.d/localhost:32768/hosts.toml",
    "/etc/containerd/certs.d/tci-a-registry:5000/hosts.toml",
  ]);
  for (const text of Object.values(files))
    expect(text).toContain('[host."http://tci-a-registry:5000"]');
});

test("hostsFiles() puts the registry before a third party's, under that one's name, without a server of its own", () => {
  const text = hostsFiles(registry, ["quay.io"])["/etc/containerd/certs.d/quay.io/hosts.toml"];
  expect(text).toBe(
    '[host."http://tci-a-registry:5000/v2/mirror/quay.io"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n',
  );
});

test("writeFiles() writes any text to any path, as a shell runs it", () => {
  const dir = mkdtempSync(join(tmpdir(), "tci-script-"));
  const files = { [join(dir, "a b", "it's")]: `$(touch ${dir}/x) 'q' "%s" \\n\n` };
  execFileSync("sh", ["-c", writeFiles(files)]);
  for (const [path, text] of Object.entries(files)) expect(readFileSync(path, "utf8")).toBe(text);
  expect(() => readFileSync(join(dir, "x"))).toThrow("ENOENT");
  rmSync(dir, { recursive: true });
});

test("quote() makes one shell word of anything", () => {
  const text = 'a\'b; $(c) `d` "e" \\';
  expect(execFileSync("sh", ["-c", `printf %s ${quote(text)}`], { encoding: "utf8" })).toBe(text);
});

test.each([
  ["redis", "docker.io/library/redis:latest"],
  ["redis:7", "docker.io/library/redis:7"],
  ["me/app@sha256:00", "docker.io/me/app@sha256:00"],
  ["localhost:32768/app:1", "localhost:32768/app:1"],
  ["localhost/app", "localhost/app:latest"],
  ["quay.io/x/y", "quay.io/x/y:latest"],
])("fullyQualified() of %s is %s", (ref, full) => {
  expect(fullyQualified(ref)).toBe(full);
});

describe("registryCheckScript()", () => {
  /** What it says of a node with this containerd and this configuration. */
  const said = (version: string, config: string): string => {
    const dir = mkdtempSync(join(tmpdir(), "tci-certs-"));
    const fake = `#!/bin/sh\necho containerd github.com/containerd/containerd ${version} abcdef\n`;
    writeFileSync(join(dir, "containerd"), fake, { mode: 0o755 });
    writeFileSync(join(dir, "config.toml"), config);
    const env = { ...process.env, PATH: `${dir}:${process.env.PATH}` };
    const script = registryCheckScript(join(dir, "config.toml"));
    const text = execFileSync("sh", ["-c", script], { env, encoding: "utf8" });
    rmSync(dir, { recursive: true });
    return text.trim();
  };
  const plain = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n';
  const told = `${plain}  [plugins."io.containerd.grpc.v1.cri".registry]\n    config_path = "/etc/containerd/certs.d"\n`;
  const mirrors = `${plain}  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."localhost:5000"]\n`;

  test.each([
    ["1.7.24~ds1", told, ""],
    ["1.6.20~ds1", plain, "tci:no-certs-d"],
    ["v2.1.3", plain, "tci:no-certs-d"],
    ["v2.2.0", plain, ""],
    ["v2.3.4", plain, ""],
    ["2.10.0+unknown", plain, ""],
    ["v3.0.0", plain, ""],
    ["v2.3.4", mirrors, "tci:mirrors"],
    ["v2.1.3", mirrors, "tci:mirrors"],
    ["v2.1.3", told + mirrors, ""],
  ])("of containerd %s with %j says %j", (version, config, expected) => {
    expect(said(version, config)).toBe(expected);
  });
});

describe("apiRouteScript()", () => {
  /** What it asks of iptables on a node whose API server has these flags. */
  const asked = (flags: readonly string[], { kubeProxy = false } = {}): string[] => {
    const dir = mkdtempSync(join(tmpdir(), "tci-route-"));
    const [calls, manifest] = [join(dir, "calls"), join(dir, "kube-apiserver.yaml")];
    writeFileSync(calls, "");
    const command = flags.map((flag) => `    - --${flag}\n`).join("");
    writeFileSync(manifest, `  annotations:\n    endpoint: 1.2.3.4:6443\n  - command:\n${command}`);
    const fake = `#!/bin/sh\necho "$*" >>${calls}\ncase "$*" in *KUBE-SERVICES*) ${kubeProxy} ;; esac\n`;
    writeFileSync(join(dir, "iptables"), fake, { mode: 0o755 });
    const env = { ...process.env, PATH: `${dir}:${process.env.PATH}` };
    execFileSync("sh", ["-c", apiRouteScript(manifest)], { env });
    const lines = readFileSync(calls, "utf8").split("\n").filter(Boolean);
    rmSync(dir, { recursive: true });
    return lines;
  };
  const ROUTE =
    "-w 1 -t nat -A PREROUTING -d 10.96.0.1 -p tcp --dport 443 -j DNAT --to-destination 172.18.0.3:6443";
  const flags = (range: string, address: string) => [
    `advertise-address=${address}`,
    "authorization-mode=Node,RBAC",
    "secure-port=6443",
    `service-cluster-ip-range=${range}`,
  ];

  test("leads the first address of the Services to the API server", () => {
    expect(asked(flags("10.96.0.0/16", "172.18.0.3"))).toContain(ROUTE);
    expect(asked(flags("10.96.0.0/16,fd00::/112", "172.18.0.3"))).toContain(ROUTE);
  });

  test("leaves it to kube-proxy where that is there already, and where addresses are IPv6", () => {
    expect(asked(flags("10.96.0.0/16", "172.18.0.3"), { kubeProxy: true })).not.toContain(ROUTE);
    expect(asked(flags("fd00:10:96::/112", "fc00::3"))).toEqual([]);
    expect(asked(flags("fd00:10:96::/112,10.96.0.0/16", "fc00::3"))).toEqual([]);
  });
});
