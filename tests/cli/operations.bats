#!/usr/bin/env bats
# The daemon as those see it who run it: signals, the service manager, reloads, the log, the pid file, diagnostics.

load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  start_sandbox
}
teardown() { end_background; }

serve_log() { err_of serve; }
logged() { grep -q -- "$1" "$BATS_TEST_TMPDIR/serve.err"; }
logged_times() { [[ $(grep -c -- "$1" "$BATS_TEST_TMPDIR/serve.err") -eq $2 ]]; }
diagnostics() { # path, curl arguments...
  local address
  address=$(sed -n 's/.*diagnostics listener address=//p' "$BATS_TEST_TMPDIR/serve.err" | tail -1)
  curl -s "${@:2}" "http://$address$1"
}
start_unready() { # serve, before Teleport answers
  kill -STOP "$(pid_of sandbox)"
  background serve "$TW_BIN/teleport-webhooks" serve -c "$CONFIG"
  eventually logged 'diagnostics listener'
}
listen_as_manager() {
  export NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify.socket
  background manager python3 "$BATS_TEST_DIRNAME/notify.py" "$NOTIFY_SOCKET"
  eventually test -S "$NOTIFY_SOCKET"
}
heard() { grep -qF -- "$1" "$BATS_TEST_TMPDIR/manager.out"; }
unheard() { ! heard "$1"; }
reload() { # the daemon, and wait for its word
  local before
  before=$(grep -cE 'configuration reloaded|reload refused' "$BATS_TEST_TMPDIR/serve.err" || true)
  kill -HUP "$(pid_of serve)"
  eventually eval '[[ $(grep -cE "configuration reloaded|reload refused" "$BATS_TEST_TMPDIR/serve.err") -gt '"$before"' ]]'
}

@test "the service manager hears READY once Teleport was compared, whatever was reloaded before" {
  write_config
  listen_as_manager
  start_unready
  reload
  eventually heard STATUS=
  unheard READY=1
  unheard RELOADING=1
  kill -CONT "$(pid_of sandbox)"
  eventually heard "'READY=1'"
  eventually heard "'STATUS=in step with example.com'"
  reload
  eventually grep -qE "'RELOADING=1.nMONOTONIC_USEC=[0-9]+'" "$BATS_TEST_TMPDIR/manager.out"
  eventually eval '[[ $(grep -c READY=1 "$BATS_TEST_TMPDIR/manager.out") -eq 2 ]]'
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  heard STOPPING=1
  unheard WATCHDOG=1 # nobody asked for it
}

@test "what a filter failed on is a dead letter at once, and the name of a renamed endpoint stays no longer than its deliveries" {
  start_receiver
  write_config plugin '' "
[[endpoint]]
name = \"old\"
url = \"$HOOK_URL\"
request_states = [\"*\"]
when = \".data.user.name\""
  start_serve
  id=$(ask)
  eventually logged "dead letter: the filter of its endpoint failed on the event endpoint=old"
  eventually received_at_least 1 # the other endpoint's
  run tw -c "$CONFIG" check --queue
  [[ $output == *"old: open, 0 pending, 1 dead, 0 delivered"* ]]
  [[ $output == *" of $id after 0 attempts: $CONFIG:"*"endpoint.old.when: jq: "* ]]
  sed -i 's/name = "old"/name = "new"/' "$CONFIG"
  reload
  run tw -c "$CONFIG" check --queue
  [[ $output == *"old: open, 0 pending, 1 dead, 0 delivered (not configured any more"* ]]
  dead=$(tw -c "$CONFIG" check --queue -o ndjson | jq '.dead_letter // empty')
  tw -c "$CONFIG" send --delivery "$dead" --discard
  run tw -c "$CONFIG" check --queue
  [[ $output == *"new: open, 0 pending"* && $output != *old* ]]
}

@test "a reload tells receivers of no callback listener that there is not" {
  start_receiver
  write_config plugin 'notify_only = true'
  sed -i 's/payload = "event"/payload = "legacy"/' "$CONFIG"
  start_serve
  sed -i 's/notify_only = true/notify_only = false/' "$CONFIG"
  reload
  logged 'changed only by a restart'
  ask
  eventually received_at_least 1
  [ "$(received | jq -c '.body | [.NotifyOnly, .CallbackURL]')" = '[true,""]' ]
}

@test "signs of life come well within the time that the service manager gives" {
  write_config
  listen_as_manager
  WATCHDOG_USEC=500000 start_serve
  sleep 3
  kill -STOP "$(pid_of serve)"
  # At least one each half of it; this machine may be busy, so the time itself is the limit.
  grep WATCHDOG=1 "$BATS_TEST_TMPDIR/manager.out" |
    awk 'last && $1 - last > 0.5 { exit 1 } { last = $1; n++ } END { exit n < 8 }'
  kill -CONT "$(pid_of serve)"
}

@test "signs of life are not sent for another process" {
  write_config
  listen_as_manager
  WATCHDOG_USEC=500000 WATCHDOG_PID=1 start_serve
  eventually heard READY=1
  sleep 1
  unheard WATCHDOG=1
}

@test "before Teleport answers the daemon lives, is not ready and says why" {
  write_config
  start_unready
  [ "$(diagnostics /livez -o /dev/null -w '%{http_code}')" = 200 ]
  [ "$(diagnostics /readyz -w '%{http_code}')" = $'not ready: Teleport: starting\n503' ]
  diagnostics /metrics | grep -qx 'teleport_webhooks_teleport_connected 0'
  diagnostics /metrics | grep -qx 'teleport_webhooks_events_total{type="access_request.created"} 0'
  kill -CONT "$(pid_of sandbox)"
  eventually logged 'in step with Teleport'
  [ "$(diagnostics /readyz -w '%{http_code}')" = $'ready\n200' ]
  # As it is now, not as it was at the last sample.
  diagnostics /metrics | grep -qx 'teleport_webhooks_teleport_connected 1'
  [ "$(diagnostics /readyz -o /dev/null -w '%{http_code}' -X POST)" = 405 ]
  [ "$(diagnostics /secrets -o /dev/null -w '%{http_code}')" = 404 ]
}

@test "a reload names what only a restart can change, and a bad configuration changes nothing and says why" {
  write_config
  start_serve
  cp "$CONFIG" good
  sed -i 's|^addr = .*|addr = "127.0.0.1:1"\nconnect_timeout = "3s"\nrefresh_interval = "7m"|; s|^dir = .*|dir = "elsewhere"|' "$CONFIG"
  sed -i "s|^listen_addr = \"127.0.0.1:$CALLBACK_PORT\"|listen_addr = \"127.0.0.1:1\"\ntrusted_proxies = [\"192.0.2.1\"]|" "$CONFIG"
  reload
  [ "$(serve_log | sed -n 's/.*changed only by a restart key=//p' | sort | paste -sd ' ')" = \
    "http.listen_addr state.dir teleport.addr teleport.connect_timeout teleport.refresh_interval" ]
  [ ! -e elsewhere ]  # nor is anything made there
  cp good "$CONFIG"
  sed -i 's|^\[webhook\]|fail_fast = true\nroute = "auth"\n&|; s|^dir = .*|&\non_start = "none"|' "$CONFIG"
  sed -i 's|^\[callback\]|max_body = "1KiB"\nrequest_timeout = "3s"\n&|' "$CONFIG"
  sed -i 's|^listen_addr = "127.0.0.1:0"|listen_addr = "off"\n[log]\noutput = "stdout"\nformat = "json"|' "$CONFIG"
  : >"$BATS_TEST_TMPDIR/serve.err"
  reload
  [ "$(serve_log | sed -n 's/.*changed only by a restart key=//p' | sort | paste -sd ' ')" = \
    "diagnostics.listen_addr http.max_body http.request_timeout log.format log.output state.on_start teleport.fail_fast teleport.route" ]
  echo 'nonsense = 1' >>"$CONFIG"
  reload
  logged 'reload refused; the old configuration stays error=".*nonsense: unknown key'
  rm "$CONFIG"
  reload
  logged 'reload refused.*No such file'
  cp good "$CONFIG"
  reload
  logged_times 'configuration reloaded' 2
  ask
}

@test "deliveries of an endpoint that was removed are named in the log, kept, and sent when it is back" {
  start_receiver
  write_config
  closed=$(free_port)
  cat >>"$CONFIG" <<EOF
[[endpoint]]
name = "second"
url = "http://127.0.0.1:$closed/hook"
request_states = ["*"]
payload = "event"
EOF
  start_serve
  ask
  eventually logged 'endpoint=second.*Failed to connect'
  cp "$CONFIG" both
  sed -i '/^\[\[endpoint/,$d' "$CONFIG"
  reload
  eventually logged 'deliveries wait for an endpoint that is not configured; none is sent endpoint=second pending=1 kept_for=168h'
  diagnostics /metrics | grep -qx 'teleport_webhooks_queue_depth{endpoint="second"} 1'
  eventually eval '! diagnostics /metrics | grep -q "endpoint_state{endpoint=.second"'
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  start_serve
  eventually logged 'deliveries wait for an endpoint that is not configured'
  eventually received_at_least 1
  sed "s|^url = .*|url = \"$HOOK_URL\"|" both >"$CONFIG"
  reload
  eventually received_at_least 2
  [ "$(received | jq -r '.body.id' | sort -u | wc -l)" -eq 1 ]
}

@test "TERM lets a delivery in flight finish, and a second one ends the waiting" {
  start_receiver --delay 2s
  write_config
  start_serve --shutdown-timeout 1h
  ask
  sleep 0.5
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  [ "$(received_count)" -eq 1 ]
  tw check -c "$CONFIG" --queue | grep -q '0 pending'

  kill -STOP "$(pid_of receiver)"
  start_serve --shutdown-timeout 1h
  ask
  sleep 0.5
  kill -TERM "$(pid_of serve)"
  eventually logged 'asked to end'
  sleep 0.5
  kill -0 "$(pid_of serve)"
  started=$SECONDS
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  ((SECONDS - started < 5))
  logged 'asked to end once more'
  tw check -c "$CONFIG" --queue | grep -q '1 pending'
}

@test "--pid-file is written, refuses a second daemon, outlives a crash without harm and goes at the end" {
  write_config
  file=$BATS_TEST_TMPDIR/daemon.pid
  start_serve --pid-file "$file"
  [ "$(cat "$file")" = "$(pid_of serve)" ]
  run timeout 10 "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" --set state.dir="$BATS_TEST_TMPDIR/other" \
    --set http.listen_addr=127.0.0.1:0 --pid-file "$file"
  [ "$status" -eq 1 ]
  [[ "$output" == *"cannot write the pid file $file: the process that it names ($(pid_of serve)) lives and holds it"* ]]
  [ "$(cat "$file")" = "$(pid_of serve)" ]
  kill -KILL "$(pid_of serve)"
  wait "$(pid_of serve)" || true
  start_serve --pid-file "$file"
  [ "$(cat "$file")" = "$(pid_of serve)" ]
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  [ ! -e "$file" ]
  run timeout 10 "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" --pid-file /dev/null
  [ "$status" -eq 1 ]
  [[ "$output" == *'cannot write the pid file /dev/null: it is no regular file'* ]]
  [ -c /dev/null ]
}

@test "every line of a JSON log is JSON, warnings of the configuration included" {
  write_config
  printf '[log]\nformat = "json"\n' >>"$CONFIG"
  chmod 0644 "$CONFIG"
  start_serve
  reload
  serve_log | jq -es 'length > 5' # fails at a line that is none
  [ "$(serve_log | jq -r 'select(.level == "warn") | .message' | grep -c 'holds secrets')" -eq 2 ]
}

@test "after the log was moved away HUP begins a new one, and what cannot be opened is told in the old one" {
  write_config
  log=$BATS_TEST_TMPDIR/daemon.log
  printf '[log]\noutput = "%s"\n' "$log" >>"$CONFIG"
  background serve "$TW_BIN/teleport-webhooks" serve -c "$CONFIG"
  eventually grep -q 'in step' "$log"
  [ "$(stat -c %a "$log")" = 600 ]
  mv "$log" "$log.1"
  kill -HUP "$(pid_of serve)"
  eventually grep -q 'configuration reloaded' "$log"
  mv "$log" "$log.2"
  mkdir "$log"
  kill -HUP "$(pid_of serve)"
  eventually grep -q 'cannot reopen the log.*Is a directory' "$log.2"
  rmdir "$log"
  kill -HUP "$(pid_of serve)"
  eventually grep -q 'configuration reloaded' "$log"
}

@test "what ends the daemon stands in the log file too" {
  write_config
  log=$BATS_TEST_TMPDIR/daemon.log
  printf '[log]\noutput = "%s"\n' "$log" >>"$CONFIG"
  run timeout 20 "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" --addr 127.0.0.1:1 --fail-fast
  [ "$status" -eq 7 ]
  [[ "$output" == *'127.0.0.1:1 refused the connection'* ]]
  grep -q 'ERROR ended by an error error="127.0.0.1:1 refused the connection" hint="nothing listens there' "$log"
}

@test "a state directory that was removed underneath is told, and the daemon is not ready" {
  write_config
  start_serve
  mv "$BATS_TEST_TMPDIR/state" "$BATS_TEST_TMPDIR/away"
  eventually logged 'ERROR the state directory .* was removed or replaced'
  [[ "$(diagnostics /readyz)" == *'was removed or replaced'* ]]
  mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/state"
  eventually logged 'the state directory is back in its place'
  [ "$(diagnostics /readyz)" = ready ]
}

@test "too few open files are an error with a remedy, not a crash, and the soft limit is raised" {
  write_config
  run bash -c "ulimit -n 32; exec timeout 10 '$TW_BIN/teleport-webhooks' serve -c '$CONFIG'"
  [ "$status" -eq 1 ]
  [[ "$output" == *'only 32 files may be open at once; serve needs 128 at least'*LimitNOFILE* ]]
  ulimit -Sn 64
  start_serve
  [ "$(awk '/^Max open files/ { print $4 }' "/proc/$(pid_of serve)/limits")" -gt 64 ]
}

@test "TERM ends the daemon though nobody reads its log" {
  write_config
  mkfifo log.pipe
  exec 9<>log.pipe
  background serve bash -c "exec '$TW_BIN/teleport-webhooks' serve -c '$CONFIG' --pid-file pid 2>log.pipe 9>&-"
  eventually test -s pid
  for i in $(seq 100); do echo "nonsense$i = 1"; done >>"$CONFIG"  # a long line for each reload
  in_pipe() { python3 -c 'import array, fcntl, termios; n = array.array("i", [0]); fcntl.ioctl(9, termios.FIONREAD, n); print(n[0])'; }
  full() {
    local before
    before=$(in_pipe)
    kill -HUP "$(pid_of serve)"
    sleep 0.2
    [[ $before -gt 30000 && $(in_pipe) -eq $before ]]
  }
  eventually full
  kill -TERM "$(pid_of serve)"
  ended() { ! kill -0 "$(pid_of serve)"; }
  eventually ended
  exec 9>&-
}
