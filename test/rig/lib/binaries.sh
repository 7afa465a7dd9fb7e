# Programs built from the Go modules in modules/: go.mod and go.sum pin every version and checksum.

# go_binary NAME MODULE-FOLDER PACKAGE [LINKER-FLAGS]: makes $cache/bin/NAME unless it is there from the same recipe.
go_binary() {
  local name=$1 module=$2 package=$3 flags="-s -w ${4:-}" recipe stamp
  recipe=$(recipe_of "modules/$module" -- "$package" "$flags")
  stamp=$cache/bin/.$name.recipe
  if [ -x "$cache/bin/$name" ]; then
    if [ "$(cat "$stamp" 2>/dev/null)" = "$recipe" ]; then return; fi
    if [ ! -e "$stamp" ] && adoptable "$name" "$module"; then echo "$recipe" >"$stamp"; return; fi
  fi
  need_go
  step "building $name" go_build "$name" "$module" "$package" "$flags"
  echo "$recipe" >"$stamp"
}

go_build() {
  cd "$here/modules/$2"
  CGO_ENABLED=0 GOWORK=off GOFLAGS="-trimpath -buildvcs=false -mod=readonly" \
    go build -ldflags "$4" -o "$cache/bin/.$1.part" "$3"
  mv -f "$cache/bin/.$1.part" "$cache/bin/$1" # a killed build leaves no half program
}

# A binary without a stamp was made by the recipe that this rig grew out of: taken if the linker recorded the
# same version of the module. (That recipe's helm was told no version of Kubernetes; it is built again.)
adoptable() {
  local wanted
  if [ "$1" = helm ]; then return 1; fi
  wanted=$(awk '$1 == "require" && $2 != "(" { print $2, $3; exit }' "$here/modules/$2/go.mod")
  go version -m "$cache/bin/$1" 2>/dev/null | awk '{ print $2, $3 }' | grep -xF "$wanted" >/dev/null
}

client_tools() {
  go_binary kind kind sigs.k8s.io/kind
  go_binary helm helm helm.sh/helm/v3/cmd/helm "$(helm_flags)"
  go_binary kustomize kustomize sigs.k8s.io/kustomize/kustomize/v5
  go_binary actionlint actionlint github.com/rhysd/actionlint/cmd/actionlint
  kubernetes_binary kubectl
}

# Charts see the version of Kubernetes in .Capabilities: without these flags helm says v1.20.
helm_flags() {
  local minor=${kubernetes#v1.} part
  minor=${minor%%.*}
  printf ' -X helm.sh/helm/v3/internal/version.version=%s' "$(module_version helm helm.sh/helm/v3)"
  for part in pkg/chartutil pkg/lint/rules; do
    printf ' -X helm.sh/helm/v3/%s.k8sVersionMajor=1 -X helm.sh/helm/v3/%s.k8sVersionMinor=%s' $part $part "$minor"
  done
}

module_version() { awk -v m="$2" '$1 == "require" && $2 == m { print $3 }' "$here/modules/$1/go.mod"; }

kubernetes_binary() {
  local package flags="" minor=${kubernetes#v1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
  done
  go_binary "$1" kubernetes "k8s.io/kubernetes/cmd/$1" "$flags"
}

node_binaries() {
  local name
  for name in kubelet kubeadm kubectl kube-apiserver kube-controller-manager kube-scheduler kube-proxy; do
    kubernetes_binary "$name"
  done
  go_binary etcd etcd go.etcd.io/etcd/server/v3
  go_binary coredns coredns github.com/coredns/coredns
  go_binary local-path-provisioner local-path-provisioner github.com/rancher/local-path-provisioner
}
