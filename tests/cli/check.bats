#!/usr/bin/env bats
# `check` against set-ups that are broken, each in one way: it names the true cause, and nothing else is a problem.

# shellcheck disable=SC2030,SC2031  # ADDR is set and read within one test
bats_require_minimum_version 1.5.0

load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  PORTAL=$BATS_TEST_TMPDIR/teleport-webhooks.toml
}
teardown() { end_background; }

# A cluster and a receiver; then set-ups are made with `set_up`.
cluster() { # further arguments of the sandbox
  start_sandbox "$@"
  start_receiver
  ADDR=$SANDBOX_ADDR
}

# The three files of a user and the address, unless other lines are given.
set_up() { # lines for [teleport]; none: what works
  local lines=${1:-"client_key = \"$SANDBOX/plugin.key\"
client_crt = \"$SANDBOX/plugin.crt\"
root_cas = \"$SANDBOX/plugin.cas\""}
  cat >"$PORTAL" <<EOF
[teleport]
addr = "$ADDR"
connect_timeout = "2s"
$lines

[webhook]
webhook_url = "$HOOK_URL"
secret = "whsec_$(head -c 32 /dev/urandom | base64 -w 0)"

[http]
listen_addr = "127.0.0.1:0"
basic_auth.user = "portal"
basic_auth.password = "callback-password"

[state]
dir = "$BATS_TEST_TMPDIR/state"
${2:-}
EOF
}
identity() { printf 'identity = "%s"' "$1"; }

# The exit code, and the words that the first problem must hold; it must be the only one.
verdict() { # exit code, words...
  local code=$1 word
  shift
  run tw -c "$PORTAL" check
  echo "$output"
  [ "$status" -eq "$code" ]
  if [ "$code" -eq 0 ]; then
    ! grep -q '^✗' <<<"$output"
    return
  fi
  [ "$(grep -c '^✗' <<<"$output")" -eq 1 ]
  for word in "$@"; do
    [[ "$(grep '^✗' <<<"$output")" == *"$word"* ]]
  done
}

own_ca() { # name: name.crt and name.key, an authority nobody knows
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.crt" -days 2 \
    -subj "/O=elsewhere/CN=elsewhere" "${@:2}" 2>/dev/null
}

# A TLS server that is not Teleport, with a certificate of its own.
start_tls_server() { # certificate, key
  background tls openssl s_server -accept 127.0.0.1:0 -cert "$1" -key "$2" -naccept 100 -quiet
  local pid
  pid=$(pid_of tls)
  listening() { ss -ltnpH 2>/dev/null | grep -q "pid=$pid,"; }
  eventually listening
  ADDR=127.0.0.1:$(ss -ltnpH | grep "pid=$pid," | grep -oE '127\.0\.0\.1:[0-9]+' | head -1 | cut -d: -f2)
}

@test "a set-up without a fault: every line is fine, exit 0" {
  cluster
  set_up
  verdict 0
  set_up "$(identity "$SANDBOX/plugin.identity")"
  verdict 0
}

@test "an expired certificate: when it expired, exit 4" {
  cluster
  sandbox user --dir "$SANDBOX" plugin --ttl 1h --expired
  set_up
  verdict 4 "our client certificate $SANDBOX/plugin.crt (user plugin) expired on" 'tctl auth sign'
}

@test "a certificate that is not valid yet: the clock, exit 4" {
  cluster
  own_ca other
  openssl req -new -key other.key -subj /CN=plugin -out early.csr
  : >index.txt
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n' >ca.cnf
  openssl ca -config ca.cnf -selfsign -batch -in early.csr -keyfile other.key -startdate 20990101000000Z \
    -enddate 20990201000000Z -out early.crt -notext 2>/dev/null
  set_up "client_key = \"other.key\"
client_crt = \"early.crt\"
root_cas = \"$SANDBOX/plugin.cas\""
  verdict 4 'is not valid before 2099-01-01' "this machine's clock says" 'set the clock'
}

@test "the authority of another cluster: whose certificate it is and which authorities were looked at, exit 4" {
  cluster
  own_ca other
  set_up "client_key = \"$SANDBOX/plugin.key\"
client_crt = \"$SANDBOX/plugin.crt\"
root_cas = \"other.crt\""
  verdict 4 "$ADDR presents a certificate" 'that no CA in other.crt has signed' 'elsewhere'
}

@test "a client certificate of another cluster: that the server went away when it saw it, exit 7" {
  cluster
  own_ca other
  set_up "client_key = \"other.key\"
client_crt = \"other.crt\"
root_cas = \"$SANDBOX/plugin.cas\""
  verdict 7 "$ADDR closed the connection, right after our client certificate was shown (other.crt: user elsewhere" 'of another cluster'
}

@test "a server of another name: the name it has and the one that is due, exit 4" {
  cluster
  own_ca server -addext subjectAltName=DNS:vault.example.com
  cat server.crt "$SANDBOX/plugin.cas" >both.cas
  start_tls_server server.crt server.key
  set_up "client_key = \"$SANDBOX/plugin.key\"
client_crt = \"$SANDBOX/plugin.crt\"
root_cas = \"both.cas\""
  verdict 4 'presents a certificate for vault.example.com, not for teleport.cluster.local'
}

@test "a TLS server that is not Teleport: that its certificate is none of the cluster's, exit 4" {
  cluster
  own_ca server
  start_tls_server server.crt server.key
  set_up
  verdict 4 "$ADDR presents a certificate" 'has signed' 'teleport.addr may be another service'
}

@test "a port where nobody listens: refused, exit 7" {
  cluster
  ADDR=127.0.0.1:$(free_port)
  set_up
  verdict 7 "$ADDR" 'refused'
}

@test "a plain HTTP server: it does not speak TLS, exit 7" {
  cluster
  ADDR=$(grep -oE '127\.0\.0\.1:[0-9]+' <<<"$HOOK_URL")
  set_up
  verdict 7 "$ADDR does not speak TLS: it is not Teleport" '3025'
}

@test "a black hole that takes connections and says nothing: no answer in time, exit 7" {
  cluster
  cat >hole.py <<'EOF'
import socket, time
hole = socket.create_server(("127.0.0.1", 0))
print(hole.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(hole.accept())
EOF
  background hole python3 hole.py
  eventually test -s hole.out
  ADDR=127.0.0.1:$(out_of hole)
  set_up
  verdict 7 "$ADDR" 'in time'
}

@test "a proxy's web port where route = auth wants an Auth Service: says what it is, exit 4" {
  cluster --proxy 127.0.0.1:0
  ADDR=$(jq -r .proxy "$SANDBOX/sandbox.json")
  set_up "$(identity "$SANDBOX/plugin.identity")
route = \"auth\""
  verdict 4 "$ADDR is the web port of a Teleport proxy (18.2.0)" 'route = "auth" goes to an Auth Service only' 'set teleport.route = "auto"'
  set_up "$(identity "$SANDBOX/plugin.identity")"
  verdict 0
}

@test "a proxy of a release without TLS routing: says that no way leads through it, exit 7" {
  cluster --proxy 127.0.0.1:0 --teleport-version 6
  ADDR=$(jq -r .proxy "$SANDBOX/sandbox.json")
  set_up "$(identity "$SANDBOX/plugin.identity")"
  verdict 7 'Teleport 6.1.0 proxy without TLS routing' 'set teleport.addr to the Auth Service (port 3025)'
}

@test "a load balancer in the way of route = proxy: says what ends TLS, exit 7" {
  cluster --load-balancer 127.0.0.1:0
  ADDR=$(jq -r .load_balancer "$SANDBOX/sandbox.json")
  set_up "$(identity "$SANDBOX/plugin.identity")
route = \"proxy\""
  verdict 7 'something in between ends the TLS connection' 'teleport.route = "proxy-upgrade"'
}

@test "a load balancer whose certificate this system does not trust: that, exit 7" {
  cluster --load-balancer 127.0.0.1:0
  ADDR=$(jq -r .load_balancer "$SANDBOX/sandbox.json")
  set_up "$(identity "$SANDBOX/plugin.identity")"
  verdict 7 "the web certificate of $ADDR" 'is not trusted by this system' 'make its CA known to this system' 'SSL_CERT_FILE'
  SSL_CERT_FILE=$SANDBOX/web.cas verdict 0
}

@test "a proxy too old for connection upgrades behind a load balancer: since when they are known, exit 7" {
  cluster --load-balancer 127.0.0.1:0 --teleport-version 13
  ADDR=$(jq -r .load_balancer "$SANDBOX/sandbox.json")
  set_up "$(identity "$SANDBOX/plugin.identity")"
  SSL_CERT_FILE=$SANDBOX/web.cas verdict 7 'the proxy does not know connection upgrades (404): it is older than Teleport 15.1'
}

@test "a missing right is named: list, read, update, or the right to review; exit 4" {
  cluster
  set_up
  sandbox set-role --dir "$SANDBOX" plugin read,update
  verdict 4 'our role lacks list on access_request' 'without it missed requests are never found'
  sandbox set-role --dir "$SANDBOX" plugin list,read
  verdict 4 'our role lacks update on access_request' 'needed to approve and deny'
  sandbox set-role --dir "$SANDBOX" plugin list,update
  run tw -c "$PORTAL" check
  [ "$status" -eq 4 ]
  [[ "$(grep -m1 '^✗' <<<"$output")" == *'our role lacks read on access_request'* ]]
  set_up '' $'[callback]\nmode = "review"\ndelegator = "auth"'
  sandbox set-role --dir "$SANDBOX" plugin list,read
  verdict 4 'our role lacks allow.review_requests' 'needed to submit reviews'
}

@test "a key that does not belong to the certificate: both files, exit 4" {
  cluster
  set_up "client_key = \"$SANDBOX/reviewer.key\"
client_crt = \"$SANDBOX/plugin.crt\"
root_cas = \"$SANDBOX/plugin.cas\""
  verdict 4 "the key $SANDBOX/reviewer.key does not belong to the certificate $SANDBOX/plugin.crt"
}

@test "files that are missing are all named at once, exit 4" {
  cluster
  set_up 'client_key = "gone.key"
client_crt = "gone.crt"
root_cas = "gone.cas"'
  run tw -c "$PORTAL" check
  [ "$status" -eq 4 ]
  for file in client_key:gone.key client_crt:gone.crt root_cas:gone.cas; do
    [[ "$output" == *"teleport.${file%:*}: cannot read ${file#*:}: No such file or directory"* ]]
  done
}

@test "a key that this user may not read: that, exit 4" {
  cluster
  mkdir -m 0755 /tmp/check-bats-$$
  install -m 0644 "$SANDBOX"/plugin.crt "$SANDBOX"/plugin.cas /tmp/check-bats-$$
  install -m 0600 "$SANDBOX"/plugin.key /tmp/check-bats-$$
  local as=()
  if [ "$(id -u)" -eq 0 ]; then
    as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    "${as[@]}" test -x "$TW_BIN/teleport-webhooks" || skip 'another user cannot run the program where it lies'
  else
    chmod 0000 /tmp/check-bats-$$/plugin.key
  fi
  run env -C / "${as[@]}" "$TW_BIN/teleport-webhooks" -c /dev/null --addr "$ADDR" \
    --set "teleport.client_key=/tmp/check-bats-$$/plugin.key" --set "teleport.client_crt=/tmp/check-bats-$$/plugin.crt" \
    --set "teleport.root_cas=/tmp/check-bats-$$/plugin.cas" --set "state.dir=/tmp/check-bats-$$/state" \
    --set "webhook.webhook_url=$HOOK_URL" --set webhook.notify_only=true check
  rm -rf /tmp/check-bats-$$
  echo "$output"
  [ "$status" -eq 4 ]
  [[ "$(grep -m1 '^✗' <<<"$output")" == *'teleport.client_key: cannot read'*'plugin.key: Permission denied'* ]]
}

@test "a key that others may read: a warning with the command, exit 0, and 1 with --strict" {
  cluster
  chmod 0644 "$SANDBOX/plugin.key"
  set_up
  verdict 0
  [[ "$output" == *"! teleport: $SANDBOX/plugin.key holds a private key and has mode 0644: chmod 600 $SANDBOX/plugin.key"* ]]
  run tw -c "$PORTAL" check --strict
  [ "$status" -eq 1 ]
}

@test "an identity file that is empty, without authorities, or cut short: what is missing, exit 4" {
  cluster
  : >empty
  set_up "$(identity empty)"
  verdict 4 'empty is empty'
  awk '/BEGIN CERTIFICATE/ { n++ } n < 2' "$SANDBOX/plugin.identity" >no-ca
  set_up "$(identity no-ca)"
  verdict 4 'no-ca' 'CA'
  head -c 200 "$SANDBOX/plugin.identity" >short
  set_up "$(identity short)"
  verdict 4 'short'
}

@test "an Auth Service that cannot serve the event stream yet: that the first event does not come, exit 7" {
  cluster
  set_up
  sandbox fault --dir "$SANDBOX" call WatchEvents unavailable --message 'cache is not ready'
  verdict 7 'cache is not ready'
}

@test "check --signature reads a request as a socket, send -v, send --dry-run and curl -v show it" {
  start_receiver
  tw configure --new-secret >secret
  as_valid() { tw check --signature "$1" --secret-file secret | grep -qF '✓ signature: the signature is valid'; }
  names() { # cause
    run tw check --signature captured --secret-file secret
    [ "$status" -eq 4 ]
    [[ "$output" == *"$1"* ]] || { echo "$output" >&2; return 1; }
  }
  port=$(free_port)
  background socket socat -r wire "TCP-LISTEN:$port,bind=127.0.0.1" 'SYSTEM:cat >/dev/null & sleep 1'
  eventually test -e wire
  run tw send --test --url "http://127.0.0.1:$port/" --secret-file secret --timeout 5s
  [ "$status" -eq 8 ]
  eventually as_valid wire
  sed '1s/POST/> POST/; 2,/^.$/s/^/> /' wire >curl-shows-the-head
  as_valid curl-shows-the-head

  tw send --test --url "$HOOK_URL" --secret-file secret -v 2>shown
  as_valid shown
  tw send --test --url "$HOOK_URL" --secret-file secret --dry-run >captured
  names 'a newline was added at its end'
  cat wire - <<<'' >with-an-editors-newline
  as_valid with-an-editors-newline
  sed '/^.$/q' wire >captured
  names 'the body is missing'

  background shown_by_the_bin "$TW_BIN/teleport-sandbox" receive --listen 127.0.0.1:0 --secret-file secret
  eventually grep -q http: shown_by_the_bin.out
  tw send --test --url "$(grep -oE 'http://[0-9.:]+' shown_by_the_bin.out)/" --secret-file secret
  eventually grep -q answered shown_by_the_bin.out
  tail -n +2 shown_by_the_bin.out >captured
  names 'blanks were added between its JSON tokens'
}

@test "check --signature says when a right signature is worth nothing to the callback listener" {
  tw configure --new-secret >secret
  capture() { # method, path, body
    local now key
    now=$(date +%s)
    key=$(cut -d_ -f2 secret | base64 -d | od -An -tx1 | tr -d ' \n')
    printf '%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n' "$1" "$2" "${#3}"
    printf 'webhook-id: m1\r\nwebhook-timestamp: %s\r\nwebhook-signature: v1,%s\r\n\r\n%s' "$now" \
      "$(printf 'm1.%s.%s' "$now" "$3" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)" "$3"
  }
  capture POST /v1/requests/r/approve '{"request_id":"r","decision":"approve"}' >captured
  printf '\n' >>captured
  run -0 tw check --signature captured --secret-file secret
  [[ "$output" != *401* ]]
  capture POST / '{"payload":{"ReqID":"r","State":"Approved"}}' >captured
  run -0 tw check --signature captured --secret-file secret
  for body in '{"reason":"x"}' '{"request_id":"other","decision":"approve"}' '{"request_id":"r","decision":"deny"}'; do
    capture POST /v1/requests/r/approve "$body" >captured
    run -4 tw check --signature captured --secret-file secret
    [[ "$output" == *'✓ signature: the signature is valid'*'answered 401: the signed body must name request_id and decision'* ]]
  done
  capture GET /v1/requests/r '' >captured
  run -4 tw check --signature captured --secret-file secret
  [[ "$output" == *'answered 401: a signature never opens a GET'* ]]
}

@test "check --signature takes the secrets of the captured request's scheme from a configuration with both" {
  tw configure --new-secret >standard
  cat >both.toml <<EOF
[teleport]
addr = "127.0.0.1:1"
[webhook]
webhook_url = "https://127.0.0.1:1/"
secret_file = "standard"
[[endpoint]]
name = "forge"
url = "https://127.0.0.1:1/"
signature = "github"
secret = "a text of more than 24 bytes"
EOF
  for name in default forge; do
    tw -c both.toml send --test --endpoint "$name" --dry-run >captured
    run tw -c both.toml check --signature - <<<"$(cat captured)"
    [[ "$output" == *'a newline was added at its end'* ]] || { echo "$output" >&2; return 1; }
    printf %s "$(cat captured)" >exact
    tw -c both.toml check --signature exact | grep -qF '✓ signature: the signature is valid'
  done
  tw -c both.toml send --test --endpoint forge --dry-run >captured
  sed '/endpoint/,$d' both.toml >standard.toml
  run tw -c standard.toml check --signature captured
  [ "$status" -eq 4 ]
  [[ "$output" == *"signed under another scheme: GitHub's X-Hub-Signature-256"* ]]
}

@test "an Ed25519 key made as events(7) says signs, check prints its public half, and that verifies" {
  eval "$(grep -A 1 'openssl genpkey' "$BATS_TEST_DIRNAME/../../man/teleport-webhooks-events.7.scd")"
  [[ $(cat secret) == whsk_* ]]
  start_sandbox
  write_config plugin "secret_file = \"$PWD/secret\""
  run tw -c "$CONFIG" check --offline
  public=$(grep -oE 'its public key is whpk_[A-Za-z0-9+/]+=*' <<<"$output" | sed 's/.* //')
  [ -n "$public" ]
  [[ $output != *"$(cat secret)"* ]]
  echo "$public" >public
  tw -c "$CONFIG" send --test --dry-run >captured
  printf %s "$(cat captured)" >exact
  tw check --signature exact --secret-file public | grep -qF '✓ signature: the signature is valid'
}
