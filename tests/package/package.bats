#!/usr/bin/env bats
# What scripts/package makes, installed and run: never into the system, always into a folder that plays /.

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  scripts/package --no-build >&2
  export PACKAGES=$PWD/build/package
  version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' build/release/CMakeCache.txt)
  export VERSION=$version
}

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  root=$BATS_TEST_TMPDIR/root
}

unpack_and_install() { # arguments for install
  tar xzf "$PACKAGES"/teleport-webhooks-v*.tar.gz
  "$(echo teleport-webhooks-v*/install)" "$@"
}

# The package manager's own idea of this machine, in another place: dependencies are checked for real.
install_debs() {
  mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
  grep -v '^Conffiles:\|^ /' /var/lib/dpkg/status >"$root/var/lib/dpkg/status"
  touch "$root/var/lib/dpkg/available"
  dpkg --root="$root" --force-not-root --log="$BATS_TEST_TMPDIR/dpkg.log" --install "$PACKAGES"/*.deb 2>errors ||
    { cat errors >&2; return 1; }
}

# folder with bin/: the program starts, sends through its modules, and the receiver verifies what came
works_from() {
  local receiver
  [ "$("$1/bin/teleport-webhooks" --version | grep -cF "$VERSION")" = 1 ]
  "$1/bin/teleport-webhooks" configure --new-secret >secret
  "$1/bin/teleport-sandbox" receive --listen 127.0.0.1:0 --secret-file secret -o ndjson >received 2>&1 3>&- &
  receiver=$!
  for _ in $(seq 100); do grep -qE 'http://127' received && break; sleep 0.1; done
  "$1/bin/teleport-webhooks" send --test --url "$(grep -oE 'http://127\.0\.0\.1:[0-9]+' received | head -n 1)/" --secret-file secret
  kill "$receiver"
  wait "$receiver" || true
  grep -q 'endpoint\.test' received
}

@test "the archive installs below --root and what it installed works" {
  run unpack_and_install --root "$root"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *"$VERSION"* && $output != *'libraries are missing'* ]]
  works_from "$root/usr/local"
  grep -q '^ExecStart=/usr/local/bin/teleport-webhooks ' "$root/etc/systemd/system/teleport-webhooks.service"
  [ -e "$root/usr/local/share/man/man1/teleport-webhooks-serve.1.gz" ]
}

@test "the archive installs into another prefix" {
  unpack_and_install --prefix "$BATS_TEST_TMPDIR/opt" --root ""  >out || { cat out >&2; false; }
  works_from "$BATS_TEST_TMPDIR/opt"
}

@test "install names the Debian packages when libraries are missing" {
  mkdir bin
  printf '#!/bin/sh\necho "  libcurl.so.4 => not found"\n' >bin/ldd
  chmod +x bin/ldd
  PATH=$PWD/bin:$PATH run unpack_and_install --root "$root"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *'libraries are missing: libcurl.so.4 '* ]]
  packages=$(sed -n 's/^install: on Debian 12: apt install --no-install-recommends //p' <<<"$output")
  [[ $packages == *libcurl4* && $packages == *libgrpc++* ]]
  # All are here, or the programs would not run; some by the name of what provides them.
  # shellcheck disable=SC2086 # words
  apt-get --simulate --no-upgrade --no-install-recommends install $packages | grep -q '^0 upgraded, 0 newly installed'
}

@test "install says what is wrong with its arguments" {
  run unpack_and_install --perfix /x
  [ "$status" -eq 2 ]
  [[ $output == *'unknown argument "--perfix"'* ]]
}

@test "the Debian packages install with the dependencies of this release, and what they installed works" {
  install_debs
  works_from "$root/usr"
  [ "$(dpkg-query --root="$root" -W -f '${Version} ${db:Status-Abbrev}' teleport-webhooks)" = "$VERSION ii " ]
}

@test "everything lies where Debian expects it" {
  install_debs
  for file in bin/teleport-webhooks bin/teleport-sandbox \
    share/man/man1/teleport-webhooks.1.gz share/man/man1/teleport-webhooks-send.1.gz share/man/man1/teleport-sandbox.1.gz \
    share/man/man5/teleport-webhooks.toml.5.gz share/man/man7/teleport-webhooks-events.7.gz \
    share/bash-completion/completions/teleport-webhooks share/zsh/vendor-completions/_teleport-webhooks \
    share/fish/vendor_completions.d/teleport-webhooks.fish lib/systemd/system/teleport-webhooks.service \
    share/doc/teleport-webhooks/examples/teleport-webhooks.toml share/doc/teleport-webhooks/copyright; do
    [ -s "$root/usr/$file" ] || { echo "no $file" >&2; return 1; }
  done
  compgen -G "$root/usr/lib/teleport-webhooks/modules/*.so" >/dev/null
}

@test "the package of the program does not drag gRPC in" {
  depends=$(dpkg-deb -f "$PACKAGES"/teleport-webhooks_*.deb Depends)
  [[ $depends == *libc6* && $depends == *libcurl* && $depends == *libmicrohttpd* ]]
  [[ $depends != *grpc* && $depends != *protobuf* ]]
}

@test "the program was stripped and hardened" {
  install_debs
  file "$root/usr/bin/teleport-webhooks" | grep -q 'pie executable.*stripped'
  readelf --wide --dynamic "$root/usr/bin/teleport-webhooks" | grep -q BIND_NOW
  readelf --wide --program-headers "$root/usr/bin/teleport-webhooks" | grep -q GNU_RELRO
}

@test "the unit is sound and hardened" {
  install_debs
  unit=$root/usr/lib/systemd/system/teleport-webhooks.service
  # The unit names the installed program; here it lies below the other root.
  sed "s|/usr/bin/teleport-webhooks|$root/usr/bin/teleport-webhooks|" "$unit" >teleport-webhooks.service
  run systemd-analyze verify --man=no ./teleport-webhooks.service
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  systemd-analyze security --offline=true --threshold=20 ./teleport-webhooks.service >security || { cat security >&2; false; }
}

@test "the unit and the example configuration are those that the program prints" {
  install_debs
  diff <("$root/usr/bin/teleport-webhooks" configure) "$root/usr/share/doc/teleport-webhooks/examples/teleport-webhooks.toml"
  diff <("$root/usr/bin/teleport-webhooks" configure --kind systemd | sed 's|^ExecStart=[^ ]*|ExecStart=/usr/bin/teleport-webhooks|') \
    "$root/usr/lib/systemd/system/teleport-webhooks.service"
}

@test "packaging leaves the tree as git knows it" {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  [ -z "$(git status --porcelain --ignored=no -- build packaging completions)" ]
}
