import { dump } from "js-yaml";

/** Where a registry is, seen from three places (KEP-1755). */
export interface RegistryAddress {
  /** Where tools on this machine push: `localhost:PORT`. */
  readonly host: string;
  /** In `image:` fields: where the nodes pull from. */
  readonly hostFromContainerRuntime: string;
  /** From inside pods. */
  readonly hostFromClusterNetwork: string;
}

/** The ConfigMap by which a cluster announces its registry (KEP-1755): what Tilt and ctlptl read. */
export interface LocalRegistryHostingConfigMap {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: { readonly "localRegistryHosting.v1": string };
}

export function localRegistryHostingConfigMap({
  host,
  hostFromContainerRuntime,
  hostFromClusterNetwork,
}: RegistryAddress): LocalRegistryHostingConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "local-registry-hosting", namespace: "kube-public" },
    data: {
      "localRegistryHosting.v1": dump({
        host,
        hostFromContainerRuntime,
        hostFromClusterNetwork,
        help: "https://kind.sigs.k8s.io/docs/user/local-registry/",
      }),
    },
  };
}
