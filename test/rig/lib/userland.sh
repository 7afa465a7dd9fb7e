# Debian userlands as tar files, assembled from Debian's packages without installing them here.

# userland NAME VARIANT PACKAGES [mmdebstrap arguments…]: prints the path of the tar file.
userland_path() { echo "$cache/userland/$1-$(recipe_of -- "$@").tar"; }

userland() {
  local path
  path=$(userland_path "$@")
  if [ -f "$path" ]; then return; fi
  apt_install "assembling a Debian userland" mmdebstrap debian-archive-keyring
  step "assembling the userland of $1" assemble "$path" "$@"
}

assemble() {
  local path=$1 variant=$3 packages=$4 mirror=()
  shift 4
  # this machine's own mirror where it serves the same release; mmdebstrap's default elsewhere
  if [ "$(os_release VERSION_CODENAME)" = bookworm ] && [ -f /etc/apt/sources.list.d/debian.sources ]; then
    mirror=(/etc/apt/sources.list.d/debian.sources)
  fi
  mmdebstrap --quiet --format=tar --variant="$variant" --include="$packages" "$@" bookworm "$path.part" ${mirror[@]+"${mirror[@]}"}
  mv -f "$path.part" "$path"
}
