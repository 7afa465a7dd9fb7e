import { load } from "js-yaml";
import { expect, test } from "vitest";
import { localRegistryHostingConfigMap } from "../../../src/cluster/local-registry-hosting.ts";

test("localRegistryHostingConfigMap() holds the fields of KEP-1755 as one YAML string", () => {
  const map = localRegistryHostingConfigMap({
    host: "localhost:32768",
    hostFromContainerRuntime: "tci-a-registry:5000",
    hostFromClusterNetwork: "tci-a-registry:5000",
  });
  expect(map.metadata).toEqual({ name: "local-registry-hosting", namespace: "kube-public" });
  expect(load(map.data["localRegistryHosting.v1"])).toEqual({
    host: "localhost:32768",
    hostFromContainerRuntime: "tci-a-registry:5000",
    hostFromClusterNetwork: "tci-a-registry:5000",
    help: "https://kind.sigs.k8s.io/docs/user/local-registry/",
  });
});
