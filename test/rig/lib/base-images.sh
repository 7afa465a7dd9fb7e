# The images that examples and tests build on, under the names that everyone uses. A published image is taken as it is
# (it came from a registry, which shows in its digests); one of this rig's making is made again when the recipe changes.

label=tilt-ci.rig.recipe

up_to_date() { # image, recipe
  local found
  found=$(docker image inspect --format "{{with .Config.Labels}}{{index . \"$label\"}}{{end}} {{len .RepoDigests}}" "$1" 2>/dev/null) || return 1
  [ "${found% *}" = "$2" ] || { [ -z "${found% *}" ] && [ "${found#* }" != 0 ]; }
}

base_images_recipe() { recipe_of lib/base-images.sh lib/busybox.sh; }

build_base_images() {
  local recipe
  recipe=$(base_images_recipe)
  if ! up_to_date busybox:latest "$recipe"; then
    static_busybox
    step "building busybox:latest" import_folder "$(busybox_root)" "$recipe" busybox:latest -c 'CMD ["sh"]'
  fi
  tag_missing busybox:latest busybox:stable alpine:latest
  if ! up_to_date registry:2 "$recipe"; then
    userland registry extract docker-registry,libc6,ca-certificates
    step "building registry:2" import_registry "$recipe"
  fi
  if ! up_to_date python:3-alpine "$recipe"; then
    userland python apt python3,python3-pip,ca-certificates "${python_hooks[@]}"
    step "building python:3-alpine" import_python "$recipe"
  fi
  tag_missing python:3-alpine python:3 python:3-slim python:3.11 python:3.11-slim python:3.11-alpine
}

tag_missing() { # image, other names…
  local image=$1 name
  shift
  for name in "$@"; do up_to_date "$name" "$(base_images_recipe)" || docker tag "$image" "$name"; done
}

import_image() { # tar file, recipe, name, changes…
  docker import -c "LABEL $label=$2" "${@:4}" "$1" "$3"
}

import_folder() { # folder, recipe, name, changes…
  reproducible_tar -C "$1" . | import_image - "${@:2}"
}

import_registry() {
  local root=$cache/build/registry
  rm -rf "$root"
  mkdir -p "$root"
  tar -C "$root" --exclude='./dev/*' -xf "$(userland_path registry extract docker-registry,libc6,ca-certificates)"
  mkdir -p "$root"/{dev,tmp,var/lib/registry,etc/docker/registry}
  cat >"$root/etc/docker/registry/config.yml" <<'X2'
version: 0.1
log: { fields: { service: registry } }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: /var/lib/registry }
  delete: { enabled: true }
http:
  addr: ":5000"
  headers: { X-Content-Type-Options: [nosniff] }
X2
  import_folder "$root" "$1" registry:2 -c 'VOLUME /var/lib/registry' -c 'EXPOSE 5000' \
    -c 'ENTRYPOINT ["/usr/bin/docker-registry"]' -c 'CMD ["serve","/etc/docker/registry/config.yml"]'
  rm -rf "$root"
}

# `python` beside `python3`, and this machine's own trust (it may add a root of its own)
python_hooks=(
  '--customize-hook=ln -sf python3 "$1/usr/bin/python"'
  '--customize-hook=copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs'
)

import_python() {
  import_image "$(userland_path python apt python3,python3-pip,ca-certificates "${python_hooks[@]}")" "$1" python:3-alpine \
    -c 'CMD ["python3"]' -c 'ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_CERT=/etc/ssl/certs/ca-certificates.crt'
}
