#!/bin/bash
# The careful script that a team writes in place of tilt-ci: one step after another. Times each step, in milliseconds.
#   baseline.sh cycle JOB          cluster, registry, the job, removal
#   baseline.sh up NAME            a cluster and a registry that stay
#   baseline.sh there NAME JOB     the job on them; what it applied stays
#   baseline.sh again NAME JOB     the job on them, and what it applied deleted
#   baseline.sh stop NAME          ends them, without removing anything
#   baseline.sh down NAME
# JOB: EXAMPLE_DIR IMAGE=CONTEXT… -- STEP…
# STEP: `apply MANIFEST…`, `rollout KIND/NAME`, `job NAME`, `forward svc/NAME LOCAL:PORT`, or `run COMMAND`.
set -euo pipefail
verb=$1; shift
work=$(mktemp -d); pids=(); manifests=()
node_image=${TILT_CI_NODE_IMAGE:-kindest/node:v1.34.4}
last=$(date +%s%N)
step() { local now; now=$(date +%s%N); printf 'step\t%s\t%s\n' "$1" $(((now - last) / 1000000)); last=$now; }

up() {
  # a fixed port: Docker gives a free one anew when the container joins another network
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  docker run -d --name "$registry" --label "bench.port=$port" -p "127.0.0.1:$port:5000" registry:2 >/dev/null
  until curl -fs "http://localhost:$port/v2/" >/dev/null; do sleep 0.1; done
  step registry
  kind create cluster --name "$name" --image "$node_image" --wait 60s >/dev/null 2>&1
  step create
  docker network connect kind "$registry" 2>/dev/null || true
  for node in $(kind get nodes --name "$name"); do
    docker exec "$node" mkdir -p "/etc/containerd/certs.d/localhost:$port"
    printf '[host."http://%s:5000"]\n' "$registry" |
      docker exec -i "$node" cp /dev/stdin "/etc/containerd/certs.d/localhost:$port/hosts.toml"
  done
  kubectl apply -f - >/dev/null <<Y
apiVersion: v1
kind: ConfigMap
metadata: { name: local-registry-hosting, namespace: kube-public }
data:
  localRegistryHosting.v1: |
    host: "localhost:$port"
Y
  step wire
}

job() {
  local dir=$1; shift
  local images=() pair image context manifest
  while [ "$1" != -- ]; do images+=("$1"); shift; done; shift
  cd "$dir"
  cp -r . "$work/src"
  for pair in "${images[@]}"; do
    image=${pair%%=*}; context=${pair#*=}
    docker build -q -t "localhost:$port/$image:bench" -t "$image:latest" "$context" >/dev/null
    docker push -q "localhost:$port/$image:bench" >/dev/null
  done
  step build+push
  until kubectl get serviceaccount default >/dev/null 2>&1; do sleep 0.2; done
  while [ $# -gt 0 ]; do take $1; shift; done
  step ready
}

# One STEP, split into its words.
take() {
  local verb=$1; shift
  case $verb in
    apply)
      for manifest in "$@"; do
        sed -i -E "s#image: ([a-z-]+)\$#image: localhost:$port/\1:bench#" "$work/src/$manifest"
        kubectl apply -f "$work/src/$manifest" >/dev/null
        manifests+=("$manifest")
      done
      step apply
      ;;
    rollout) kubectl rollout status "$1" --timeout 120s >/dev/null; step ready ;;
    job) kubectl wait --for=condition=complete "job/$1" --timeout 120s >/dev/null; step ready ;;
    forward)
      kubectl port-forward "$1" "$2" >/dev/null 2>&1 & pids+=($!)
      until curl -so /dev/null "http://localhost:${2%%:*}/"; do sleep 0.1; done
      ;;
    run) "$@" >/dev/null ;;
  esac
}

end_forwards() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; pids=(); }

down() {
  end_forwards
  kind delete cluster --name "$name" >/dev/null 2>&1 || true
  docker rm -f -v "$registry" >/dev/null 2>&1 || true
  docker images --format '{{.Repository}}:{{.Tag}}' "localhost:${port:-none}/*" | xargs -r docker rmi >/dev/null 2>&1 || true
}

[ "$verb" = cycle ] && name=bench-$$-$RANDOM || { name=$1; shift; }
registry=$name-registry
export KUBECONFIG=${TMPDIR:-/tmp}/$name.kubeconfig
case $verb in
  cycle)
    trap 'down; rm -rf "$work" "$KUBECONFIG"' EXIT
    up
    job "$@"
    down
    step delete
    ;;
  up)
    trap 'rm -rf "$work"' EXIT
    up
    # a cluster that is there has booted, and its files are on the disk
    kubectl wait --for=condition=Ready pods --all --all-namespaces --timeout 120s >/dev/null
    sync
    ;;
  there | again)
    trap 'end_forwards; rm -rf "$work"' EXIT
    port=$(docker inspect --format '{{index .Config.Labels "bench.port"}}' "$registry")
    job "$@"
    [ "$verb" = again ] || exit 0
    end_forwards
    # first, or a StatefulSet's Pod keeps its name for its 30 s of grace, and the next run waits
    kubectl delete pods --all --now --wait=false >/dev/null
    for manifest in "${manifests[@]}"; do kubectl delete -f "$work/src/$manifest" --wait=false >/dev/null; done
    step delete
    ;;
  stop)
    docker stop --time 1 $(kind get nodes --name "$name") "$registry" >/dev/null
    ;;
  down)
    port=$(docker inspect --format '{{index .Config.Labels "bench.port"}}' "$registry" 2>/dev/null || true)
    down
    rm -rf "$work" "$KUBECONFIG"
    ;;
esac
