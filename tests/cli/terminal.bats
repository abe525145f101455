#!/usr/bin/env bats
# Pipes, terminals, signals, and outputs that are closed or full: the manners of every verb.

load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  start_sandbox
  client_config plugin
}
teardown() {
  tmux -S "$BATS_TEST_TMPDIR/tmux" kill-server 2>/dev/null || true
  end_background
}

# A shell in a terminal of its own, in which the program is found as `tw`.
open_terminal() { # variables of its environment
  env "$@" tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null new-session -d -x 150 -y 40 'bash --norc --noprofile'
  type_in "PS1='ready> '; tw() { '$TW_BIN/teleport-webhooks' -c '$CONFIG' \"\$@\"; }; clear"
  eventually on_screen '^ready>'
}
type_in() { tmux -S "$BATS_TEST_TMPDIR/tmux" send-keys "$1" Enter; }
press() { tmux -S "$BATS_TEST_TMPDIR/tmux" send-keys "$1"; }
screen() { tmux -S "$BATS_TEST_TMPDIR/tmux" capture-pane -p "$@"; }
on_screen() { screen | grep -q -e "$1"; }

# Ends a background command by a signal; it must give this exit code.
ends_with() { # exit code, name, signal
  kill "-$3" "$(pid_of "$2")"
  local code=0
  wait "$(pid_of "$2")" || code=$?
  echo "$2 ended with $code"
  [ "$code" -eq "$1" ]
}

@test "watch in a pipe ends quietly with 0 when its reader has gone, also in the middle of following" {
  ask
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch 2>err | head -n 1 >out; echo \"\${PIPESTATUS[0]}\""
  [ "$output" = 0 ]
  [ ! -s err ]
  jq -e '.type == "access_request.created"' out
}

@test "watch | jq | send - carries what happens while it runs" {
  start_receiver
  background pipeline setsid bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch |
    jq --unbuffered -c 'select(.data.roles | index(\"dba\"))' |
    '$TW_BIN/teleport-webhooks' -c '$CONFIG' send --url '$HOOK_URL' -"
  wanted=$(ask)
  eventually received_at_least 1
  other=$(sandbox request --dir "$SANDBOX" --user bob --role admin)
  sandbox approve --dir "$SANDBOX" "$wanted"
  eventually received_at_least 2
  [ "$(received | jq -r .body.type | tr '\n' ' ')" = "access_request.created access_request.approved " ]
  [ "$(received | grep -c "$other")" -eq 0 ]
}

@test "watch --once | approve - decides each pending request once" {
  for _ in 1 2 3; do ask; done
  run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' watch --once |
    '$TW_BIN/teleport-webhooks' -c '$CONFIG' approve - --reason 'all of them'"
  [ "$status" -eq 0 ]
  [ "$(grep -c ' approved$' <<<"$output")" -eq 3 ]
  [ "$(sandbox list --dir "$SANDBOX" -o json | jq -r '.[].state' | sort -u)" = APPROVED ]
}

@test "watch --once prints each of 10,000 requests exactly once" {
  sandbox burst --dir "$SANDBOX" --count 10000
  tw -c "$CONFIG" watch --once >events
  [ "$(wc -l <events)" -eq 10000 ]
  [ "$(jq -r .data.id events | sort -u | wc -l)" -eq 10000 ]
}

@test "a terminal gets aligned colours, and nothing that a requester typed steers it" {
  ask --reason $'\e[2J\e]0;owned\a gone\u202e'
  open_terminal
  type_in 'tw watch --once'
  eventually on_screen '  created   .* alice .* dba .* PENDING '
  on_screen 'u001b\[2J'
  [ "$(tmux -S "$BATS_TEST_TMPDIR/tmux" display-message -p '#{pane_title}')" != owned ]
  screen -e | grep -q $'\e\\[36mcreated'
  [ "$(screen | grep -c "^{")" -eq 0 ]
}

@test "JSON on a terminal keeps its meaning, and nothing in it steers the terminal; a pipe gets it as it is" {
  text=$'a\u009b31m\u202eb\u007fc'
  ask --reason "$text"
  for arguments in 'watch --once -o ndjson' 'watch --once -o json' 'watch --once --jq .data'; do
    script -qefc "'$TW_BIN/teleport-webhooks' -c '$CONFIG' $arguments" /dev/null >shown </dev/null
    LC_ALL=C.UTF-8 grep -q 'a.u009b31m.u202eb.u007fc' shown
    [ "$(tr -d '\r' <shown | jq -s -r '[.[] | .[0]? // .][0] | (.data // .).reason')" = "$text" ]
  done
  tw -c "$CONFIG" watch --once | grep -qF $'\u009b31m'
}

@test "NO_COLOR and TERM=dumb are respected, --color always beats them" {
  ask
  open_terminal NO_COLOR=1
  type_in 'tw watch --once; tw check --offline'
  eventually on_screen 'created'
  [ "$(screen -e | grep -c $'\e\\[3')" -eq 0 ]
  TERM=dumb run tw -c "$CONFIG" --color always watch --once -o text
  [[ $output == *$'\e[36mcreated'* ]]
}

@test "Ctrl-C on a terminal ends watch with 130 and leaves the terminal clean" {
  ask
  open_terminal
  type_in 'tw watch; echo "code $?"'
  eventually on_screen 'created'
  press C-c
  eventually on_screen 'code 130'
  [ "$(screen | grep -ciE 'terminate|abort|core|exception')" -eq 0 ]
}

# A one-shot verb holds TERM and INT back until its own thread takes them: from then on it can be interrupted.
takes_signals() { grep -qE '^SigBlk:\s+[0-9a-f]*4203$' "/proc/$(pid_of "$1")/status"; }

@test "INT and TERM end a watch and a delivery under way with 130 and 143, without half a line" {
  # A receiver that reads and never answers.
  port=$(free_port)
  background silent socat -u "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" OPEN:seen,creat,append
  id=$(ask)
  for signal in INT:130 TERM:143; do
    background watching "$TW_BIN/teleport-webhooks" -c "$CONFIG" watch
    eventually grep -q "$id" "$BATS_TEST_TMPDIR/watching.out"
    ends_with "${signal#*:}" watching "${signal%:*}"
    [ -z "$(err_of watching)" ]
    jq -e . "$BATS_TEST_TMPDIR/watching.out"

    rm -f seen
    eventually bash -c ": >/dev/tcp/127.0.0.1/$port"
    background sending "$TW_BIN/teleport-webhooks" send --test --url "http://127.0.0.1:$port/"
    eventually grep -q endpoint.test seen
    ends_with "${signal#*:}" sending "${signal%:*}"
    [ -z "$(out_of sending)" ]
  done
}

@test "INT and TERM end approve, deny and send while they wait for standard input" {
  mkfifo never
  exec 8<>never
  for signal in INT:130 TERM:143; do
    for verb in approve deny 'send --url http://127.0.0.1:9/'; do
      # shellcheck disable=SC2016,SC2086 # the words of the verb
      background reading bash -c 'exec "$0" "$@" <never' "$TW_BIN/teleport-webhooks" -c "$CONFIG" $verb -
      eventually takes_signals reading
      ends_with "${signal#*:}" reading "${signal%:*}"
      [ -z "$(out_of reading)$(err_of reading)" ]
    done
  done
}

@test "INT and TERM end approve while Teleport is slow, and nothing is decided" {
  id=$(ask)
  for signal in INT:130 TERM:143; do
    sandbox fault --dir "$SANDBOX" call '*' ok --delay 60s --times 9
    background deciding "$TW_BIN/teleport-webhooks" -c "$CONFIG" approve "$id"
    eventually takes_signals deciding
    ends_with "${signal#*:}" deciding "${signal%:*}"
    grep -q "^$id: cut short" "$BATS_TEST_TMPDIR/deciding.err"
    sandbox fault --dir "$SANDBOX" clear
  done
  [ "$(state_of "$id")" = PENDING ]
}

@test "watch started by nohup outlives the hang-up of its terminal" {
  ask
  background watching nohup "$TW_BIN/teleport-webhooks" -c "$CONFIG" watch
  eventually grep -q created "$BATS_TEST_TMPDIR/watching.out"
  kill -HUP "$(pid_of watching)"
  id=$(ask)
  eventually grep -q "$id" "$BATS_TEST_TMPDIR/watching.out"
  ends_with 143 watching TERM
}

@test "every verb says so, with exit 1, when its output is full" {
  start_receiver
  id=$(ask)
  write_config
  full() {
    echo "full: $*"
    run bash -c '"$0" "$@" 2>&1 >/dev/full' "$TW_BIN/teleport-webhooks" "$@"
    [ "$status" -eq 1 ]
    [[ $output == *'No space left on device'* ]]
  }
  full --help
  full --version
  full version
  full configure
  full configure --kind role
  full completion bash
  full -c "$CONFIG" check
  full -c "$CONFIG" check -o json
  full -c "$CONFIG" check --show-config
  full -c "$CONFIG" watch
  full -c "$CONFIG" watch --once
  full -c "$CONFIG" watch --once -o json
  full -c "$CONFIG" send --test
  full -c "$CONFIG" send --test --dry-run
  full -c "$CONFIG" approve "$id"
}

@test "a closed standard output is nobody's file: no verb writes into one that it opened" {
  start_receiver
  write_config
  chmod 600 "$CONFIG"
  id=$(ask)
  for arguments in --help configure "watch --once" "send --test" "approve $id" check; do
    # shellcheck disable=SC2086 # the words of the call
    run bash -c '"$0" "$@" 2>err >&-' "$TW_BIN/teleport-webhooks" -c "$CONFIG" $arguments
    [ "$status" -eq 0 ]
    [ ! -s err ]
  done
  [ "$(state_of "$id")" = APPROVED ]
}

@test "a closed standard input is an empty one, whatever the process opens before anything else" {
  client_config plugin
  for closed in '<&-' '<&- >&- 2>&-'; do
    run bash -c "'$TW_BIN/teleport-webhooks' -c '$CONFIG' approve - --timeout 5s $closed"
    [ "$status" -eq 0 ]
  done
}

@test "send --failed ended by Ctrl-C keeps the dead letter, ready to be sent at once" {
  start_receiver --status 400
  write_config
  chmod 600 "$CONFIG"
  start_serve
  ask
  eventually grep -q 'dead letter' "$BATS_TEST_TMPDIR/serve.err"
  ends_with 0 serve TERM
  port=${HOOK_URL##*:}
  port=${port%/hook}
  kill -KILL "$(pid_of receiver)"
  wait "$(pid_of receiver)" || true # its port is free only then
  background silent socat -u "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" OPEN:seen,creat,append
  eventually bash -c ": >/dev/tcp/127.0.0.1/$port"
  background sending "$TW_BIN/teleport-webhooks" -c "$CONFIG" send --failed
  eventually grep -q access_request.created seen
  ends_with 130 sending INT
  run tw -c "$CONFIG" check --queue
  [[ $output == *"1 dead"* ]]
  kill -KILL "$(pid_of silent)"
  wait "$(pid_of silent)" || true
  background receiver "$TW_BIN/teleport-sandbox" receive --listen "127.0.0.1:$port" -o ndjson
  eventually curl -sf -o /dev/null "http://127.0.0.1:$port/"
  run tw -c "$CONFIG" send --failed
  [ "$status" -eq 0 ]
  run tw -c "$CONFIG" check --queue
  [[ $output == *"0 dead"* ]]
}
