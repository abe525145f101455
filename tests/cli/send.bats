#!/usr/bin/env bats
# send: by hand, from a pipe and from the store. The receiver is the sandbox's request bin.
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR"
  export RECEIVER_ADDR # one that a second receiver can take over
  RECEIVER_ADDR=127.0.0.1:$(free_port)
  start_sandbox
}
teardown() { end_background; }

# Ends the receiver and starts another on its port with these arguments; what the first received is forgotten.
replace_receiver() {
  local port=${HOOK_URL##*:}
  kill -KILL "$(pid_of receiver)"
  wait "$(pid_of receiver)" || true # its port is free only then
  background receiver "$TW_BIN/teleport-sandbox" receive --listen "127.0.0.1:${port%/hook}" -o ndjson "$@"
  eventually curl -sf -o /dev/null "${HOOK_URL%/hook}/"
}
end_serve() {
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
}
# Two requests, each with two events, all of them dead letters of a daemon that has ended.
make_dead_letters() {
  start_receiver --status 400
  write_config
  start_serve
  one=$(ask)
  two=$(ask)
  sandbox approve --dir "$SANDBOX" "$one"
  sandbox deny --dir "$SANDBOX" "$two"
  eventually bash -c "[ \$(grep -c 'dead letter' '$BATS_TEST_TMPDIR/serve.err') -ge 4 ]"
  end_serve
}
types_of() { received | jq -r --arg id "$1" 'select(.body.data.id == $id) | .body.type | ltrimstr("access_request.")' | tr '\n' ' '; }

@test "send - keeps what a pipe added to an event, and its id" {
  start_receiver
  client_config plugin
  ask
  tw -c "$CONFIG" watch --once | jq -c '.data.ticket = "T-1" | .big = 1' >events
  tw send --url "$HOOK_URL" - <events
  eventually received_at_least 1
  [ "$(received | jq -c .body)" = "$(jq -c . events)" ]
  tw send --url "$HOOK_URL" --new-id - <events
  eventually received_at_least 2
  [ "$(received | tail -n 1 | jq -c '.body | del(.id)')" = "$(jq -c 'del(.id)' events)" ]
  [ "$(received | tail -n 1 | jq -r '.headers["webhook-id"] == .body.id')" = true ]
}

@test "an event's id cannot break out of its header" {
  start_receiver
  client_config plugin
  ask
  tw -c "$CONFIG" watch --once >event
  for id in 'x\r\nX-Evil: 1' 'a.b' 'a b' "$(printf 'a%.0s' {1..65})"; do
    jq -c --argjson id "\"$id\"" '.id = $id' event >bad
    run tw send --url "$HOOK_URL" - <bad
    [ "$status" -eq 2 ]
    [[ $output == *"cannot be a webhook-id"* ]]
  done
  run tw send --test --url "$HOOK_URL" --field 'id="x\u0001"'
  [ "$status" -eq 2 ]
  [ "$(received_count)" -eq 0 ]
}

@test "send - says that a legacy body is no event" {
  client_config plugin
  ask
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch --once --payload legacy | '$TW_BIN/teleport-webhooks' send --url http://127.0.0.1:9/ -"
  [ "$status" -eq 2 ]
  [[ $output == *"a legacy body"* ]]
}

@test "an event that cannot be shaped does not keep the others from going out" {
  start_receiver
  write_config plugin "transform = 'if .data.state == \"PENDING\" then error(\"no shape\") else .data.id end'"
  one=$(ask)
  two=$(ask)
  sandbox approve --dir "$SANDBOX" "$two"
  run tw -c "$CONFIG" send "$one" "$two"
  [ "$status" -eq 9 ]
  [[ $output == *"no shape"* ]]
  eventually received_at_least 1
  [ "$(received | jq -r .body)" = "$two" ]
  run tw -c "$CONFIG" send --dry-run "$one"
  [ "$status" -eq 8 ]
}

@test "send --failed keeps the order, and only dead letters are skipped for a later delivery" {
  make_dead_letters
  replace_receiver
  # The later event of the second request is delivered first.
  later=$(tw -c "$CONFIG" check --queue -o ndjson | jq -r --arg id "$two" 'select(.dead_letter and .request_id == $id) | .dead_letter' | tail -n 1)
  tw -c "$CONFIG" send --delivery "$later"
  run tw -c "$CONFIG" send --failed
  [ "$status" -eq 0 ]
  [[ $output == *"skipped, a later event of $two"* ]]
  [ "$(types_of "$one")" = "created approved " ]
  [ "$(types_of "$two")" = "denied " ]
  tw -c "$CONFIG" send --failed --stale
  [ "$(types_of "$two")" = "denied created " ]
  replace_receiver
  run tw -c "$CONFIG" send --delivered
  [ "$status" -eq 0 ]
  [[ $output != *skipped* ]]
  [ "$(types_of "$one")" = "created approved " ]
  [ "$(types_of "$two")" = "created denied " ]
}

@test "what was delivered by hand is recorded, also when nothing can be printed" {
  make_dead_letters
  replace_receiver
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' send --failed 2>&1 >/dev/full"
  [ "$status" -eq 1 ]
  [[ $output == *"No space left"* ]]
  [ "$(received_count)" -eq 1 ]
  run tw -c "$CONFIG" check --queue
  [[ $output == *"3 dead"* ]]
  tw -c "$CONFIG" send --failed | true # a reader that has gone ends it as quietly
  tw -c "$CONFIG" send --failed
  [ "$(received_count)" -eq 4 ]
}

@test "two commands that send what failed send each delivery once" {
  make_dead_letters
  replace_receiver --delay 300ms
  background first "$TW_BIN/teleport-webhooks" -c "$CONFIG" send --failed --stale
  eventually received_at_least 1
  kill -STOP "$(pid_of first)" # it has seen the list, and sends the first of it
  tw -c "$CONFIG" send --failed --stale >second 2>&1
  kill -CONT "$(pid_of first)"
  wait "$(pid_of first)"
  grep -q 'skipped, it is being sent now' second
  err_of first | grep -q 'skipped, it has been sent meanwhile'
  [ "$(received | jq -r '.headers["webhook-id"]' | sort | uniq -d)" = "" ]
  [ "$(received_count)" -eq 4 ]
}

@test "all programs that do not compile are told at once" {
  start_receiver
  write_config plugin 'transform = ".a |"'
  printf '[[endpoint]]\nname = "b"\nurl = "%s"\ntransform = "{"\n' "$HOOK_URL" >>"$CONFIG"
  run tw -c "$CONFIG" send --test
  [ "$status" -eq 3 ]
  [[ $output == *webhook.transform:*endpoint.b.transform:* ]]
  tw -c "$CONFIG" send --url "$HOOK_URL" --test
}

@test "check looks at the files of an endpoint's TLS, and nobody is asked for a passphrase" {
  certify() { openssl req -x509 -newkey rsa:2048 -keyout "$1.key" -out "$1.crt" -days "$2" -subj "/CN=$1" "${@:3}" 2>/dev/null; }
  certify good 30 -nodes
  certify other 1 -nodes
  certify locked 30 -passout pass:canary
  printf 'no certificate\n' >empty.crt
  chmod 600 ./*.key
  ask_check() { # lines for [webhook], exit code, words
    HOOK_URL=https://$SANDBOX_ADDR/hook write_config plugin "$1"
    run tw -c "$CONFIG" check --offline
    echo "$output"
    [ "$status" -eq "$2" ] && [[ $output == *"endpoint default: $3"* ]]
  }
  pair() { printf 'cert_file = "%s"\nkey_file = "%s"' "$PWD/$1" "$PWD/$2"; }
  ask_check "$(pair good.crt good.key)" 0 'certificate valid until'
  ask_check "$(pair other.crt other.key)" 0 "$PWD/other.crt expires on"
  ask_check "$(pair good.crt other.key)" 3 "$PWD/other.key does not belong to the first certificate in $PWD/good.crt"
  ask_check "ca_file = \"$PWD/good.crt\"" 0 "$PWD/good.crt is trusted"
  ask_check "ca_file = \"$PWD/empty.crt\"" 3 "$PWD/empty.crt: holds no certificate"
  ask_check "$(pair locked.crt locked.key)" 3 "$PWD/locked.key: the private key is encrypted with a passphrase"
  # With a terminal at hand, too. The sandbox is a TLS server.
  run timeout 10 script -qec "$TW_BIN/teleport-webhooks -c $CONFIG send --test" /dev/null
  [ "$status" -eq 8 ]
  [[ $output == *"unable to set private key file"* && $output != *"pass phrase"* ]]
}

@test "an unknown delivery does not stop the others, and a failure is called by its name in JSON" {
  make_dead_letters
  replace_receiver
  run tw -c "$CONFIG" send --delivery 999 --delivery 1
  [ "$status" -eq 9 ]
  [[ $output == *"no delivery 999"* && $output == *": 200"* ]]
  run tw -c "$CONFIG" send --delivery 999 -o json
  [ "$status" -eq 5 ]
  [ "$(tail -n 1 <<<"$output" | jq -c '[.error.code, .error.exit]')" = '["not_found",5]' ]
}

@test "--dry-run and --discard speak JSON, and a dry run changes nothing" {
  make_dead_letters
  tw -c "$CONFIG" send --failed --dry-run -o ndjson >shown
  [ "$(wc -l <shown)" -eq 4 ]
  [ "$(head -n 1 shown | jq -r '.method, .dry_run, .headers["webhook-id"] == .webhook_id, (.body | fromjson | .id) == .webhook_id' | tr '\n' ' ')" = "POST true true true " ]
  [[ $(head -n 1 shown | jq -r .url) == "${HOOK_URL%/hook}/***" ]]
  [ "$(tw -c "$CONFIG" send --failed --discard --dry-run -o json | jq -s 'map(.discarded) | unique' -c)" = '[false]' ]
  [ "$(tw -c "$CONFIG" send --failed --discard -o json | jq -s 'map(.discarded) | unique' -c)" = '[true]' ]
  [ -z "$(tw -c "$CONFIG" send --failed)" ]
}

@test "--since and --stale go with what they choose from" {
  client_config plugin
  run tw -c "$CONFIG" send --test --url http://127.0.0.1:9/ --since 1h
  [ "$status" -eq 2 ]
  run tw -c "$CONFIG" send --test --url http://127.0.0.1:9/ --stale
  [ "$status" -eq 2 ]
}

@test "a test lifts a 410 also while the daemon is stopped, and the time held does not use up the retries" {
  start_receiver --status 410
  write_config plugin 'retry.max_elapsed = "2s"'
  start_serve
  ask
  eventually grep -q 'endpoint disabled' "$BATS_TEST_TMPDIR/serve.err"
  end_serve
  sleep 3
  replace_receiver
  run tw -c "$CONFIG" send --test --endpoint default
  [ "$status" -eq 0 ]
  [[ $output == *"in use again"* ]]
  replace_receiver --status 503
  start_serve
  eventually grep -q 'will be tried again' "$BATS_TEST_TMPDIR/serve.err"
  run grep -c 'dead letter' "$BATS_TEST_TMPDIR/serve.err"
  [ "$output" = 0 ]
}
