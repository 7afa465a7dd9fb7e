# kindest/node from package registries alone: node-base with node/rootfs and the pod network on top, which takes
# seconds, so that changing the node does, too.

built_node_image() { echo "kindest/node:$kubernetes-$(recipe_of node -- "$(node_base_recipe)")"; }

build_node_image() {
  local image
  image=$(built_node_image)
  if has_image "$image"; then return; fi
  build_node_base
  need_go
  step "building $image" assemble_node_image "$(node_base)" "$image"
}

assemble_node_image() {
  local base=$1 image=$2 build=tilt-ci-rig-node stage=$cache/build/node
  docker rm -f "$build" >/dev/null 2>&1 || true
  rm -rf "$stage"
  mkdir -p "$stage"
  cp -R "$here/node/rootfs/." "$stage/"
  printf %s "$kubernetes" >"$stage/kind/version"
  mkdir -p "$stage/opt/cni"
  ln -s /usr/lib/cni "$stage/opt/cni/bin" # where the published image has them, and other network plugins look
  (cd "$here/node/pod-network" && CGO_ENABLED=0 GOOS=linux GOWORK=off GOFLAGS="-trimpath -buildvcs=false" \
    go build -ldflags "-s -w" -o "$stage/usr/local/bin/pod-network" .)
  docker create --name "$build" "$base"
  reproducible_tar -C "$stage" . | docker cp - "$build":/
  docker commit -c 'ENTRYPOINT ["/usr/local/bin/entrypoint"]' -c 'CMD []' -c 'STOPSIGNAL SIGRTMIN+3' \
    -c 'ENV container=docker' -c 'LABEL tilt-ci.rig=node' "$build" "$image"
  docker rm -f "$build"
  rm -rf "$stage"
}
