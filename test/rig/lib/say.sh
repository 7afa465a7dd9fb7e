# Messages and steps. Everything for people goes to file descriptor 3 (the caller's stderr): stdout is for `eval`.
exec 3>&2

say() { printf 'rig: %s\n' "$*" >&3; }

die() { # first line: what is wrong; the others: what to do
  local line
  say "$1"
  shift
  for line in "$@"; do printf '     %s\n' "$line" >&3; done
  exit 3
}

heartbeat() {
  while sleep 30 </dev/null >/dev/null 2>&1 3>&- 9>&-; do say "$1: still at it"; done
}

# step TEXT COMMAND…: runs a command that may take long; its output is shown only when it fails.
# Not for use in a condition: there bash would go on after errors inside the command.
step() {
  local text=$1 log started=$SECONDS beat status
  shift
  mkdir -p "$cache/log"
  log=$cache/log/$(printf %s "$text" | tr -cs 'A-Za-z0-9.' -).log
  say "$text …"
  heartbeat "$text" &
  beat=$!
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  kill "$beat" 2>/dev/null
  wait "$beat" 2>/dev/null || true
  if [ "$status" = 3 ]; then exit 3; fi # it has said why
  if [ "$status" != 0 ]; then
    tail -n 15 "$log" | sed 's/^/     /' >&3
    if grep -qi 'no space left' "$log"; then die "$text: the disk is full" "Free some space: docker system df, go clean -cache"; fi
    die "$text: failed with exit code $status" "Its whole output is in $log"
  fi
  if [ $((SECONDS - started)) -ge 2 ]; then say "$text: done in $((SECONDS - started)) s"; fi
}

# within SECONDS COMMAND…: false when the command takes longer. (macOS has no `timeout`.)
within() {
  local seconds=$1 pid guard status=0
  shift
  "$@" >/dev/null 2>&1 </dev/null 3>&- 9>&- &
  pid=$!
  (sleep "$seconds" && kill "$pid") >/dev/null 2>&1 </dev/null 3>&- 9>&- &
  guard=$!
  wait "$pid" 2>/dev/null || status=$?
  kill "$guard" 2>/dev/null || true
  return "$status"
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }

# recipe_of PATH… [-- TEXT…]: 12 hex digits over the names, modes and contents of files and folders, and over texts.
recipe_of() {
  local texts=no argument
  for argument in "$@"; do
    if [ "$argument" = -- ]; then
      texts=yes
    elif [ $texts = yes ]; then
      printf '%s\n' "$argument"
    else
      print_tree "$argument"
    fi
  done | sha256 | cut -c1-12
}

print_tree() { # path below $here; tests are no part of a recipe
  local file
  (cd "$here" && find "$1" \( -type f -o -type l \) ! -name '*_test.go' -print) | LC_ALL=C sort |
    while read -r file; do
      printf '%s %s\n' "$file" "$([ -x "$here/$file" ] && echo x)"
      if [ -L "$here/$file" ]; then readlink "$here/$file"; else cat "$here/$file"; fi
    done
}
