#!/usr/bin/env bats
# The one-shot verbs, as people and scripts use them: outputs, exit codes, pipes.

bats_require_minimum_version 1.5.0
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  start_sandbox
}
teardown() { end_background; }

@test "approve and deny decide, repeat harmlessly, and refuse the opposite with exit 6" {
  client_config plugin
  id=$(ask)
  run tw -c "$CONFIG" approve "$id" --reason 'on call'
  [ "$status" -eq 0 ]
  [ "$output" = "$id approved" ]
  [ "$(state_of "$id")" = APPROVED ]
  run tw -c "$CONFIG" approve "$id"
  [ "$status" -eq 0 ]
  [ "$output" = "$id approved (already)" ]
  run tw -c "$CONFIG" deny "$id"
  [ "$status" -eq 6 ]
  [ "$(state_of "$id")" = APPROVED ]
}

@test "exit codes: usage 2, configuration 3, rights 4, not found 5, unreachable 7, mixed 9, time limit 124" {
  client_config plugin
  id=$(ask)
  run tw approve
  [ "$status" -eq 2 ]
  run tw approve evt_0011
  [ "$status" -eq 2 ]
  [[ $output == *.data.id* ]]
  run tw aprove x
  [ "$status" -eq 2 ]
  [[ $output == *'did you mean "approve"'* ]]
  run tw -c /nonexistent.toml approve x
  [ "$status" -eq 3 ]
  run tw -c "$CONFIG" approve 00000000-0000-0000-0000-000000000000
  [ "$status" -eq 5 ]
  run tw -c "$CONFIG" approve "$id" 00000000-0000-0000-0000-000000000000
  [ "$status" -eq 9 ]
  run tw -c "$CONFIG" --addr 127.0.0.1:1 watch --once
  [ "$status" -eq 7 ]
  run tw -c "$CONFIG" --timeout 300ms watch --watch-only
  [ "$status" -eq 124 ]
  client_config notify
  run tw -c "$CONFIG" approve "$(ask)"
  [ "$status" -eq 4 ]
  [[ $output == *"update on access_request"* ]]
}

@test "an error of -o json is one object on the last line of stderr" {
  client_config plugin
  tw -c "$CONFIG" -o json approve 00000000-0000-0000-0000-000000000000 >out 2>err || true
  [ "$(tail -n 1 err | jq -r .error.code,.error.exit | tr '\n' ' ')" = "not_found 5 " ]
}

@test "gRPC keeps its own lines out of stderr, unless GRPC_VERBOSITY asks for them" {
  client_config plugin
  # A trace that it does not know is something that gRPC complains about.
  GRPC_TRACE=nosuchtrace tw -c "$CONFIG" -o json watch --once >out 2>err
  [ ! -s err ]
  GRPC_VERBOSITY=error GRPC_TRACE=nosuchtrace tw -c "$CONFIG" -o json watch --once >out 2>err
  grep -q nosuchtrace err
}

@test "watch --once prints events, an array with -o json, and what --jq makes of them" {
  client_config plugin
  id=$(ask --reason 'rotate keys')
  [ "$(tw -c "$CONFIG" watch --once | jq -r '.type, .data.reason' | tr '\n' '|')" = "access_request.created|rotate keys|" ]
  [ "$(tw -c "$CONFIG" watch --once -o json | jq length)" -eq 1 ]
  [ "$(tw -c "$CONFIG" watch --once --jq .data.id)" = "\"$id\"" ]
  [ -z "$(tw -c "$CONFIG" watch --once --user nobody-else)" ]
  run tw -c "$CONFIG" watch -o json
  [ "$status" -eq 2 ]
}

@test "watch ends quietly when its reader has gone, and says so when its output is full" {
  client_config plugin
  ask
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch 2>&1 | head -n 1 | cut -c1-7"
  [ "$output" = '{"type"' ]
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch --once 2>&1 >/dev/full"
  [ "$status" -eq 1 ]
  [[ $output == *"No space left"* ]]
}

@test "a pipe that nobody reads keeps no verb beyond its time limit or a second signal" {
  client_config plugin
  sandbox burst --dir "$SANDBOX" --count 300 >/dev/null
  mkfifo "$BATS_TEST_TMPDIR/pipe"
  exec 9<>"$BATS_TEST_TMPDIR/pipe" # a reader that never reads
  "$TW_BIN/teleport-webhooks" -c "$CONFIG" watch >"$BATS_TEST_TMPDIR/pipe" 3>&- 9>&- &
  local watching=$!
  full() { python3 -c 'import select, sys; sys.exit(bool(select.select([], [9], [], 0)[1]))'; }
  eventually full
  SECONDS=0
  kill -TERM "$watching"
  sleep 0.2 # two of the same kind that wait are one
  kill -TERM "$watching"
  local code=0
  wait "$watching" || code=$?
  [ "$code" -eq 143 ]
  ((SECONDS < 4))
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch --timeout 100ms >'$BATS_TEST_TMPDIR/pipe'"
  exec 9>&-
  [ "$status" -eq 124 ]
}

@test "a pipe that another program made non-blocking loses nothing" {
  python3 - "$TW_BIN/teleport-webhooks" >"$BATS_TEST_TMPDIR/slow" <<'PYTHON'
import fcntl, os, select, subprocess, sys, time
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
os.set_blocking(writer, False)
program = subprocess.Popen([sys.argv[1], "completion", "bash"], stdout=writer)
while select.select([], [writer], [], 0)[1]:
    time.sleep(0.01)
os.close(writer)
while text := os.read(reader, 1000):
    os.write(1, text)
sys.exit(program.wait())
PYTHON
  tw completion bash | cmp - "$BATS_TEST_TMPDIR/slow"
}

@test "watch --until waits for the decision; another outcome is exit 6, an unknown request 5" {
  client_config plugin
  id=$(ask)
  background waiting "$TW_BIN/teleport-webhooks" -c "$CONFIG" watch --id "$id" --until approved
  eventually grep -q created "$BATS_TEST_TMPDIR/waiting.out"
  sandbox approve --dir "$SANDBOX" "$id"
  wait "$(pid_of waiting)"
  run tw -c "$CONFIG" watch --id "$id" --until denied
  [ "$status" -eq 6 ]
  run tw -c "$CONFIG" watch --id 00000000-0000-0000-0000-000000000000 --until denied
  [ "$status" -eq 5 ]
}

@test "watch reports after a lost connection what it missed" {
  client_config plugin
  background watching "$TW_BIN/teleport-webhooks" -c "$CONFIG" -v watch --watch-only
  eventually grep -q 'connected to' "$BATS_TEST_TMPDIR/watching.err"
  first=$(ask)
  eventually grep -q "$first" "$BATS_TEST_TMPDIR/watching.out"
  for ending in ok unavailable unknown invalid-argument; do
    sandbox fault --dir "$SANDBOX" end-streams --status "$ending"
    id=$(ask --reason "after $ending")
    eventually grep -q "$id" "$BATS_TEST_TMPDIR/watching.out"
    [ "$(grep -c "\"$id\"" "$BATS_TEST_TMPDIR/watching.out")" -eq 1 ]
  done
}

@test "watch | approve - decides what is pending and skips the rest with a note" {
  client_config plugin
  one=$(ask)
  two=$(ask)
  sandbox deny --dir "$SANDBOX" "$two"
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch --once | '$TW_BIN/teleport-webhooks' -c '$CONFIG' approve -"
  [ "$status" -eq 0 ]
  [[ $output == *"$two: skipped"* ]]
  [ "$(state_of "$one")" = APPROVED ]
  [ "$(state_of "$two")" = DENIED ]
}

@test "ids come as --jq prints them; an array or a slip in the middle is told, with the exit code that the process has" {
  client_config plugin
  id=$(ask)
  tw -c "$CONFIG" watch --once --jq .data.id >ids
  [ "$(tw -c "$CONFIG" approve - --dry-run <ids)" = "$id approved (would be; nothing was done)" ]
  tw -c "$CONFIG" watch --once -o json >array
  run tw -c "$CONFIG" approve - <array
  [ "$status" -eq 2 ]
  [[ $output == *"line 1: an array"*"jq -c '.[]'"* ]]
  [ "$(state_of "$id")" = PENDING ]
  status=0
  printf '%s\nno id\n' "$id" | tw -c "$CONFIG" -o json approve - >out 2>err || status=$?
  [ "$status" -eq 9 ]
  [ "$(jq -c .error.code,.error.exit <err | tr '\n' ' ')" = '"mixed" 9 ' ]
  [ "$(state_of "$id")" = APPROVED ]
}

@test "--dry-run says what would become of a request, and what would be refused" {
  client_config plugin
  id=$(ask)
  run tw -c "$CONFIG" approve "$id" --dry-run --role admin
  [ "$status" -eq 2 ]
  [[ $output == *'role "admin" was not requested'* ]]
  [ "$(tw -c "$CONFIG" approve "$id" --dry-run --mode review)" = "$id pending (would be reviewed; nothing was done)" ]
  [ "$(tw -c "$CONFIG" approve "$id" --dry-run --role dba -o json | jq -r .state,.dry_run | tr '\n' ' ')" = 'APPROVED true ' ]
  [ "$(state_of "$id")" = PENDING ]
}

@test "watch --once ends with 4 when the role may not list: an empty list would be a lie" {
  client_config nobody
  ask
  run --separate-stderr tw -c "$CONFIG" -o json watch --once
  [ "$status" -eq 4 ]
  [ "$output" = '[]' ]
  # shellcheck disable=SC2154  # set by run
  [[ "$(tail -n 1 <<<"$stderr" | jq -r .error.message)" == *'role lacks list on access_request'* ]]
}

@test "watch --once ends with 1 when its jq program failed, and still prints the rest" {
  client_config plugin
  ask --reason good
  ask --reason bad
  status=0
  tw -c "$CONFIG" watch --once -o json --jq 'if .data.reason == "bad" then error("no") else .data.reason end' >out 2>err || status=$?
  [ "$status" -eq 1 ]
  [ "$(jq -c . out)" = '["good"]' ]
  [ "$(tail -n 1 err | jq -r .error.message)" = '--jq failed on 1 access requests' ]
}

@test "send --test posts a signed event to a request bin without any configuration" {
  tw configure --new-secret >"$BATS_TEST_TMPDIR/secret"
  start_receiver --secret-file "$BATS_TEST_TMPDIR/secret"
  run tw send --test --url "$HOOK_URL" --secret-file "$BATS_TEST_TMPDIR/secret" --field data.user=zoe
  [ "$status" -eq 0 ]
  eventually received_at_least 1
  [ "$(received | jq -r '.valid, .body.type, .body.data.user' | tr '\n' ' ')" = "true endpoint.test zoe " ]
  run tw send --test --url http://127.0.0.1:1/
  [ "$status" -eq 8 ]
  run tw send --test --url http://192.0.2.1/
  [ "$status" -eq 2 ]
}

@test "events from watch go through jq into send, with their own ids" {
  client_config plugin
  start_receiver
  ask
  tw -c "$CONFIG" watch --once | jq -c 'select(.data.roles | index("dba"))' | tw send --url "$HOOK_URL" -
  eventually received_at_least 1
  [ "$(received | jq -r '.headers["webhook-id"]')" = "$(tw -c "$CONFIG" watch --once | jq -r .id)" ]
}

@test "a dead letter is shown, sent again under the same id, and then gone" {
  start_receiver --status 400
  write_config
  start_serve
  ask
  eventually received_at_least 1
  eventually grep -q 'dead letter' "$BATS_TEST_TMPDIR/serve.err"
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  run tw -c "$CONFIG" check --queue
  [[ $output == *"1 dead"* && $output == *"400 Bad Request"* ]]
  old=$(received | jq -r '.headers["webhook-id"]')
  kill -KILL "$(pid_of receiver)"
  wait "$(pid_of receiver)" || true # its port is free only then
  port=${HOOK_URL##*:}
  background receiver "$TW_BIN/teleport-sandbox" receive --listen "127.0.0.1:${port%/hook}" -o ndjson
  eventually curl -sf -o /dev/null "${HOOK_URL%/hook}/"
  run tw -c "$CONFIG" send --failed
  [ "$status" -eq 0 ]
  eventually received_at_least 1
  [ "$(received | head -n 1 | jq -r '.headers["webhook-id"]')" = "$old" ]
  run tw -c "$CONFIG" check --queue
  [[ $output == *"0 dead"* ]]
}

@test "configure prints what loads back without a warning, and never overwrites unasked" {
  cd "$BATS_TEST_TMPDIR"
  tw configure --out made.toml
  [ "$(stat -c %a made.toml)" = 600 ]
  run tw configure --out made.toml
  [ "$status" -eq 1 ]
  [[ $output == *--force* ]]
  tw configure --out made.toml --force
  for kind in role role-review role-notify tbot systemd; do [ -n "$(tw configure --kind "$kind")" ]; done
  [[ $(tw configure --new-secret) == whsec_* ]]
}

@test "check passes against the sandbox and names what is missing for a weak role" {
  start_receiver
  write_config
  chmod 600 "$CONFIG"
  run tw -c "$CONFIG" check
  echo "$output"
  [ "$status" -eq 0 ]
  write_config nobody
  run tw -c "$CONFIG" check
  [ "$status" -eq 4 ]
  [[ $output == *✗* ]]
}

@test "a secret never shows in what check, send and serve print" {
  start_receiver
  secret=$(tw configure --new-secret)
  write_config plugin "secret = \"$secret\"
bearer_token = \"canary-bearer-token\""
  start_serve -d
  ask
  eventually received_at_least 1
  {
    tw -c "$CONFIG" check || true
    tw -c "$CONFIG" check --show-config
    tw -c "$CONFIG" -v send --test
    tw -c "$CONFIG" send --test --dry-run
    cat "$BATS_TEST_TMPDIR/serve.err"
  } >all 2>&1
  run grep -cE "${secret#whsec_}|canary-bearer-token|callback-password" all
  [ "$output" = 0 ]
  received | jq -e '.headers.authorization == "Bearer canary-bearer-token"' >/dev/null
}

@test "help starts with examples, goes to stdout and ends with 0; the version is told" {
  run bash -c "'$TW_BIN/teleport-webhooks' serve --help 2>/dev/null"
  [ "$status" -eq 0 ]
  [[ $output == *Examples:*Usage:* ]]
  run tw --version
  [[ $output == "teleport-webhooks "* ]]
}
