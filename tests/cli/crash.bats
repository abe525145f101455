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

# One life of the daemon: it dies at the chosen call, or is killed once it has nothing left to do.
one_life() { # call, number, before|after
  local id idle
  KILL_ON=$1 KILL_AT=$2 KILL_AFTER=$3 LD_PRELOAD=$shim "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" \
    2>>"$BATS_TEST_TMPDIR/serve.err" 3>&- &
  local pid=$!
  id=$(ask --reason "$1-$2-$3")
  printf '%s\n' "$id" >>"$BATS_TEST_TMPDIR/ids"
  sandbox approve --dir "$SANDBOX" "$id" --reason ok
  idle=0
  local before=-1 now
  while kill -0 "$pid" 2>/dev/null && [[ $idle -lt 3 ]]; do
    sleep 0.02
    now=$(received_count || true)
    if [[ $now == "$before" ]]; then idle=$((idle + 1)); else idle=0; fi
    before=$now
  done
  if kill -KILL "$pid" 2>/dev/null; then echo survived >>"$BATS_TEST_TMPDIR/lives"; else echo died >>"$BATS_TEST_TMPDIR/lives"; fi
  wait "$pid" 2>/dev/null || true
}

@test "240 deaths lose nothing, repeat only with the same webhook-id, and keep each request's order" {
  for n in $(seq 1 40); do one_life pwrite64 "$n" ''; done
  for n in $(seq 1 40); do one_life pwrite64 "$((n + 40))" 1; done
  for n in $(seq 1 20); do one_life fdatasync "$n" ''; one_life fdatasync "$n" 1; done
  for n in $(seq 1 30); do one_life send "$n" ''; one_life send "$n" 1; done
  for n in $(seq 1 30); do one_life recv "$n" ''; one_life recv "$n" 1; done
  start_serve
  ids=$(wc -l <"$BATS_TEST_TMPDIR/ids")
  approved() { received | jq -r 'select(.body.type=="access_request.approved") | .body.data.id' | sort -u | wc -l; }
  all_approved() { [[ $(approved) -eq $ids ]]; }
  eventually all_approved
  echo "# lives: $(sort "$BATS_TEST_TMPDIR/lives" | uniq -c | tr -s ' \n' ' '); webhooks $(received_count)" >&3

  # Every request was told pending before approved, and nothing after it.
  received | jq -rs '[group_by(.body.data.id)[] | map(.body.seq) | select(. != sort)] | length' >"$BATS_TEST_TMPDIR/unordered"
  [ "$(cat "$BATS_TEST_TMPDIR/unordered")" -eq 0 ]
  # One body for one webhook-id, also when it came twice.
  received | jq -s '[group_by(.headers["webhook-id"])[] | select((map(.body) | unique | length) != 1)] | length' >"$BATS_TEST_TMPDIR/differing"
  [ "$(cat "$BATS_TEST_TMPDIR/differing")" -eq 0 ]
  [ "$(grep -c died "$BATS_TEST_TMPDIR/lives")" -ge 120 ]
}
