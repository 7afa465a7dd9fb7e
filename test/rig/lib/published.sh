# The ordinary published images, where a container registry answers.

# of the release notes of kind 0.33.0; an image belongs to a release of kind, so the digest is part of its name
published_node_image=kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d
published_base_images=(registry:2 busybox:latest busybox:stable alpine:latest python:3-alpine python:3-slim)

registry_answers() {
  [ "$offline" = no ] && within 5 docker manifest inspect busybox:latest
}

pull_missing() {
  local image
  for image in "$published_node_image" "${published_base_images[@]}"; do
    has_image "$image" || docker pull --quiet "$image" || return 1
  done
}

# False when an image could not be had: then all of them are built.
pull_published_images() {
  say "pulling the published images …"
  if pull_missing >"$cache/pull.log" 2>&1; then return 0; fi
  say "pulling failed, building the images instead: $(tail -n 1 "$cache/pull.log")"
  return 1
}
