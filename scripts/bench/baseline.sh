#!/bin/bash
# The careful script that a team writes in place of tilt-ci: one step after another. Times each step.
#   baseline.sh EXAMPLE_DIR IMAGE=CONTEXT… -- MANIFEST… -- WAIT…
# WAIT: `rollout KIND/NAME`, `job NAME`, or `run COMMAND` (with port-forward svc/NAME LOCAL:PORT before it).
set -euo pipefail
dir=$1; shift
images=(); manifests=(); waits=()
while [ "$1" != -- ]; do images+=("$1"); shift; done; shift
while [ "$1" != -- ]; do manifests+=("$1"); shift; done; shift
waits=("$@")
cd "$dir"
name=bench-$$-$RANDOM; registry=$name-registry
node_image=${TILT_CI_NODE_IMAGE:-kindest/node:v1.34.4}
kubeconfig=$(mktemp); export KUBECONFIG=$kubeconfig
work=$(mktemp -d); pids=()
cleanup() {
  for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done
  kind delete cluster --name "$name" >/dev/null 2>&1 || true
  docker rm -f -v "$registry" >/dev/null 2>&1 || true
  rm -rf "$work" "$kubeconfig"
}
trap cleanup EXIT
last=$(date +%s%N)
step() { local now; now=$(date +%s%N); printf 'step\t%s\t%s\n' "$1" $(((now - last) / 1000000)); last=$now; }

# a fixed port: Docker gives a free one anew when the container joins another network
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
docker run -d --name "$registry" -p "127.0.0.1:$port:5000" registry:2 >/dev/null
until curl -fs "http://localhost:$port/v2/" >/dev/null; do sleep 0.1; done
step registry
kind create cluster --name "$name" --image "$node_image" --wait 60s >/dev/null 2>&1
step create
docker network connect kind "$registry" 2>/dev/null || true
for node in $(kind get nodes --name "$name"); do
  docker exec "$node" mkdir -p "/etc/containerd/certs.d/localhost:$port"
  printf '[host."http://%s:5000"]\n' "$registry" | docker exec -i "$node" cp /dev/stdin "/etc/containerd/certs.d/localhost:$port/hosts.toml"
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
cp -r . "$work/src"
for pair in "${images[@]}"; do
  image=${pair%%=*}; context=${pair#*=}
  docker build -q -t "localhost:$port/$image:bench" -t "$image:latest" "$context" >/dev/null
  docker push -q "localhost:$port/$image:bench" >/dev/null
done
step build+push
for m in "${manifests[@]}"; do
  sed -i -E "s#image: ([a-z-]+)\$#image: localhost:$port/\1:bench#" "$work/src/$m"
done
until kubectl get serviceaccount default >/dev/null 2>&1; do sleep 0.2; done
for m in "${manifests[@]}"; do kubectl apply -f "$work/src/$m" >/dev/null; done
step apply
for w in "${waits[@]}"; do
  set -- $w
  case $1 in
    rollout) kubectl rollout status "$2" --timeout 120s >/dev/null ;;
    job) kubectl wait --for=condition=complete "job/$2" --timeout 120s >/dev/null ;;
    forward) kubectl port-forward "$2" "$3" >/dev/null 2>&1 & pids+=($!); sleep 1 ;;
    run) shift; "$@" >/dev/null ;;
  esac
done
step ready
for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; pids=()
kind delete cluster --name "$name" >/dev/null 2>&1
docker rm -f -v "$registry" >/dev/null
docker rmi $(docker images --format '{{.Repository}}:{{.Tag}}' "localhost:$port/*") >/dev/null 2>&1 || true
step delete
