//go:build tools

// Package tools pins what the rig builds from this module.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
