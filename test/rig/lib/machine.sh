# What this machine is, what may be installed on it, and the Docker engine.

os_release() { (. /etc/os-release 2>/dev/null && eval "echo \"\${$1:-}\"") || true; }
is_debian() { case " $(os_release ID) $(os_release ID_LIKE) " in *" debian "* | *" ubuntu "*) true ;; *) false ;; esac; }
may_install() { [ "$(id -u)" = 0 ] && is_debian && command -v apt-get >/dev/null; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "${1%%/*}" 2>/dev/null)" = installed ]; }

# apt_install WHY PACKAGE…: installs what is missing; a package may name its release: docker.io/trixie.
apt_install() {
  local why=$1 missing=() package
  shift
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  if [ ${#missing[@]} = 0 ]; then return; fi
  if ! may_install; then
    if is_debian; then
      die "$why needs packages that only root may install: ${missing[*]%%/*}" "sudo apt-get install ${missing[*]%%/*}"
    fi
    die "$why needs ${missing[*]%%/*}, which this rig can install on Debian and Ubuntu only" \
      "Install them with this system's package manager, or connect to a network where a container registry answers."
  fi
  step "installing ${missing[*]%%/*}" apt_get_install "${missing[@]}"
}

apt_get_install() {
  local wait=(-o DPkg::Lock::Timeout=600)
  if [ -n "$(dpkg --audit)" ]; then dpkg --configure -a; fi # an install was killed half-way
  if [[ "$*" == */trixie* ]]; then add_trixie; fi
  if ! apt-get "${wait[@]}" --simulate install "$@" >/dev/null 2>&1; then apt-get "${wait[@]}" update; fi
  DEBIAN_FRONTEND=noninteractive apt-get "${wait[@]}" install -y --no-install-recommends "$@"
}

# Debian 13 beside Debian 12, for single packages only (priority 100: nothing is taken from it unasked).
add_trixie() {
  if apt-cache policy | grep n=trixie >/dev/null; then return; fi
  local list=/etc/apt/sources.list.d/rig-trixie
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/security/' /etc/apt/sources.list.d/debian.sources |
      sed -E 's/^(Suites:).*/\1 trixie/' >"$list.sources"
  else
    sed -nE 's/^(deb .*[^ ]) +bookworm +(.*)$/\1 trixie \2/p' /etc/apt/sources.list >"$list.list"
  fi
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n' >/etc/apt/preferences.d/rig-trixie
  apt-get -o DPkg::Lock::Timeout=600 update
}

engine_answers() { docker info >/dev/null 2>&1; }

# A Docker engine that answers, with buildx and compose: there already, or installed and started.
engine() {
  if engine_answers; then
    if docker buildx version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then return; fi
    if ! may_install; then
      die "Docker lacks its buildx or compose plugin" "Install both: https://docs.docker.com/go/buildx/ and https://docs.docker.com/compose/install/"
    fi
  elif [ -n "${DOCKER_HOST:-}" ]; then
    die "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" "Start it, or unset DOCKER_HOST to use an engine of this machine."
  elif docker info 2>&1 | grep -i "permission denied" >/dev/null; then
    die "this user may not speak to the Docker engine" "sudo usermod -aG docker $(id -un)   # then log in again"
  elif ! may_install; then
    no_engine
  fi
  install_engine
  engine_answers || step "starting the Docker engine" start_engine
}

no_engine() {
  local why="no Docker engine answers, and this rig may install one only as root on Debian or Ubuntu"
  case $(uname -s) in
    Darwin) die "$why" "Install one and start it: brew install colima docker docker-buildx docker-compose && colima start --cpu 2 --memory 6" ;;
    MINGW* | MSYS* | CYGWIN*) die "$why" "Work in WSL 2 (wsl --install -d Debian), or start Docker Desktop with its WSL integration." ;;
  esac
  if grep -qi microsoft /proc/version 2>/dev/null; then
    die "$why" "Turn on WSL integration in Docker Desktop, or run this again as root: sudo -E npm test"
  fi
  if is_debian; then
    die "$why" "sudo apt-get install docker.io docker-buildx docker-compose && sudo usermod -aG docker $(id -un)   # then log in again" \
      "or run this again as root, which installs it by itself"
  fi
  die "$why" "Install Docker Engine: https://docs.docker.com/engine/install/"
}

install_engine() {
  local release="" packages=(docker.io docker-buildx iptables iproute2 ca-certificates)
  if [ "$(os_release ID)" = ubuntu ]; then
    packages+=(docker-compose-v2)
  else
    packages+=(docker-compose)
    # since Debian 13 the client is a package of its own; one that is there already may be somebody else's package
    command -v docker >/dev/null || packages+=(docker-cli)
  fi
  if [ "$(os_release VERSION_CODENAME)" = bookworm ]; then
    # Debian 12's own engine cannot run privileged containers where a sandbox has taken CAP_SYS_RESOURCE away
    release=/trixie
    packages+=(containerd)
  fi
  local wanted=() package
  for package in "${packages[@]}"; do
    case $package in
      docker* | containerd) wanted+=("$package$release") ;;
      *) wanted+=("$package") ;;
    esac
  done
  apt_install "the Docker engine" "${wanted[@]}"
}

start_engine() {
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  else
    setsid dockerd >"$cache/dockerd.log" 2>&1 </dev/null 3>&- 9>&- &
  fi
  local tries
  for tries in $(seq 150); do
    if engine_answers; then return; fi
    sleep 0.2
  done
  tail -n 20 "$cache/dockerd.log" 2>/dev/null || true
  echo "dockerd did not answer within 30 s (try $tries)"
  return 1
}

# Prints the path of a Chromium, installed if need be.
browser() {
  chromium_there && return
  if [ "$(os_release ID)" != debian ]; then
    die "there is no Chromium, which this rig can install on Debian only" \
      "Install Chromium or Google Chrome, and set TILT_CI_CHROMIUM to its program if it is not in /usr/bin."
  fi
  apt_install "looking at the HTML report" chromium
  chromium_there
}

chromium_there() {
  local name
  if [ -n "${TILT_CI_CHROMIUM:-}" ]; then
    command -v "$TILT_CI_CHROMIUM"
    return
  fi
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then return; fi
  done
  return 1
}

need_go() {
  command -v go >/dev/null || die "Go is missing: kind, kubectl and helm are built with it" "Install Go 1.26 or later: https://go.dev/doc/install"
  local minor
  minor=$(go env GOVERSION | sed -nE 's/^go1\.([0-9]+).*/\1/p')
  if [ -n "$minor" ] && [ "$minor" -lt 26 ] && [ "$(go env GOTOOLCHAIN)" = local ]; then
    die "Go $(go env GOVERSION) is too old, and GOTOOLCHAIN=local keeps it from getting a newer one" \
      "Install Go 1.26 or later (https://go.dev/doc/install), or: go env -w GOTOOLCHAIN=auto"
  fi
}

need_disk() { # gigabytes, folder
  local free
  free=$(($(df -Pk "$2" | awk 'NR == 2 { print $4 }') / 1048576))
  if [ "$free" -lt "$1" ]; then
    die "the disk of $2 has $free GB free, and $1 GB are needed" "Free some space: docker system df, go clean -cache"
  fi
}
