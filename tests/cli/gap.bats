#!/usr/bin/env bats
# Forced ends of the event stream with changes around them, over the real daemon: each final state is told exactly once.

load helpers

setup() {
  start_sandbox
  start_receiver
}
teardown() { end_background; }

@test "50 stream ends of every status lose nothing and repeat nothing" {
  write_config
  start_serve
  endings=(ok unavailable unknown invalid-argument)
  for n in $(seq 50); do
    before=$(ask --reason "before end $n")
    sandbox fault --dir "$SANDBOX" end-streams --status "${endings[n % 4]}" >/dev/null
    in_gap=$(ask --reason "in gap $n")
    sandbox approve --dir "$SANDBOX" "$before" >/dev/null
    sandbox deny --dir "$SANDBOX" "$in_gap" >/dev/null
    printf 'approved %s\ndenied %s\n' "$before" "$in_gap" >>"$BATS_TEST_TMPDIR/expected"
    # Back-off grows with every early end; USR1 has the daemon try again now.
    eventually grep -c 'no connection' "$BATS_TEST_TMPDIR/serve.err"
    kill -USR1 "$(pid_of serve)"
    eventually grep -q "$in_gap" "$BATS_TEST_TMPDIR/receiver.out"
  done
  resolved() { received | jq -r 'select(.body.data.state != "PENDING") | (.body.type | sub("access_request."; "")) + " " + .body.data.id'; }
  all_resolved() { [[ $(resolved | sort -u | wc -l) -eq 100 ]]; }
  eventually all_resolved
  diff <(sort "$BATS_TEST_TMPDIR/expected") <(resolved | sort)
  [ "$(received | jq -r '.headers["webhook-id"]' | sort | uniq -d | wc -l)" -eq 0 ]
}
