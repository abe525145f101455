#!/usr/bin/env bats
# A disk that is full: nothing is decided that the audit trail could not tell, and callbacks work again once there is
# room. The state directory is a small file system of the test's own.

load helpers

setup() { unshare --mount mount -t tmpfs -o size=1m tmpfs /mnt 2>/dev/null || skip 'needs a mount namespace of its own'; }

@test "a full disk decides nothing, and callbacks work again when there is room" {
  export BATS_TEST_DIRNAME BATS_TEST_TMPDIR TW_BIN
  unshare --mount "$BASH" -c '
    set -euo pipefail
    source "$BATS_TEST_DIRNAME/helpers.bash"
    trap end_background EXIT
    start_sandbox
    id=$(ask)
    write_config
    mkdir -m 700 "$BATS_TEST_TMPDIR/state"
    mount -t tmpfs -o size=8m,mode=700 tmpfs "$BATS_TEST_TMPDIR/state"
    start_serve
    approve() {
      curl -ks -o /dev/null -w "%{http_code}\n" -u portal:callback-password -X POST \
        "https://127.0.0.1:$CALLBACK_PORT/v1/requests/$id/approve"
    }
    dd if=/dev/zero of="$BATS_TEST_TMPDIR/state/ballast" bs=64k 2>/dev/null || true
    approve
    approve
    state_of "$id"
    rm "$BATS_TEST_TMPDIR/state/ballast"
    approve
    state_of "$id"
    tw check --offline -c "$CONFIG" | grep -o "audit: .*" || true
  ' >"$BATS_TEST_TMPDIR/log" 2>&1 || {
    cat "$BATS_TEST_TMPDIR/log"
    false
  }
  diff "$BATS_TEST_TMPDIR/log" - <<'EXPECTED'
503
503
PENDING
200
APPROVED
audit: 1 records, the chain is unbroken
EXPECTED
}
