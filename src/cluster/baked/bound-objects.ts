/**
 * Objects of a cluster that name it, its node's address or its certificate authority, or that follow from what is
 * made anew (workloads, tokens). They are not baked in: a start creates them as they were, with its own names.
 */

/** An object as the API server gave it. */
export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly ownerReferences?: readonly unknown[];
    readonly managedFields?: readonly { readonly manager?: string }[];
    readonly [other: string]: unknown;
  };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly [other: string]: unknown;
}

/** An object with the path of its collection, like `/api/v1/namespaces/default/configmaps`. */
export interface Listed {
  readonly collection: string;
  readonly object: ClusterObject;
}

/** How an object is created again: its text holds places for what is another one in each cluster. */
export interface Template extends Listed {
  /** Who first wrote it, for its managed fields. */
  readonly manager: string;
}

/** What differs between clusters of the same making. */
export interface Identity {
  readonly cluster: string;
  readonly address: string;
  /** The certificate authority's PEM text. */
  readonly ca: string;
}

/** Resources whose objects a bake deletes in etcd, and their controllers make anew. */
export const REMADE_RESOURCES: ReadonlySet<string> = new Set([
  "certificatesigningrequests",
  "controllerrevisions",
  "csinodes",
  "endpoints",
  "endpointslices",
  "events",
  "leases",
  "nodes",
  "pods",
  "replicasets",
]);

/** Only ever added to by the API server, which would go on trusting the authority of the bake. */
const REMADE_BY_API_SERVER = "extension-apiserver-authentication";
const BOOTSTRAP_TOKEN = "bootstrap.kubernetes.io/token";
const TOKEN_LIFE_MS = 24 * 3_600_000;

const PLACES = { cluster: "@tilt-ci:cluster@", address: "@tilt-ci:address@" } as const;
const CA_PLACES = { base64: "@tilt-ci:ca-base64@", pem: "@tilt-ci:ca-pem@" } as const;

/** Of all objects, those that a bake deletes, and how a start creates them again. */
export function takeBound(
  all: readonly Listed[],
  identity: Identity,
): { readonly deleted: readonly Listed[]; readonly templates: readonly Template[] } {
  const remade = all.filter(({ object }) => object.metadata.name === REMADE_BY_API_SERVER);
  const bound = all.filter(
    (listed) =>
      !remade.includes(listed) &&
      !listed.object.metadata.ownerReferences &&
      isBound(listed.object, identity),
  );
  return {
    deleted: [...remade, ...bound],
    templates: bound.map((listed) => templateOf(listed, identity)),
  };
}

function isBound(object: ClusterObject, { cluster, address, ca }: Identity): boolean {
  if (object.apiVersion === "apps/v1" || object.type === BOOTSTRAP_TOKEN) return true;
  const text = JSON.stringify(object);
  return [cluster, address, base64(ca), escaped(ca)].some((name) => text.includes(name));
}

function templateOf({ collection, object }: Listed, identity: Identity): Template {
  const { metadata, status: _, ...rest } = object;
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    generation: _generation,
    managedFields,
    ...kept
  } = metadata;
  const data =
    object.data &&
    Object.fromEntries(
      // signed by the controller that signs with the token
      Object.entries(object.data).filter(([key]) => !key.startsWith("jws-kubeconfig-")),
    );
  const text = JSON.stringify({ ...rest, metadata: kept, ...(data ? { data } : {}) });
  return {
    collection,
    manager: managedFields?.[0]?.manager ?? "tilt-ci",
    object: JSON.parse(
      text
        .replaceAll(base64(identity.ca), CA_PLACES.base64)
        .replaceAll(escaped(identity.ca), CA_PLACES.pem)
        .replaceAll(identity.cluster, PLACES.cluster)
        .replaceAll(identity.address, PLACES.address),
    ) as ClusterObject,
  };
}

/** The object of a template in a cluster; `now` is for the life of a bootstrap token (epoch ms). */
export function fillTemplate(
  { object }: Pick<Template, "object">,
  identity: Identity,
  now: number,
): ClusterObject {
  const filled = JSON.parse(
    JSON.stringify(object)
      .replaceAll(CA_PLACES.base64, base64(identity.ca))
      .replaceAll(CA_PLACES.pem, escaped(identity.ca))
      .replaceAll(PLACES.cluster, identity.cluster)
      .replaceAll(PLACES.address, identity.address),
  ) as ClusterObject;
  if (filled.type !== BOOTSTRAP_TOKEN || !filled.data?.expiration) return filled;
  const expiration = new Date(now + TOKEN_LIFE_MS).toISOString().replace(/\.\d+Z$/, "Z");
  return { ...filled, data: { ...filled.data, expiration: base64(expiration) } };
}

/** Labels and annotations that the node had beside those that a kubelet writes: they are given to it again. */
export function nodeTemplate(node: ClusterObject, identity: Identity): ClusterObject {
  const { labels, annotations } = node.metadata;
  const text = JSON.stringify({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: node.metadata.name, labels, annotations },
  });
  return JSON.parse(
    text.replaceAll(identity.cluster, PLACES.cluster).replaceAll(identity.address, PLACES.address),
  ) as ClusterObject;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** As it stands inside a JSON string. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
