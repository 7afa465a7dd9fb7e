import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { mentionsCluster } from "../../../src/local/index.ts";

const dir = mkdtempSync(join(tmpdir(), "tci-needs-"));
writeFileSync(join(dir, "deploy.sh"), "#!/bin/sh\nset -e\nkubectl apply -f .\n");
writeFileSync(join(dir, "gen.sh"), "#!/bin/sh\necho generated\n");
afterAll(() => rmSync(dir, { recursive: true }));

describe("mentionsCluster()", () => {
  test.each([
    "kubectl get pods",
    "helm upgrade --install db ./chart",
    "helm template x | kubectl apply -f -",
    "KUBECONFIG=$KUBECONFIG ./anything",
    "./deploy.sh --all",
    "cd deploy && (/usr/local/bin/kubectl get pods)",
    "kubectl get pods; true",
    `python3 -c 'import subprocess; subprocess.run(["kubectl", "version"])'`,
    "echo $(kubectl config current-context)",
  ])("sees that %s needs one", (command) => {
    expect(mentionsCluster(["sh", "-c", command], dir)).toBe(true);
  });

  test.each([
    "go test ./...",
    "helm template chart --set a=b",
    "helm version --short",
    "kustomize build overlay",
    "kubectl kustomize overlay",
    "kubectl version --client",
    "kubectl create secret generic s --dry-run=client -o yaml",
    "docker compose -p tilt-ci-example config",
    "./gen.sh",
    "cat /no/such/kubectlish-file.txt",
    "helm template demo /work/examples/helm/chart --set replicas=2",
    "cat helm/values.yaml kubectl.log",
    "ls charts/helm-2 ../skaffold/",
  ])("sees no need in %s", (command) => {
    expect(mentionsCluster(["sh", "-c", command], dir)).toBe(false);
  });
});
