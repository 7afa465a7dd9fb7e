import { dump, load } from "js-yaml";

/** What it takes to speak to an API server as an administrator. PEM texts. */
export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface AdminConf {
  clusters?: { cluster?: { "certificate-authority-data"?: string; server?: string } }[];
  users?: { user?: { "client-certificate-data"?: string; "client-key-data"?: string } }[];
}

/** The credentials in a kubeconfig that kubeadm wrote; undefined when one of them is missing. */
export function parseAdminConf(text: string): Credentials | undefined {
  const conf = load(text) as AdminConf | undefined;
  const ca = conf?.clusters?.[0]?.cluster?.["certificate-authority-data"];
  const cert = conf?.users?.[0]?.user?.["client-certificate-data"];
  const key = conf?.users?.[0]?.user?.["client-key-data"];
  if (!ca || !cert || !key) return undefined;
  return { ca: decode(ca), cert: decode(cert), key: decode(key) };
}

/** The API server that a kubeconfig of one cluster names. */
export function serverOf(text: string): string | undefined {
  return (load(text) as AdminConf | undefined)?.clusters?.[0]?.cluster?.server;
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The kubeconfig that kind itself would write: cluster, user and context are called `kind-NAME`. */
export function formatKubeconfig(
  clusterName: string,
  server: string,
  { ca, cert, key }: Credentials,
): string {
  const name = contextOf(clusterName);
  return dump({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server, "certificate-authority-data": encode(ca) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [
      {
        name,
        user: { "client-certificate-data": encode(cert), "client-key-data": encode(key) },
      },
    ],
    preferences: {},
  });
}

/** kind's name for a cluster's context. */
export function contextOf(clusterName: string): string {
  return `kind-${clusterName}`;
}
