#!/usr/bin/env bats
# The sandbox in the hands of somebody who has only its manual page.

load helpers

setup() {
  start_sandbox
  export TELEPORT_SANDBOX_DIR=$SANDBOX
}
teardown() { end_background; }

# A mistake: the exit code and a part of what is said.
told() { # exit code, text, arguments...
  local code=$1 text=$2
  shift 2
  run timeout 10 "$TW_BIN/teleport-sandbox" "$@"
  echo "$* -> $status: $output"
  [ "$status" -eq "$code" ]
  [[ $output == *"$text"* ]]
}

@test "unknown commands, flags, faults, methods and statuses are named, with the nearest or all that are known" {
  told 2 'did you mean request?' reqest
  told 2 'did you mean --user?' request --usr alice
  told 2 'did you mean --status?' fault end-streams --statsu ok
  told 2 'did you mean reorder?' fault reoder
  told 2 'unknown method: SetState' fault call SetState unavailable
  [[ $output == *SetAccessRequestState* ]]
  told 2 'not a gRPC status: gone' fault call Ping gone
  [[ $output == *aborted*unauthenticated* ]]
  told 2 'unknown right "raed"' set-role plugin raed
}

@test "what is missing or impossible is said at once" {
  told 2 'a request needs a --role or a --resource' request
  told 2 'ID is required' approve
  told 2 'must not be negative' burst --count -3
  told 2 'is not a loopback address' start --dir other --addr 0.0.0.0:0
  told 1 'a sandbox already runs in' start --addr 127.0.0.1:0
  told 7 'no sandbox answers' list --dir "$BATS_TEST_TMPDIR"
  told 5 'not found' approve nobody
}

@test "every gRPC status can be had from a call" {
  id=$(ask)
  for code in cancelled unknown deadline-exceeded aborted out-of-range internal data-loss unauthenticated; do
    sandbox fault call SetAccessRequestState "$code" --message "this is $code"
    run tw --addr "$SANDBOX_ADDR" -i "$SANDBOX/plugin.identity" approve "$id"
    [ "$status" -ne 0 ]
  done
  tw --addr "$SANDBOX_ADDR" -i "$SANDBOX/plugin.identity" approve "$id"
}

@test "a sandbox that was killed leaves a directory in which the next one starts" {
  kill -KILL "$(pid_of sandbox)"
  start_sandbox
  sandbox wait-ready  # what the killed one left says nothing
  [ -n "$(ask)" ]
  kill -INT "$(pid_of sandbox)"
  eventually test ! -e "$SANDBOX/sandbox.json"
  eventually test ! -e "$SANDBOX/control.sock"
}

@test "text that is not UTF-8 is refused in plain words" {
  told 2 'reason: the text is not UTF-8' request --role dba --reason $'a\xff'
  told 2 'user: the text is not UTF-8' request --role dba --user $'a\xff'
  told 2 'roles: the text is not UTF-8' request --role dba --role $'a\xff'
  told 2 'ids: the text is not UTF-8' approve $'\xff'
}
