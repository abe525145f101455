#!/usr/bin/env bats
# Completions: what is checked in is what the program prints, and each loads and works in its real shell.

load helpers

completions=$BATS_TEST_DIRNAME/../../completions
session=tw-zsh-$$

teardown() { tmux -L "$session" kill-server 2>/dev/null || true; }

@test "the checked-in completions are those that the program prints" {
  # After a change of the command table: scripts/completions
  diff <(tw completion bash) "$completions/teleport-webhooks.bash"
  diff <(tw completion zsh) "$completions/_teleport-webhooks"
  diff <(tw completion fish) "$completions/teleport-webhooks.fish"
}

# words... : what bash offers for the last one
bash_offers() {
  bash --norc --noprofile -c '
    source "$1" || exit 1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _teleport_webhooks
    printf "%s\n" "${COMPREPLY[@]}"' _ "$completions/teleport-webhooks.bash" "$@"
}

@test "bash completes verbs, flags and values" {
  bash_offers teleport-webhooks '' | grep -qx serve
  [ "$(bash_offers teleport-webhooks appr)" = approve ]
  bash_offers teleport-webhooks send --dr | grep -qx -e --dry-run
  bash_offers teleport-webhooks watch --until '' | grep -qx resolved
  [ "$(bash_offers teleport-webhooks completion f)" = fish ]
  cd "$BATS_TEST_TMPDIR" && touch my-config.toml
  [ "$(bash_offers teleport-webhooks --config my-c)" = my-config.toml ]
  # Bash takes --flag=value apart at the sign.
  [ "$(bash_offers teleport-webhooks --config = my-c)" = my-config.toml ]
  [ "$(bash_offers teleport-webhooks --color = al)" = always ]
  bash_offers teleport-webhooks --color = | grep -qx never
  bash_offers teleport-webhooks --format '' | grep -qx ndjson
}

@test "zsh loads the completion and offers verbs and flags" {
  mkdir -p "$BATS_TEST_TMPDIR/functions"
  cp "$completions/_teleport-webhooks" "$BATS_TEST_TMPDIR/functions/"
  # A real interactive zsh in a terminal; Tab is what a user would press.
  cat >"$BATS_TEST_TMPDIR/.zshrc" <<RC
fpath=($BATS_TEST_TMPDIR/functions \$fpath)
autoload -Uz compinit && compinit -u -d $BATS_TEST_TMPDIR/dump
PS1='ready> '
RC
  tmux -L "$session" -f /dev/null new-session -d -x 200 -y 50 "env ZDOTDIR=$BATS_TEST_TMPDIR zsh -i" 3>&-
  eventually_shown() { eventually bash -c "tmux -L $session capture-pane -p | grep -qE -- '$1'"; }
  eventually_shown 'ready>'
  tmux -L "$session" send-keys 'teleport-webhooks appr' Tab
  eventually_shown 'teleport-webhooks approve'
  tmux -L "$session" send-keys -- '--reas' Tab
  eventually_shown '(--reason|--reas.*--reason)'
  tmux -L "$session" send-keys C-c
  tmux -L "$session" send-keys 'teleport-webhooks watch --payload=leg' Tab
  eventually_shown '--payload=legacy'
  tmux -L "$session" send-keys C-c
  tmux -L "$session" send-keys 'teleport-webhooks help den' Tab
  eventually_shown 'teleport-webhooks help deny'
}

@test "fish completes verbs, flags and values" {
  fish_offers() { fish --no-config -c "source $completions/teleport-webhooks.fish; complete -C '$1'" | cut -f1; }
  fish_offers 'teleport-webhooks ' | grep -qx serve
  fish_offers 'teleport-webhooks help ' | grep -qx serve
  fish_offers 'teleport-webhooks -c some.toml wa' | grep -qx watch
  [ -z "$(fish_offers 'teleport-webhooks watch ' | grep -x serve)" ]
  fish_offers 'teleport-webhooks send --dr' | grep -qx -e --dry-run
  fish_offers 'teleport-webhooks watch --until ' | grep -qx resolved
  ! fish_offers 'teleport-webhooks approve --' | grep -qx -e --pid-file
}
