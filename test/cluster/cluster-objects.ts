import { execFileSync } from "node:child_process";
import { rigEnv } from "../rig/env.ts";

/** What a cluster's objects are, without what differs between any two clusters of the same making. */
export type Objects = Readonly<Record<string, unknown>>;

/** Kinds that come and go by themselves. */
const PASSING = ["events", "events.events.k8s.io", "componentstatuses"];

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** All objects of a cluster by kind, namespace and name; names, addresses, keys, times and random parts are masked. */
export function objectsOf(kubeconfig: string, cluster: string): Objects {
  const kubectl = (...args: readonly string[]) =>
    execFileSync("kubectl", ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...process.env, PATH: rigEnv().path },
      stdio: ["ignore", "pipe", "ignore"],
    });
  const kinds = kubectl("api-resources", "--verbs=list", "--output=name")
    .split("\n")
    .filter((kind) => kind !== "" && !PASSING.includes(kind));
  const { items } = JSON.parse(
    kubectl("get", kinds.join(","), "--all-namespaces", "--output=json"),
  ) as { items: readonly KubernetesObject[] };
  const address = /"ip"\s*:\s*"([\d.]+)"/.exec(
    kubectl("get", "endpoints", "kubernetes", "--output=json"),
  )?.[1];
  const ca = JSON.parse(kubectl("get", "configmap", "kube-root-ca.crt", "--output=json")).data[
    "ca.crt"
  ] as string;
  let text = JSON.stringify(items)
    .replaceAll(JSON.stringify(ca).slice(1, -1), "CA")
    .replaceAll(Buffer.from(ca).toString("base64"), "CA")
    .replaceAll(cluster, "CLUSTER")
    .replaceAll(address ?? "no address", "ADDRESS");
  for (const { kind, metadata } of items) {
    const masked = maskRandom(metadata.name, kind);
    if (masked !== metadata.name) text = text.replaceAll(metadata.name, masked);
    // the hash of a template that names the cluster: so does that of kind's pod network
    const [, hash] =
      /^kindnet-(\w+)$/.exec(kind === "ControllerRevision" ? metadata.name : "") ?? [];
    if (hash) text = text.replaceAll(hash, "HASH");
  }
  for (const [pattern, mask] of MASKS) text = text.replace(pattern, mask);
  const objects: Record<string, unknown> = {};
  for (const object of JSON.parse(text) as readonly KubernetesObject[]) {
    const { name, namespace = "" } = object.metadata;
    const path = `${object.kind} ${namespace}/${name}`;
    let key = path;
    for (let count = 2; key in objects; count++) key = `${path} ${count}`;
    objects[key] = strip(object, "");
  }
  return objects;
}

/** Names of which the API server or a controller picked the end. */
function maskRandom(name: string, kind: string): string {
  if (["Pod", "EndpointSlice", "CertificateSigningRequest"].includes(kind))
    return name.replace(/-[a-z0-9]{5}$/, "-RANDOM");
  return kind === "Lease" ? name.replace(/^apiserver-[a-z0-9]+$/, "apiserver-RANDOM") : name;
}

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UID"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME"],
  [/kube-api-access-[a-z0-9]{5}\b/g, "kube-api-access-RANDOM"],
  [/\b10\.244\.0\.\d+(?!\/)/g, "POD-ADDRESS"],
  [/X509SHA256=[0-9a-f]{64}/g, "CERTIFICATE"],
  [/containerd:\/\/[0-9a-f]+/g, "CONTAINER"],
];

/** Fields that each cluster has its own value of: identities, keys, hashes over addresses, counts of changes. */
const OWN =
  /^(resourceVersion|observedGeneration|machineID|bootID|systemUUID|memory|request|certificate|username|holderIdentity|generation|jws-kubeconfig-.*|expiration|.*client-ca-file|kubernetes\.io\/config\..*|images|restartCount|since|endpoints\.kubernetes\.io\/last-change-trigger-time)$/;

function strip(value: unknown, key: string): unknown {
  if (OWN.test(key)) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => strip(item, ""));
    const isOfObjects = items.every((item) => typeof item === "object" && item !== null);
    // the order of conditions and subsets is of no meaning
    return isOfObjects ? items.map((item) => JSON.stringify(item)).sort() : items;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, child]) => [name, strip(child, name)] as const)
      .filter(([name, child]) => child !== undefined && !(name === "annotations" && isEmpty(child)))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What is left of annotations that were all times. */
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
