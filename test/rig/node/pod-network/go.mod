module tilt-ci/rig/pod-network

go 1.24
