#!/usr/bin/env bats
# The manuals against the program's own help: no flag missing, none invented. (Keys: tests/docs.)

load helpers

man_dir=$BATS_TEST_DIRNAME/../../man

# The long flags that a help text lists under a heading, one a line, sorted.
help_flags() { # heading, help text on stdin
  awk -v heading="$1" '$0 == heading { inside = 1; next } /^[^ ]/ { inside = 0 } inside' |
    grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u
}

# The long flags that the FLAGS section of a manual explains.
manual_flags() { # page, heading
  awk -v heading="# $2" '$0 == heading { inside = 1; next } /^# / { inside = 0 } inside' "$man_dir/$1.scd" |
    grep -E '^\*' | grep -oE -e '--[a-z-]+' | sort -u
}

verbs() { tw --help | awk '/^Commands:/ { inside = 1; next } /^[^ ]/ { inside = 0 } inside && NF { print $1 }'; }

# The manuals also show commands of the sandbox.
sandbox_help() {
  sandbox --help
  for verb in start request receive; do sandbox "$verb" --help; done
}

@test "every verb has a manual, and every manual of a verb a verb" {
  expected=$(verbs | sort)
  [ -n "$expected" ]
  pages=$(cd "$man_dir" && ls teleport-webhooks-*.1.scd | sed 's/^teleport-webhooks-//; s/\.1\.scd$//' | sort)
  [ "$expected" = "$pages" ]
}

@test "no help is wider than a terminal of 80 columns" {
  for verb in '' $(verbs); do
    # shellcheck disable=SC2086  # no word for the program's own help
    wide=$(tw $verb --help | awk 'length($0) > 80')
    [ -z "$wide" ] || { echo "$verb: $wide" >&2; return 1; }
  done
}

@test "the manual of each verb explains exactly its flags" {
  for verb in $(verbs); do
    diff <(tw "$verb" --help | help_flags 'Flags:') <(manual_flags "teleport-webhooks-$verb.1" FLAGS) ||
      { echo "teleport-webhooks-$verb(1): < program, > manual" >&2; return 1; }
  done
}

@test "teleport-webhooks(1) explains exactly the global flags" {
  # --format is another name of --output, kept out of the help.
  diff <(tw --help | help_flags 'Global flags:') <(manual_flags teleport-webhooks.1 'GLOBAL FLAGS')
}

@test "no manual mentions a flag that no command has" {
  known=$({ for verb in $(verbs); do tw "$verb" --help; sandbox_help; done; } | grep -oE -e '--[a-z][a-z-]+' | sort -u)
  for page in "$man_dir"/teleport-webhooks*.scd; do
    # Examples may call other programs: tctl, curl and the like.
    for flag in $(grep -vE 'tctl|curl|systemctl|apt' "$page" | grep -oE -e '--[a-z][a-z-]+' | sort -u); do
      grep -qxF -e "$flag" <<<"$known"$'\n--format' || { echo "$(basename "$page"): $flag" >&2; return 1; }
    done
  done
}
@test "the choices that a flag takes are in its manual" {
  for verb in $(verbs); do
    while read -r choices; do
      grep -qF -- "$choices" "$man_dir/teleport-webhooks-$verb.1.scd" ||
        { echo "teleport-webhooks-$verb(1) lacks $choices" >&2; return 1; }
    done < <(tw "$verb" --help | awk '/^Flags:/ { inside = 1; next } /^[^ ]/ { inside = 0 } inside' |
      grep -oE -e '--[a-z-]+ [a-z-]+(\|[a-z-]+)+' | cut -d' ' -f2)
  done
}

@test "every manual renders without a warning" {
  for page in "$man_dir"/*.scd; do
    scdoc <"$page" >"$BATS_TEST_TMPDIR/page"
    warnings=$(man --warnings -E UTF-8 -l "$BATS_TEST_TMPDIR/page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || { echo "$page: $warnings" >&2; return 1; }
  done
}

@test "every exit status of the table is in the manual" {
  for status in 0 1 2 3 4 5 6 7 8 9 124 '130, 143'; do
    grep -qE "^\|[\[ ] +$status\$" "$man_dir/teleport-webhooks.1.scd" || { echo "no $status" >&2; return 1; }
  done
}
