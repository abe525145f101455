#!/usr/bin/env bats
# The examples that decide, against the real daemon and a sandbox: the roster, and the calendar recipe's round trip.

load ../cli/helpers

examples=$BATS_TEST_DIRNAME/../../examples

setup() { start_sandbox; }
teardown() { end_background; }

state_is() { [[ $(sandbox show --dir "$SANDBOX" "$1" -o json | jq -r .state) == "$2" ]]; }

# In the test's directory, with alice on duty for dba; $1: the file with the secret that the daemon knows its caller
# by, while the roster signs with caller-secret; $2: a further line for the caller.
start_roster() {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  tw configure --new-secret >secret
  tw configure --new-secret >"$1"
  [ -e caller-secret ] || tw configure --new-secret >caller-secret
  echo '{"dba": ["alice"]}' >roster.json
  port=$(free_port)
  HOOK_URL=http://127.0.0.1:$port/
  write_config plugin "secret_file = \"$PWD/secret\"" "
[[callback.caller]]
name = \"roster\"
hmac_secret_file = \"$PWD/$1\"
${2:-}"
  start_serve
  background roster "$examples/roster.py" "127.0.0.1:$port" secret roster.json \
    "https://127.0.0.1:$CALLBACK_PORT" caller-secret "$PWD/state/server.crt"
}

@test "the roster approves who is on duty and leaves everybody else to people" {
  start_roster caller-secret 'decisions = ["approve"]'
  on_duty=$(ask)
  off_duty=$(sandbox request --dir "$SANDBOX" --user bob --role dba)
  other_role=$(sandbox request --dir "$SANDBOX" --user alice --role admin)
  eventually state_is "$on_duty" APPROVED
  marker=$(ask) # requests are handled one after the other here: when this one is decided, the others have been seen
  eventually state_is "$marker" APPROVED
  state_is "$off_duty" PENDING
  state_is "$other_role" PENDING
  [ "$(sandbox show --dir "$SANDBOX" "$on_duty" -o json | jq -r '.delegator, .resolve_reason' | tr '\n' '|')" = 'webhooks:roster|on duty|' ]
}

@test "a roster whose signature is refused, its clock or its secret being wrong, is asked again" {
  start_roster right
  id=$(ask)
  eventually grep -q '"status":401' state/audit.log
  cp right caller-secret
  eventually state_is "$id" APPROVED
}

@test "a workflow tool without code: a form goes out, JSON with a bearer token comes back" {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  openssl rand -hex 24 >token
  start_receiver
  write_config plugin '' "
[[endpoint]]
name = \"calendar\"
url = \"${HOOK_URL%/hook}/calendar\"
payload = \"form\"
request_states = [\"Pending\"]
when = '.data.roles | index(\"dba\")'

[[callback.caller]]
name = \"calendar\"
bearer_token_file = \"$PWD/token\"
roles = [\"dba\"]"
  start_serve
  id=$(ask --reason 'a & b = ü')
  other=$(sandbox request --dir "$SANDBOX" --user alice --role admin)
  forms() { received | jq -r 'select(.path == "/calendar") | .body'; }
  has_form() { [[ -n $(forms) ]]; }
  eventually has_form
  [ "$(received | jq -r 'select(.path == "/calendar") | .headers["content-type"]' | head -n 1)" = application/x-www-form-urlencoded ]
  # What the tool sees is what a form parser makes of it.
  forms | head -n 1 | python3 -c '
import json, sys, urllib.parse
fields = dict(urllib.parse.parse_qsl(sys.stdin.read().rstrip("\n"), strict_parsing=True))
print(fields["RequestID"], fields["User"], json.loads(fields["payload"])["State"])' >fields
  [ "$(cat fields)" = "$id alice Pending" ]

  answer() { # path, token: status of what the tool would send
    curl -s --cacert state/server.crt -o answer -w '%{http_code}' --oauth2-bearer "$2" \
      --json '{"reason":"carol accepted the invitation"}' "https://127.0.0.1:$CALLBACK_PORT/v1/requests/$1"
  }
  [ "$(answer "$id/approve" wrong)" = 401 ]
  [ "$(answer "$other/approve" "$(cat token)")" = 403 ] # not a role of this caller
  [ "$(answer "$id/approve" "$(cat token)")" = 200 ]
  [ "$(answer "$id/approve" "$(cat token)")" = 200 ] # the tool may repeat itself
  [ "$(jq -r .changed answer)" = false ]
  state_is "$id" APPROVED
  state_is "$other" PENDING
  # Tools that have no JSON send the form that they know.
  declined=$(ask)
  [ "$(curl -s --cacert state/server.crt -o answer -w '%{http_code}' --oauth2-bearer "$(cat token)" \
    --data-urlencode 'reason=dave declined & left' "https://127.0.0.1:$CALLBACK_PORT/v1/requests/$declined/deny")" = 200 ]
  state_is "$declined" DENIED
  [ "$(sandbox show --dir "$SANDBOX" "$declined" -o json | jq -r .resolve_reason)" = 'dave declined & left' ]
}
