# One static program under all its names, as a folder that becomes an image. From Debian 13 on Debian 12, whose
# busybox 1.35 crashes on `wget -T`.

busybox_root() { echo "$cache/userland/busybox-$(recipe_of lib/busybox.sh)"; }

static_busybox() {
  if [ -x "$(busybox_root)/bin/sh" ]; then return; fi
  is_debian || die "building the busybox image works on Debian and Ubuntu only" \
    "Connect to a network where a container registry answers."
  step "laying out busybox" lay_out_busybox "$(busybox_root)"
}

lay_out_busybox() {
  local part=$1.part applet package=busybox-static
  rm -rf "$part" "$cache/build/busybox"
  mkdir -p "$part"/{bin,tmp,etc,proc,sys,dev,root,var,home} "$cache/build/busybox"
  if [ "$(os_release VERSION_CODENAME)" = bookworm ]; then
    add_trixie
    package+=/trixie
  fi
  cd "$cache/build/busybox"
  apt-get download "$package"
  dpkg-deb -x busybox-static_*.deb .
  cp "$(find . -type f -name busybox -perm -100 | head -n 1)" "$part/bin/busybox"
  for applet in $("$part/bin/busybox" --list); do [ -e "$part/bin/$applet" ] || ln -s busybox "$part/bin/$applet"; done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$part/etc/passwd"
  echo 'root:x:0:' >"$part/etc/group"
  chmod 1777 "$part/tmp"
  mv "$part" "$1"
  rm -rf "$cache/build/busybox"
}
