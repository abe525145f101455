#!/usr/bin/env bats
# The daemon, as an operator runs it: real gRPC, real TLS, real HTTP both ways.

load helpers

setup() {
  start_sandbox
  start_receiver
}
teardown() { end_background; }

@test "a request, its approval by callback and its deletion each arrive as a webhook" {
  write_config
  start_serve
  id=$(ask --reason 'rotate keys')
  eventually received_at_least 1
  [ "$(received | jq -r 'select(.body.data.id=="'"$id"'") | .body.type' | head -1)" = access_request.created ]
  [ "$(callback POST "/v1/requests/$id/approve" -d '{"reason":"on call"}' -H 'Content-Type: application/json')" = 200 ]
  [ "$(answer | jq -r .state,.changed | tr '\n' ' ')" = "APPROVED true " ]
  eventually received_at_least 2
  [ "$(received | tail -1 | jq -r '.body | .type, .seq, .data.previous_state, .data.resolve_reason, .data.decision.by' | tr '\n' '|')" = "access_request.approved|2|PENDING|on call|webhooks:portal|" ]
  sandbox delete --dir "$SANDBOX" "$id"
  eventually received_at_least 3
  [ "$(received | tail -1 | jq -r .body.type)" = access_request.deleted ]
}

@test "the old callback body approves, an equal one again is fine, the opposite is a conflict" {
  write_config
  start_serve
  id=$(ask)
  [ "$(callback POST / -d '{"payload":{"ReqID":"'"$id"'","State":"Approved","Delegator":"bob"}}')" = 200 ]
  [ -z "$(answer)" ]
  [ "$(callback POST / -d '{"payload":{"ReqID":"'"$id"'","State":"approved"}}')" = 200 ]
  [ "$(callback POST / -d '{"payload":{"ReqID":"'"$id"'","State":"Denied"}}')" = 409 ]
  [ "$(callback POST / -d '{"payload":{"State":"Approved"}}')" = 400 ]
  [ "$(callback POST / -d '{"payload":{"ReqID":"00000000-0000-0000-0000-000000000000","State":"Denied"}}')" = 404 ]
}

@test "a callback without the credential never acts" {
  write_config
  start_serve
  id=$(ask)
  [ "$(curl -sk -o /dev/null -w '%{http_code}' -d '{}' "https://127.0.0.1:$CALLBACK_PORT/v1/requests/$id/approve")" = 401 ]
  [ "$(curl -sk -u portal:wrong -o /dev/null -w '%{http_code}' -d '{}' "https://127.0.0.1:$CALLBACK_PORT/v1/requests/$id/approve")" = 401 ]
  [ "$(sandbox show --dir "$SANDBOX" "$id" -o json | jq -r .state)" = PENDING ]
  [ "$(curl -sk "https://127.0.0.1:$CALLBACK_PORT/status" | jq -r .status)" = ok ]
}

@test "what happens while the receiver is down arrives when it is back, in order for each request" {
  write_config
  start_serve
  kill -KILL "$(pid_of receiver)"
  ids=()
  for _ in 1 2 3 4 5; do ids+=("$(ask)"); done
  for id in "${ids[@]}"; do sandbox deny --dir "$SANDBOX" "$id" --reason no; done
  port=${HOOK_URL##*:}
  background receiver "$TW_BIN/teleport-sandbox" receive --listen "127.0.0.1:${port%/hook}" -o ndjson
  eventually received_at_least 10
  for id in "${ids[@]}"; do
    [ "$(received | jq -r 'select(.body.data.id=="'"$id"'") | .body.type' | tr '\n' ' ')" = "access_request.created access_request.denied " ]
  done
}

@test "changes made while the daemon is stopped are found at its next start" {
  write_config
  start_serve
  id=$(ask)
  eventually received_at_least 1
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  sandbox approve --dir "$SANDBOX" "$id" --reason later
  start_serve
  eventually received_at_least 2
  [ "$(received | tail -1 | jq -r '.body.type, .body.source' | tr '\n' ' ')" = "access_request.approved resync " ]
}

@test "a second daemon on the same state directory is refused and told the pid" {
  write_config
  start_serve
  run tw serve -c "$CONFIG"
  [ "$status" -eq 1 ]
  [[ "$output" == *"$(pid_of serve)"* ]]
}

@test "TERM ends the daemon cleanly with 0" {
  write_config
  start_serve
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
}

@test "without any callback credential it does not start" {
  write_config
  sed -i '/basic_auth/d' "$CONFIG"
  run tw serve -c "$CONFIG"
  [ "$status" -eq 3 ]
  [[ "$output" == *http.basic_auth* ]]
}

@test "all missing credential files are named together with exit 4" {
  write_config
  sed -i "s|$SANDBOX/plugin|/nowhere/plugin|" "$CONFIG"
  run tw serve -c "$CONFIG"
  [ "$status" -eq 4 ]
  [[ "$output" == *plugin.key* && "$output" == *plugin.crt* && "$output" == *plugin.cas* ]]
}
