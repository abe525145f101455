# Shared by the bats files: a sandbox, a request bin and a daemon of one's own, all on loopback, ended with the test.
# TW_BIN names the folder of the programs under test.

TW_BIN=${TW_BIN:-$BATS_TEST_DIRNAME/../../build/release/bin}
tw() { "$TW_BIN/teleport-webhooks" "$@"; }
sandbox() { "$TW_BIN/teleport-sandbox" "$@"; }

# Waits until a command succeeds, 10 seconds at most: `eventually grep -q done file`.
eventually() {
  local i
  for ((i = 0; i < 200; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.05
  done
  echo "never true: $*" >&2
  return 1
}

# Every child started through `background` is killed with the test.
background() { # name, command...
  local name=$1
  shift
  "$@" >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" 3>&- &
  printf '%s\n' $! >"$BATS_TEST_TMPDIR/$name.pid"
}
pid_of() { cat "$BATS_TEST_TMPDIR/$1.pid"; }
out_of() { cat "$BATS_TEST_TMPDIR/$1.out"; }
err_of() { cat "$BATS_TEST_TMPDIR/$1.err"; }

end_background() {
  local file pid
  for file in "$BATS_TEST_TMPDIR"/*.pid; do
    [[ -e $file ]] || continue
    pid=$(cat "$file")
    # A child that leads a group (setsid) goes with all of it.
    kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}

start_sandbox() { # further arguments of `start`
  SANDBOX=$BATS_TEST_TMPDIR/sandbox
  background sandbox "$TW_BIN/teleport-sandbox" start --dir "$SANDBOX" --addr 127.0.0.1:0 "$@"
  eventually test -s "$SANDBOX/sandbox.json"
  SANDBOX_ADDR=$(jq -r .address "$SANDBOX/sandbox.json")
}
ask() { sandbox request --dir "$SANDBOX" --user alice --role dba "$@"; }

start_receiver() { # further arguments of `receive`
  background receiver "$TW_BIN/teleport-sandbox" receive --listen "${RECEIVER_ADDR:-127.0.0.1:0}" -o ndjson "$@"
  eventually grep -qE 'http://127\.0\.0\.1:[0-9]+' "$BATS_TEST_TMPDIR/receiver.err" "$BATS_TEST_TMPDIR/receiver.out"
  HOOK_URL=$(cat "$BATS_TEST_TMPDIR/receiver.err" "$BATS_TEST_TMPDIR/receiver.out" | grep -oE 'http://127\.0\.0\.1:[0-9]+' | head -1)/hook
}
received() { grep '^{' "$BATS_TEST_TMPDIR/receiver.out"; }
received_count() { grep -c '^{' "$BATS_TEST_TMPDIR/receiver.out"; }
received_at_least() { [[ $(received_count) -ge $1 ]]; }

# A free TCP port of loopback, below those that the system gives to outgoing connections: it stays free until it is used.
free_port() {
  local port
  for _ in $(seq 50); do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
  return 1
}

write_config() { # user, then lines for [webhook]
  local user=${1:-plugin}
  CALLBACK_PORT=$(free_port)
  CONFIG=$BATS_TEST_TMPDIR/teleport-webhooks.toml
  cat >"$CONFIG" <<EOF
[teleport]
addr = "$SANDBOX_ADDR"
client_key = "$SANDBOX/$user.key"
client_crt = "$SANDBOX/$user.crt"
root_cas = "$SANDBOX/$user.cas"

[webhook]
webhook_url = "${HOOK_URL:-http://127.0.0.1:9/hook}"
request_states = ["*"]
payload = "event"
retry.initial = "50ms"
retry.max = "500ms"
breaker.max = "1s"
${2:-}

[http]
listen_addr = "127.0.0.1:$CALLBACK_PORT"
public_addr = "https://127.0.0.1:$CALLBACK_PORT"
basic_auth.user = "portal"
basic_auth.password = "callback-password"

[callback]
delegator = "auth"

[state]
dir = "$BATS_TEST_TMPDIR/state"

[diagnostics]
listen_addr = "127.0.0.1:0"
${3:-}
EOF
}

# Settings of [teleport] only, for a user of the sandbox.
client_config() { # user
  CONFIG=$BATS_TEST_TMPDIR/client.toml
  printf '[teleport]\naddr = "%s"\nclient_key = "%s"\nclient_crt = "%s"\nroot_cas = "%s"\n' \
    "$SANDBOX_ADDR" "$SANDBOX/$1.key" "$SANDBOX/$1.crt" "$SANDBOX/$1.cas" >"$CONFIG"
}
state_of() { sandbox show --dir "$SANDBOX" "$1" -o json | jq -r .state; }

start_serve() {
  background serve "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" "$@"
  eventually grep -q 'in step with Teleport' "$BATS_TEST_TMPDIR/serve.err"
}

callback() { # method, path, curl arguments...
  local method=$1 path=$2
  shift 2
  curl -sk -u portal:callback-password -o "$BATS_TEST_TMPDIR/answer" -w '%{http_code}' -X "$method" "$@" \
    "https://127.0.0.1:$CALLBACK_PORT$path"
}
answer() { cat "$BATS_TEST_TMPDIR/answer"; }
