#!/usr/bin/env bats
# Kills the daemon at single system calls around intake, commit, send and mark-done, and proves that nothing is lost,
# that a repeated delivery carries the same webhook-id, and that each request's events stay in order.

load helpers

setup() {
  start_sandbox
  start_receiver
  write_config
  shim=$BATS_TEST_TMPDIR/kill_at.so
  g++ -shared -fPIC -O1 -o "$shim" "$BATS_TEST_DIRNAME/../crash/kill_at.cc" -ldl
}
teardown() { end_background; }

in_step_count() { grep -c 'in step with Teleport' "$BATS_TEST_TMPDIR/serve.err" || true; }

# One life of the daemon: it dies at the chosen call, or is killed once it has nothing left to do.
one_life() { # call, number, "1" to die after it
  local id idle=0 before now steps
  steps=$(in_step_count)
  KILL_ON=$1 KILL_AT=$2 KILL_AFTER=$3 LD_PRELOAD=$shim "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" \
    2>>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
  local pid=$!
  disown "$pid"
  while kill -0 "$pid" 2>/dev/null && [[ $(in_step_count) -eq $steps ]]; do sleep 0.01; done
  id=$(ask --reason "$1-$2-$3")
  printf '%s\n' "$id" >>"$BATS_TEST_TMPDIR/ids"
  sandbox approve --dir "$SANDBOX" "$id" --reason ok >/dev/null
  before=-1
  while kill -0 "$pid" 2>/dev/null && [[ $idle -lt 3 ]]; do
    sleep 0.02
    now=$(received_count || true)
    if [[ $now == "$before" ]]; then idle=$((idle + 1)); else idle=0; fi
    before=$now
  done
  if kill -KILL "$pid" 2>/dev/null; then echo survived; else echo "died at $1 $2 $3"; fi >>"$BATS_TEST_TMPDIR/lives"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
}

@test "240 deaths lose nothing, repeat only with the same webhook-id, and keep each request's order" {
  # A first complete start: in a new store resolved requests would be history, not events.
  start_serve
  kill -TERM "$(pid_of serve)"
  wait "$(pid_of serve)"
  for n in $(seq 1 60); do one_life pwrite64 "$n" ''; one_life pwrite64 "$n" 1; done
  for n in $(seq 1 10); do one_life fdatasync "$n" ''; one_life fdatasync "$n" 1; done
  for n in $(seq 1 25); do one_life send "$n" ''; one_life send "$n" 1; done
  for n in $(seq 1 25); do one_life recv "$n" ''; one_life recv "$n" 1; done
  start_serve
  ids=$(wc -l <"$BATS_TEST_TMPDIR/ids")
  approved() { received | jq -r 'select(.body.type=="access_request.approved") | .body.data.id' | sort -u | wc -l; }
  all_approved() { [[ $(approved) -eq $ids ]]; }
  eventually all_approved
  echo "# $(grep -c died "$BATS_TEST_TMPDIR/lives") distinct deaths, $(received_count) webhooks for $ids requests" >&3

  # Every request was told pending before approved, and nothing after it.
  received | jq -rs '[group_by(.body.data.id)[] | map(.body.seq) | select(. != sort)] | length' >"$BATS_TEST_TMPDIR/unordered"
  [ "$(cat "$BATS_TEST_TMPDIR/unordered")" -eq 0 ]
  # One body for one webhook-id, also when it came twice.
  received | jq -s '[group_by(.headers["webhook-id"])[] | select((map(.body) | unique | length) != 1)] | length' >"$BATS_TEST_TMPDIR/differing"
  [ "$(cat "$BATS_TEST_TMPDIR/differing")" -eq 0 ]
  [ "$(grep -c died "$BATS_TEST_TMPDIR/lives")" -ge 200 ]
}
