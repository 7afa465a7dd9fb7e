/**
 * What is run inside nodes to bake one and to start from one. These texts are part of the key of a baked node: a
 * change makes all of them stale.
 */

/** In the node image: what a baked node keeps of its making. */
export const BAKED_DIRECTORY = "/kind/tilt-ci";

const SNAPSHOTS = "io.containerd.snapshotter.v1.overlayfs/snapshots";
const BLOBS = "io.containerd.content.v1.content/blobs/sha256";

/** `stop PATTERN [SIGNAL]`: ends the containers whose image matches, and waits for their end. */
const STOP = `
export CONTAINERD_NAMESPACE=k8s.io
runs() { ctr tasks ls | awk -v id="$1" '$1 == id && $3 == "RUNNING" { found = 1 } END { exit !found }'; }
stop() {
  for id in $(ctr containers ls | awk -v pattern="$1" 'NR > 1 && $2 ~ pattern { print $1 }'); do
    ctr tasks kill --signal "\${2:-SIGTERM}" "$id" 2>/dev/null || true
    i=0
    while runs "$id"; do
      i=$((i + 1))
      [ $i -ne 200 ] || ctr tasks kill --signal SIGKILL "$id"
      [ $i -lt 400 ] || { echo "a container of $1 does not end" >&2; exit 1; }
      sleep 0.05
    done
  done
}`.trim();

/**
 * Ends and removes all containers of containerd. Its version 2 keeps the pods' sandboxes beside them, and would have them
 * in every cluster as pods that are not ready; 1.6 knows no such command.
 */
export const EMPTY_CONTAINERD = `
sandboxes() { ctr sandboxes ls 2>/dev/null | awk 'length($1) == 64 { print $1 }'; }
for id in $(ctr tasks ls -q); do ctr tasks kill --signal SIGKILL "$id" 2>/dev/null || true; done
for id in $(ctr tasks ls -q); do ctr tasks rm --force "$id" >/dev/null 2>&1 || true; done
sandboxes | xargs -r ctr sandboxes rm --force 2>/dev/null || true
ctr containers ls -q | xargs -r ctr containers rm
[ -z "$(sandboxes)" ] || { echo "a pod of the cluster would be baked" >&2; exit 1; }`.trim();

/** Waits until the cluster has come to rest: what CI runs wait for is then in every start from it. */
export const REST_SCRIPT = `
set -e
kubectl wait --for=condition=Available deployments --all --all-namespaces --timeout=180s
kubectl get daemonsets --all-namespaces --no-headers -o custom-columns=:metadata.namespace,:metadata.name |
  while read -r namespace name; do
    kubectl rollout status -n "$namespace" "daemonset/$name" --timeout=60s </dev/null
  done
i=0
until kubectl get serviceaccount default >/dev/null 2>&1; do
  i=$((i + 1)); [ $i -lt 300 ] || exit 1
  sleep 0.2
done
`.trim();

/** Nothing changes the cluster's objects any more but us: the kubelet and the controllers end. */
export const FREEZE_SCRIPT = `
set -e
${STOP}
systemctl stop kubelet
stop '/kube-(controller-manager|scheduler)(-[a-z0-9]+)?:'
`.trim();

/**
 * Takes away what belongs to this one cluster. Objects of the node go from etcd itself, whatever finalizers they
 * have; etcd is then compacted, so that its file does not hold them either. Arguments: the cluster's name and the
 * node's address. Ends with an error when a private key would stay.
 */
export const STRIP_SCRIPT = `
set -e
${STOP}
fail() { echo "$1" >&2; exit 1; }
grep -q 'snapshotter = "overlayfs"' /etc/containerd/config.toml || fail "its containerd does not use overlayfs"
! grep -qE '^certificatesDir: *"?/' /kind/kubeadm.conf || grep -qE '^certificatesDir: *"?/etc/kubernetes/pki"?$' /kind/kubeadm.conf ||
  fail "its certificates are not in /etc/kubernetes/pki"
grep -qE -- '--data-dir=/var/lib/etcd$' /etc/kubernetes/manifests/etcd.yaml || fail "its etcd is not in /var/lib/etcd"
# it has no state, and asked to end it would wait 60 s for watches that clients keep open
stop '/kube-apiserver(-[a-z0-9]+)?:' SIGKILL
pki=/etc/kubernetes/pki/etcd
etcd() {
  curl --silent --show-error --fail --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt \\
    --key $pki/healthcheck-client.key "https://127.0.0.1:2379/v3/$1" --data "$2"
}
text() { printf %s "$1" | base64 -w0; }
delete_range() {
  etcd kv/deleterange "{\\"key\\":\\"$(text "/registry/$1")\\",\\"range_end\\":\\"$(text "/registry/$2")\\"}" >/dev/null
}
for prefix in events leases masterleases pods minions csinodes endpointslices services/endpoints replicasets \\
  controllerrevisions certificatesigningrequests; do
  delete_range "$prefix/" "\${prefix}0"
done
# the API server makes it again at once when it is deleted there, and only ever adds authorities to it
trust=configmaps/kube-system/extension-apiserver-authentication
delete_range $trust \${trust}0
# nobody dials the only member: where its peers would is all that it does not write down anew when it starts
member=$(etcd cluster/member/list '{}' | sed 's/.*"ID":"\\([0-9]*\\)".*/\\1/')
etcd cluster/member/update "{\\"ID\\":\\"$member\\",\\"peerURLs\\":[\\"https://127.0.0.1:2380\\"]}" >/dev/null
revision=$(etcd kv/range "{\\"key\\":\\"$(text /registry/)\\",\\"range_end\\":\\"$(text /registry0)\\",\\"count_only\\":true}" |
  sed 's/.*"revision":"\\([0-9]*\\)".*/\\1/')
etcd kv/compaction "{\\"revision\\":\\"$revision\\",\\"physical\\":true}" >/dev/null
etcd maintenance/defragment '{}' >/dev/null
stop '/etcd(-[a-z0-9]+)?:'
${EMPTY_CONTAINERD}
systemctl stop containerd
awk '$2 ~ "^/var/lib/(kubelet|containerd)/|^/run/containerd/|^/run/netns/" { print $2 }' /proc/mounts |
  sort -r | xargs -r umount -l
printf %s "$1" >${BAKED_DIRECTORY}/cluster
printf %s "$2" >${BAKED_DIRECTORY}/address
rm -rf /etc/kubernetes/pki /etc/kubernetes/*.conf /etc/kubernetes/tmp /kind/product_uuid /kind/old-ipv*
cd /var/lib/kubelet
find . -mindepth 1 -maxdepth 1 ! -name config.yaml ! -name instance-config.yaml ! -name kubeadm-flags.env \\
  -exec rm -rf {} +
rm -rf /var/log/* /var/tmp/* /var/lib/cni /var/lib/etcd/member/wal/*.tmp
# etcd makes its log 64 MB long beforehand, and every start would copy all the zeros
for log in /var/lib/etcd/member/wal/*.wal; do
  while [ "$(stat -c %s "$log")" -gt 1048576 ] &&
    [ "$(tail -c 1048576 "$log" | tr -d '\\0' | head -c 1 | wc -c)" = 0 ]; do truncate -s -1048576 "$log"; done
done
cd /var/lib/containerd
rm -rf io.containerd.grpc.v1.cri/* io.containerd.runtime.v2.task/* tmpmounts/* \\
  io.containerd.content.v1.content/ingest/*
grep -rlF -e "$1" -e "$2" /etc/kubernetes /kind/kubeadm.conf /var/lib/kubelet >${BAKED_DIRECTORY}/files
! grep -rlE "PRIVATE KEY|client-key-data" /etc/kubernetes /kind /var/lib/kubelet || fail "a private key would be baked"
mkdir -p /var/lib/tilt-ci
tar --one-file-system -C / -cf /var/lib/tilt-ci/root.tar etc/kubernetes etc/containerd kind
# an image layer can hold neither what overlayfs reads as "deleted" (devices 0:0, trusted attributes), nor sockets,
# nor attributes of users: such snapshots are unpacked when a node starts
cd /var/lib/containerd/${SNAPSHOTS}
packed=
for id in *; do
  [ -d "$id" ] || continue
  if find "$id" -type s | grep -q . || find "$id" -type c -exec stat -c %t:%T {} + | grep -qx 0:0 ||
    tar --xattrs --xattrs-include='*' -cvvvf /dev/null "$id" | grep -qE '^ +x: +[0-9]+ (trusted|user)[.]'; then
    packed="$packed $id"
  fi
done
[ -z "$packed" ] || tar --xattrs --xattrs-include='*' -cf /var/lib/tilt-ci/snapshots.tar $packed
sync
`.trim();

/**
 * Runs in a container of the node image, with the stripped node's /var at /baked. What is large and never changes
 * goes beside /var, with links in its place: /var is a volume, which the engine fills by copying.
 */
export const ASSEMBLE_SCRIPT = `
set -e
from=/baked/lib/containerd to=/var/lib/containerd store=${BAKED_DIRECTORY}/store
rm -rf /var/*
tar -C / -xf /baked/lib/tilt-ci/root.tar
(cd /baked && tar --xattrs --xattrs-include='*' --exclude=./lib/containerd/${SNAPSHOTS} \\
  --exclude=./lib/containerd/${BLOBS} --exclude=./lib/tilt-ci -cf - . || : >/tmp/failed) |
  tar --xattrs --xattrs-include='*' -C /var -xf -
[ ! -e /tmp/failed ]
mkdir -p $store/snapshots $store/blobs $to/${SNAPSHOTS} $to/${BLOBS}
chmod 700 $to/${SNAPSHOTS}
packed=" "
if [ -f /baked/lib/tilt-ci/snapshots.tar ]; then
  cp /baked/lib/tilt-ci/snapshots.tar $store/snapshots.tar
  packed=" $(tar -tf $store/snapshots.tar | cut -d/ -f1 | sort -u | tr '\\n' ' ') "
fi
for path in $from/${SNAPSHOTS}/*; do
  id=\${path##*/}
  case $packed in *" $id "*) continue ;; esac
  cp -a "$path" $store/snapshots/
  ln -s $store/snapshots/$id $to/${SNAPSHOTS}/$id
done
cp -a $from/${BLOBS}/. $store/blobs/
for path in $store/blobs/*; do ln -s "$path" $to/${BLOBS}/; done
[ -s /var/lib/etcd/member/snap/db ] && [ -s /var/lib/kubelet/config.yaml ]
chmod 755 ${BAKED_DIRECTORY}/start
`.trim();

/**
 * The entrypoint of a baked node: the first time, it makes the node the one that its host name and address say, with
 * keys of its own, before anything of it runs. Its arguments are the node image's own entrypoint.
 */
export const START_SCRIPT = `#!/bin/sh
dir=${BAKED_DIRECTORY}
[ ! -e $dir/started ] || exec "$@"
set -e
fail() { echo "Cannot start from the baked node: $1"; cat /var/log/tilt-ci-start.log; exit 1; }
name=$(hostname)
cluster=\${name%-control-plane}
address=$(getent ahostsv4 "$name" | awk 'NR == 1 { print $1 }')
[ -n "$address" ] || fail "it has no IPv4 address"
{
  if [ -f $dir/store/snapshots.tar ]; then
    tar -C /var/lib/containerd/${SNAPSHOTS} --xattrs --xattrs-include='*' -xf $dir/store/snapshots.tar &
    unpacking=$!
  fi
  sed -i -e "s/\\\\b$(cat $dir/cluster)\\\\b/$cluster/g" \\
    -e "s/\\\\b$(sed 's/\\./\\\\./g' $dir/address)\\\\b/$address/g" $(cat $dir/files) &&
    kubeadm init phase certs all --config /kind/kubeadm.conf &&
    kubeadm init phase kubeconfig all --config /kind/kubeadm.conf &&
    { [ -z "$unpacking" ] || wait $unpacking; } && mkdir -p /var/log/containers /var/log/pods
} >/var/log/tilt-ci-start.log 2>&1 || fail "see below"
printf %s "$address" >/kind/old-ipv4
: >$dir/started
exec "$@"
`;
