import { load } from "js-yaml";
import { expect, test } from "vitest";
import { contextOf, formatKubeconfig, parseAdminConf } from "../../../src/cluster/kubeconfig.ts";

const encode = (text: string) => Buffer.from(text).toString("base64");

test("formatKubeconfig() points kubeadm's credentials at the published port, with kind's names", () => {
  const credentials = parseAdminConf(`
clusters: [{ cluster: { certificate-authority-data: ${encode("CA")}, server: "https://node:6443" }, name: a }]
users: [{ name: kubernetes-admin, user: { client-certificate-data: ${encode("CERT")}, client-key-data: ${encode("KEY")} } }]
`);
  expect(credentials).toEqual({ ca: "CA", cert: "CERT", key: "KEY" });
  if (!credentials) throw new Error("no credentials");
  expect(load(formatKubeconfig("tci-a", "https://127.0.0.1:1234", credentials))).toMatchObject({
    "current-context": "kind-tci-a",
    clusters: [
      {
        name: "kind-tci-a",
        cluster: { server: "https://127.0.0.1:1234", "certificate-authority-data": encode("CA") },
      },
    ],
    contexts: [{ name: "kind-tci-a", context: { cluster: "kind-tci-a", user: "kind-tci-a" } }],
    users: [{ name: "kind-tci-a", user: { "client-key-data": encode("KEY") } }],
  });
});

test("parseAdminConf() is undefined for half a file", () => {
  expect(parseAdminConf("clusters: [{ cluster: { certificate-authority-data: eA== } }]")).toBe(
    undefined,
  );
  expect(parseAdminConf("")).toBeUndefined();
});

test("contextOf() is kind's", () => {
  expect(contextOf("tci-a")).toBe("kind-tci-a");
});
