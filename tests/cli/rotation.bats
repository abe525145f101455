#!/usr/bin/env bats
# New secrets and certificates for the running daemon, file by file and SIGHUP by SIGHUP, while callers go on.

load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  start_sandbox
}
teardown() { end_background; }

@test "callers with the old or the new secret lose no callback while secrets and certificates rotate" {
  rotations=${TW_ROTATIONS:-60} # 1000 by hand
  certificates=4
  for ((i = 0; i < certificates; i++)); do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "pair$i.key" -out "pair$i.crt" -days 2 \
      -subj "/CN=pair $i" 2>/dev/null
  done
  cp pair0.key server.key
  cp pair0.crt server.crt
  secret_number() { printf 'rotation %d' "$1" | openssl dgst -sha256 -binary | base64 -w 0 | sed 's/^/whsec_/'; }
  secret_number 0 >old-secret
  secret_number 1 >new-secret
  write_config plugin "callback_secret_file = \"$PWD/new-secret\"" "
[[callback.caller]]
name = \"previous\"
hmac_secret_file = \"$PWD/old-secret\""
  sed -i "s|^\[callback\]|https_key_file = \"$PWD/server.key\"\nhttps_cert_file = \"$PWD/server.crt\"\nrate_limit = \"off\"\n&|" "$CONFIG"
  start_serve
  background rotate "$BATS_TEST_DIRNAME/rotate.py" "$(pid_of serve)" "$BATS_TEST_TMPDIR/serve.err" "$CALLBACK_PORT" \
    "$certificates" "$rotations" "$(ask)" "$(ask)"
  wait "$(pid_of rotate)" || {
    err_of rotate
    false
  }
  sed "s/^/# /" rotate.out >&3
  [ "$(grep -c 'configuration reloaded' serve.err)" -eq "$rotations" ]
  # The last pair is shown.
  openssl s_client -connect "127.0.0.1:$CALLBACK_PORT" </dev/null >session 2>/dev/null
  [ "$(openssl x509 -noout -subject <session)" = "subject=CN = pair $((rotations % certificates))" ]
  # Agreed on with the share that the client sent unasked, without another round trip.
  grep -q 'Server Temp Key: X25519' session
  [[ "$(tw -c "$CONFIG" check --offline)" == *'✓ audit'* ]]
}
