import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { mentionsCluster } from "../../../src/local/index.ts";

const dir = mkdtempSync(join(tmpdir(), "tci-needs-"));
writeFileSync(join(dir, "deploy.sh"), "#!/bin/sh\nset -e\nkubectl apply -f .\n");
writeFileSync(join(dir, "gen.sh"), "#!/bin/sh\necho generated\n");
writeFileSync(join(dir, "tools.yaml"), "image: example/kubectl:1\n");
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
    "helm template x $(kubectl get cm)",
    "kubectl create cm a --dry-run=client -o yaml | kubectl apply -f -",
    'kubectl create cm a --from-literal="a;b" -o yaml',
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
    "kubectl create secret generic s --from-literal='a=b&c;d|e' --dry-run=client -o yaml",
    "kubectl create cm a --dry-run=client --from-file=deploy.sh -o yaml",
    "helm template chart --values tools.yaml",
    "grep -q image tools.yaml",
  ])("sees no need in %s", (command) => {
    expect(mentionsCluster(["sh", "-c", command], dir)).toBe(false);
  });

  test("takes the words of a command without a shell as they are", () => {
    const create = (...args: string[]) =>
      mentionsCluster(["kubectl", "create", "secret", "generic", "s", ...args], dir);
    const values = ["a=b&c;d|e", "two=x\ny", "tool=kubectl get pods", "quote='\"$(x)"];
    const literals = values.flatMap((value) => ["--from-literal", value]);
    expect(create(...literals, "-o=yaml", "--dry-run=client")).toBe(false);
    expect(create("--from-file", "deploy.sh", "-o=yaml", "--dry-run=client")).toBe(false);
    expect(create(...literals, "-o=yaml")).toBe(true);
    expect(mentionsCluster(["kubectl", "get", "pods", "--dry-run=client"], dir)).toBe(true);
    expect(mentionsCluster(["/usr/bin/helm", "pull", "a/b", "--untar"], dir)).toBe(false);
    expect(mentionsCluster(["helm", "upgrade", "a", "./template"], dir)).toBe(true);
    expect(mentionsCluster(["python3", "deploy.sh"], dir)).toBe(true);
  });
});
