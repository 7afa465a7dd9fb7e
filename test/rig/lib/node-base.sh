# What is slow to make of the node image: the userland, the programs, and the images of the control plane in
# containerd's store.

node_packages=containerd,runc,containernetworking-plugins,conntrack,iptables,ipset,nftables,iproute2,ethtool,mount,kmod,procps,hostname,ca-certificates,curl,jq,socat
proxy_packages=iptables,nftables,libc6,libnftnl11,libmnl0,libxtables12,libip4tc2,libip6tc2,libnetfilter-conntrack3,libnfnetlink0,kmod,conntrack

node_base_recipe() {
  recipe_of lib/node-base.sh lib/busybox.sh modules/{kubernetes,etcd,coredns,local-path-provisioner} node/pause.c -- "$kubernetes"
}
node_base() { echo "tilt-ci-rig/node-base:$kubernetes-$(node_base_recipe)"; }

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

build_node_base() {
  local base
  base=$(node_base)
  if has_image "$base"; then return; fi
  need_disk 6 "$cache"
  need_disk 8 "$(docker_root)"
  node_binaries
  userland node essential "$node_packages"
  userland proxy extract "$proxy_packages"
  static_busybox
  command -v cc >/dev/null && [ -e /usr/include/unistd.h ] || apt_install "building the pause program" gcc libc6-dev
  step "building the images of the control plane" control_plane_archive
  step "building $base" assemble_node_base "$base"
}

# The engine's folder may be on another machine (Docker Desktop, DOCKER_HOST): then there is nothing to measure.
docker_root() {
  local root
  root=$(docker info --format '{{.DockerRootDir}}')
  if [ -d "$root" ]; then echo "$root"; else echo "$cache"; fi
}

reproducible_tar() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c "$@"; }

# archive_image REFERENCE ENTRYPOINT: turns $images/NAME/layer.tar into an entry of a `docker load` archive.
archive_image() {
  local folder=$1 reference=$2 entrypoint=$3 digest
  digest=$(sha256 <"$images/$folder/layer.tar")
  cat >"$images/$folder/config.json" <<X2
{"architecture":"$(go env GOARCH)","os":"linux","created":"1970-01-01T00:00:00Z",
 "config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":$entrypoint},
 "rootfs":{"type":"layers","diff_ids":["sha256:$digest"]},"history":[{"created_by":"tilt-ci rig"}]}
X2
  printf '{"Config":"%s/config.json","RepoTags":["%s"],"Layers":["%s/layer.tar"]}\n' "$folder" "$reference" "$folder" >>"$images/entries"
}

archive_program() { # reference, program: an image that holds one static program and nothing else
  local program=$2
  mkdir -p "$images/$program"
  reproducible_tar -C "$cache/bin" --transform 's,^,usr/local/bin/,' "$program" >"$images/$program/layer.tar"
  archive_image "$program" "$1" "[\"/usr/local/bin/$program\"]"
}

control_plane_archive() {
  local name
  images=$cache/build/images
  rm -rf "$images"
  mkdir -p "$images"
  cc -Os -static -o "$cache/bin/pause" "$here/node/pause.c"
  for name in kube-apiserver kube-controller-manager kube-scheduler; do
    archive_program "registry.k8s.io/$name:$kubernetes" "$name"
  done
  archive_program registry.k8s.io/etcd:3.6.5-0 etcd
  archive_program registry.k8s.io/coredns/coredns:v1.12.1 coredns
  archive_program registry.k8s.io/pause:3.10.1 pause
  archive_program docker.io/tilt-ci-rig/local-path-provisioner:v0.0.30 local-path-provisioner
  mkdir -p "$images/busybox" "$images/kube-proxy"
  reproducible_tar -C "$(busybox_root)" . >"$images/busybox/layer.tar"
  archive_image busybox docker.io/tilt-ci-rig/busybox:1 null
  kube_proxy_layer
  archive_image kube-proxy "registry.k8s.io/kube-proxy:$kubernetes" null
  (printf '[' && paste -sd, "$images/entries" && printf ']') >"$images/manifest.json"
  rm "$images/entries"
}

kube_proxy_layer() {
  local root=$cache/build/kube-proxy tool suffix
  rm -rf "$root"
  mkdir -p "$root"
  # device nodes may not be made in a sandbox; an image needs none
  tar -C "$root" --exclude='./dev/*' -xf "$(userland_path proxy extract "$proxy_packages")"
  rm -rf "$root"/usr/share/{doc,man,locale,info} # every node unpacks this image while it boots
  mkdir -p "$root"/{proc,sys,dev,run,usr/local/bin}
  for tool in iptables ip6tables; do
    for suffix in "" -save -restore; do ln -sf xtables-nft-multi "$root/usr/sbin/$tool$suffix"; done
  done
  cp "$cache/bin/kube-proxy" "$root/usr/local/bin/"
  reproducible_tar -C "$root" . >"$images/kube-proxy/layer.tar"
  rm -rf "$root"
}

assemble_node_base() {
  local build=tilt-ci-rig-node-base tries
  docker rm -f "$build" >/dev/null 2>&1 || true # what a killed run left
  docker import - tilt-ci-rig/userland:node <"$(userland_path node essential "$node_packages")"
  docker create --privileged --name "$build" --entrypoint sleep tilt-ci-rig/userland:node 3600
  reproducible_tar -C "$cache/bin" --transform 's,^,usr/bin/,' kubelet kubeadm kubectl | docker cp - "$build":/
  docker start "$build"
  docker exec -d "$build" containerd
  for tries in $(seq 150); do
    if docker exec "$build" ctr version >/dev/null 2>&1; then break; fi
    if [ "$tries" = 150 ]; then echo "containerd did not answer within 30 s"; return 1; fi
    sleep 0.2
  done
  # as in the published image: fetched, and unpacked only at boot (/var becomes a volume then)
  tar -C "$cache/build/images" -c . |
    docker exec -i "$build" ctr --namespace k8s.io images import --no-unpack --all-platforms -
  docker exec "$build" ctr --namespace k8s.io images ls
  docker exec "$build" sh -c 'pkill -x containerd; while pgrep -x containerd >/dev/null; do sleep 0.1; done'
  docker commit -c 'LABEL tilt-ci.rig=node-base' "$build" "$1"
  docker rm -f "$build"
  docker rmi tilt-ci-rig/userland:node
  rm -rf "$cache/build/images"
}
