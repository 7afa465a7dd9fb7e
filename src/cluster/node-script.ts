/**
 * What is run inside a node, as one shell script for each so that nothing is asked over and over from outside.
 * A line that starts with `tci:` tells how far it is.
 */

const CERTS_DIRECTORY = "/etc/containerd/certs.d";

/** A registry as a node sees it. */
export interface NodeRegistry {
  /** `localhost:PORT`, as image references name it. */
  readonly host: string;
  /** `NAME:5000`, where the node reaches it. */
  readonly address: string;
}

/** Where third-party images that are put into the run's registry live there: `mirror/docker.io/library/redis`. */
export const MIRROR_PREFIX = "mirror";

/** Registries whose images the run's registry can stand in for without being told. */
export const MIRRORED_REGISTRIES: readonly string[] = [
  "docker.io",
  "gcr.io",
  "ghcr.io",
  "mcr.microsoft.com",
  "public.ecr.aws",
  "quay.io",
  "registry.k8s.io",
];

/** containerd's registry files (`hosts.toml`), path → text. They are read at every pull: no restart. */
export function hostsFiles(
  { host, address }: NodeRegistry,
  mirrored: readonly string[] = MIRRORED_REGISTRIES,
): Readonly<Record<string, string>> {
  const direct = `server = "http://${address}"\n\n[host."http://${address}"]\n  capabilities = ["pull", "resolve"]\n`;
  const files: Record<string, string> = {
    [`${CERTS_DIRECTORY}/${host}/hosts.toml`]: direct,
    [`${CERTS_DIRECTORY}/${address}/hosts.toml`]: direct,
  };
  for (const name of mirrored) {
    // without a `server` line containerd goes on to the registry itself when the mirror has no such image
    files[`${CERTS_DIRECTORY}/${name}/hosts.toml`] =
      `[host."http://${address}/v2/${MIRROR_PREFIX}/${name}"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n`;
  }
  return files;
}

/** A shell word. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Shell lines that write files. */
export function writeFiles(files: Readonly<Record<string, string>>): string {
  return Object.entries(files)
    .map(([path, text]) => {
      const directory = path.slice(0, path.lastIndexOf("/"));
      return `mkdir -p ${quote(directory)} && printf %s ${quote(text)} > ${quote(path)}`;
    })
    .join("\n");
}

/**
 * Says so when the node's containerd does not read registry files: from 2.2 on it does unless it is given mirrors in its
 * configuration (containerd/plugins/cri/images/plugin.go), before that only when it is told to.
 */
export function registryCheckScript(config = "/etc/containerd/config.toml"): string {
  return `
if grep -qs certs.d ${config}; then :
elif grep -qs 'registry\\.mirrors' ${config}; then echo tci:mirrors
else
  containerd --version | awk '{ sub(/^v/, "", $3); split($3, v, "."); exit !(v[1] > 2 || (v[1] == 2 && v[2] >= 2)) }' ||
    echo tci:no-certs-d
fi`.trim();
}

/** Waits for the node's containerd, then wires the registry. */
export function containerdScript(files: Readonly<Record<string, string>>): string {
  return `
i=0
until ctr version >/dev/null 2>&1; do
  i=$((i+1)); [ $i -lt 1200 ] || { echo tci:no-containerd; exit 1; }
  sleep 0.05
done
${registryCheckScript()}
${writeFiles(files)}
echo tci:containerd
`.trim();
}

/**
 * Unpacks the control plane's images while kubeadm still makes keys: a published node image brings them packed,
 * and the kubelet would unpack all of them at once, 2 s before the API server can start. A baked node has them unpacked.
 */
export const UNPACK_SCRIPT = `
[ ! -e /kind/tilt-ci ] || exit 0
export CONTAINERD_NAMESPACE=k8s.io
digests=$(ctr images ls 2>/dev/null | awk '$1 ~ /\\/(etcd|kube-apiserver|kube-controller-manager|kube-scheduler)(-[a-z0-9]+)?:/ { print $3 }' | sort -u)
for digest in $digests; do ctr snapshots unpack "$digest" >/dev/null 2>&1 & done
wait
echo tci:unpacked
`.trim();

/**
 * Leads pods on the control plane to the API server by the address of its Service until kube-proxy does, whose rules
 * come before this one. CoreDNS starts at the same time as kube-proxy: what it asks a moment too early is lost, and it
 * asks again a second or more later.
 */
export function apiRouteScript(manifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"): string {
  return `
i=0
until grep -qs service-cluster-ip-range ${manifest}; do
  i=$((i+1)); [ $i -lt 600 ] || exit 0
  sleep 0.05
done
flag() { sed -n "s/^ *- --$1=//p" ${manifest}; }
address=$(flag advertise-address)
service=$(flag service-cluster-ip-range)
service=\${service%%[,/]*}
case "$service $address" in *:* | " "* | *" ") exit 0 ;; esac
service=\${service%.*}.$((\${service##*.} + 1))
iptables -w 1 -t nat -L KUBE-SERVICES -n && exit 0
iptables -w 1 -t nat -A PREROUTING -d "$service" -p tcp --dport 443 -j DNAT --to-destination "$address:$(flag secure-port)"
`.trim();
}

/** Prints the administrators' kubeconfigs as soon as kubeadm has written them (bounded: 10 minutes). */
export const ADMIN_SCRIPT = `
i=0
until [ -s /etc/kubernetes/kubelet.conf ]; do
  i=$((i+1)); [ $i -lt 12000 ] || exit 1
  sleep 0.05
done
echo tci:admin-conf
cat /etc/kubernetes/admin.conf
echo
echo tci:super-admin-conf
cat /etc/kubernetes/super-admin.conf 2>/dev/null
echo
echo tci:end
`.trim();
