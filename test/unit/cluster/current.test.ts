import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { productOf, useCurrentCluster } from "../../../src/cluster/current.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tci-current-"));
  await writeFile(
    join(dir, "a"),
    `current-context: prod
contexts:
- { name: prod, context: { cluster: gke_x, user: u } }
- { name: dev, context: { cluster: kind-dev, user: u, namespace: team } }
`,
  );
  await writeFile(
    join(dir, "b"),
    "current-context: other\ncontexts: [{ name: other, context: { cluster: k3d-x } }]\n",
  );
});
afterEach(() => rm(dir, { recursive: true }));

describe("useCurrentCluster()", () => {
  test("gives the current context, and does not allow what is no development cluster", async () => {
    const host = { cwd: dir, env: { KUBECONFIG: join(dir, "a") } };
    expect(await useCurrentCluster({}, host)).toEqual({
      context: "prod",
      clusterName: "gke_x",
      namespace: "default",
      product: "unknown",
      allowed: false,
      kubeconfig: join(dir, "a"),
    });
  });

  test("gives the wanted context of a flag's kubeconfig", async () => {
    const host = { cwd: dir, env: { KUBECONFIG: "/nowhere" } };
    expect(await useCurrentCluster({ kubeconfig: "a", context: "dev" }, host)).toMatchObject({
      context: "dev",
      namespace: "team",
      product: "kind",
      allowed: true,
      kubeconfig: join(dir, "a"),
    });
  });

  test("merges several files as kubectl does: the first current context wins", async () => {
    const path = [join(dir, "none"), join(dir, "b"), join(dir, "a")].join(delimiter);
    const host = { cwd: dir, env: { KUBECONFIG: path } };
    expect(await useCurrentCluster({}, host)).toMatchObject({ context: "other", product: "k3d" });
    expect(await useCurrentCluster({ context: "dev" }, host)).toMatchObject({ context: "dev" });
  });

  test("says what is missing", async () => {
    const host = { cwd: dir, env: { KUBECONFIG: join(dir, "a") } };
    await expect(useCurrentCluster({ context: "no" }, host)).rejects.toMatchObject({
      message: 'The kubeconfig has no context "no"',
      exitCode: 2,
    });
    await expect(
      useCurrentCluster({}, { cwd: dir, env: { HOME: join(dir, "home") } }),
    ).rejects.toMatchObject({
      message: `There is no kubeconfig at ${join(dir, "home", ".kube", "config")}`,
      exitCode: 3,
    });
    await writeFile(join(dir, "empty"), "");
    await expect(useCurrentCluster({ kubeconfig: "empty" }, host)).rejects.toMatchObject({
      message: "The kubeconfig has no current context",
      exitCode: 3,
    });
    await writeFile(join(dir, "bad"), "{");
    await expect(useCurrentCluster({ kubeconfig: "bad" }, host)).rejects.toMatchObject({
      exitCode: 3,
    });
  });
});

test.each([
  ["kind", "kind"],
  ["kind-dev", "kind"],
  ["kindly", "unknown"],
  ["k3d-x", "k3d"],
  ["minikube-2", "minikube"],
  ["docker-desktop", "docker-desktop"],
  ["docker-for-desktop-cluster", "docker-desktop"],
  ["microk8s-cluster", "microk8s"],
  ["rancher-desktop", "rancher-desktop"],
  ["colima", "colima"],
  ["orbstack", "orbstack"],
  ["api-crc-testing:6443", "crc"],
  ["krucible-c-1", "krucible"],
  ["gke_a_b_c", "unknown"],
  ["arn:aws:eks:eu-west-1:1:cluster/x", "unknown"],
])("productOf() of %s is %s", (name, product) => {
  expect(productOf(name)).toBe(product);
});

test("productOf() knows renamed clusters by where their files are", () => {
  const home = "/home/me";
  expect(productOf("x", { home, certificateAuthority: "/home/me/.minikube/ca.crt" })).toBe(
    "minikube",
  );
  expect(productOf("x", { home, kubeconfig: "/home/me/.config/k3d/x/kc.yaml" })).toBe("k3d");
  expect(productOf("x", { home, kubeconfig: "/home/me/.kube/kind-config-x" })).toBe("kind");
});
