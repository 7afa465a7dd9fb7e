#!/usr/bin/env bash
# Writes src/manifests/kubernetes-types.json from the Go types of client-go's scheme. For another Kubernetes version change
# go.mod; needs Go and the module proxy.
set -euo pipefail
cd "$(dirname "$0")"
go run . > kubernetes-types.json
mv kubernetes-types.json ../../src/manifests/kubernetes-types.json
