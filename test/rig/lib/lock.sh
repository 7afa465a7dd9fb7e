# One rig/up at a time: a second one waits, and then finds everything made.
lock() {
  if command -v flock >/dev/null; then
    exec 9>"$cache/lock"
    if ! flock -n 9; then
      say "waiting for another rig/up on this machine"
      flock 9
    fi
    return
  fi
  # macOS has no flock: a folder is the lock, the process id in it tells a stale one
  local waited=no owner
  until mkdir "$cache/lock.d" 2>/dev/null; do
    owner=$(cat "$cache/lock.d/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$cache/lock.d"; continue; fi
    if [ $waited = no ]; then say "waiting for another rig/up on this machine (process ${owner:-unknown})"; waited=yes; fi
    sleep 1
  done
  echo $$ >"$cache/lock.d/pid"
  trap 'rm -rf "$cache/lock.d"' EXIT
}
