#!/usr/bin/env bats
# What people do wrong, and what they are told: exit codes, hints, and settings from every side.

bats_require_minimum_version 1.5.0
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  unset TELEPORT_WEBHOOKS_CONFIG
}
teardown() { end_background; }

# A mistake: the exit code and a part of what is said.
told() { # exit code, text, arguments...
  local code=$1 text=$2
  shift 2
  run tw "$@"
  echo "$* -> $status: $output"
  [ "$status" -eq "$code" ]
  [[ $output == *"$text"* ]]
}

@test "unknown commands, flags, choices and keys suggest the nearest" {
  told 2 'did you mean "watch"?' wacth
  told 2 'did you mean "configure"?' confgure
  told 2 'did you mean "--reason"?' approve x --resaon y
  told 2 'did you mean "--offline"?' check --ofline
  told 2 'did you mean "role"?' configure --kind rol
  told 2 'did you mean webhook.timeout?' -i x --set webhook.tiemout=5s watch --once
  printf '[webhook]\nwebhook_ulr = "https://example.com/"\n' >wrong.toml
  told 3 'did you mean webhook_url?' -c wrong.toml watch --once
  run env TELEPORT_WEBHOOKS_LOG_SEVERTY=info "$TW_BIN/teleport-webhooks" -i x watch --once
  [[ $output == *'did you mean TELEPORT_WEBHOOKS_LOG_SEVERITY?'* ]]
  told 2 'no endpoint "defualt"' --set webhook.webhook_url=http://127.0.0.1:9/ send --test --endpoint defualt
  [[ $output == *'did you mean "default"?'* ]]
}

@test "a flag without its value names what it wants, and help is where people look for it" {
  told 2 '--count needs a value: --count N' watch --count
  told 2 'see teleport-webhooks watch --help' watch --count
  told 2 '--output needs a value: --output text|json|ndjson' -o
  told 2 'no command given'
  told 2 'no command before "--"' -- watch
  told 2 'watch takes no argument, but got "now"' watch now
  [ "$(tw help send)" = "$(tw send --help)" ]
  [ "$(tw help)" = "$(tw --help)" ]
  [ "$(tw help help)" = "$(tw --help)" ]
  "$TW_BIN/teleport-sandbox" request --help | grep -qxF 'Usage: teleport-sandbox request [OPTIONS]'
  "$TW_BIN/teleport-sandbox" fault end-streams --help | grep -qF 'Usage: teleport-sandbox fault end-streams '
}

@test "ids that cannot be meant are refused before anything is done" {
  told 2 'no access request named' approve
  told 2 'empty' approve ''
  told 2 '.data.id' deny evt_0123
  told 2 'is not the id of an access request' approve 'a b'
  told 2 'stands alone' -i x approve - x
  run bash -c "echo '{\"type\":' | '$TW_BIN/teleport-webhooks' send --url http://127.0.0.1:9/ -"
  [ "$status" -eq 2 ]
  [[ $output == *'standard input, line 1: not an event: not valid JSON'* && $output != *exception* ]]
}

@test "a refused command line is told as JSON too when -o asks for it, however that is written" {
  for format in '-o json' '-ojson' '--output=json' '--format ndjson' '--output json'; do
    # shellcheck disable=SC2086  # two words
    run --separate-stderr tw watch --bogus $format
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    # shellcheck disable=SC2154  # set by run
    [ "$(tail -n 1 <<<"$stderr" | jq -r '.error | .code, .exit, .message' | tr '\n' '|')" = 'usage|2|unknown flag "--bogus"|' ]
  done
  told 2 'teleport-webhooks: unknown flag' watch --bogus -- -o json
}

@test "a switch with a value that is none says what it takes" {
  told 2 '--dry-run = maybe: a switch is given, or given as =true or =false' approve x --dry-run=maybe
}

@test "the value of a short flag may follow an equals sign, as that of a long one" {
  [ "$(tw version -o=json)" = "$(tw version --output=json)" ]
  [ "$(tw version -o=json)" = "$(tw version -ojson)" ]
  told 3 'cannot read none.toml' -c=none.toml watch --once
}

@test "an empty value after an equals sign is empty, and does not take the flag after it along" {
  start_sandbox
  write_config
  id=$(ask)
  run tw -c "$CONFIG" approve "$id" --reason= --dry-run
  [ "$status" -eq 0 ]
  [[ $output == *'(would be; nothing was done)'* ]]
  [ "$(sandbox show --dir "$SANDBOX" "$id" -o json | jq -r .state)" = PENDING ]
  told 2 'a role name is empty' -c "$CONFIG" approve "$id" --role= --dry-run
  told 2 '--config is empty' --config= approve "$id"
  told 2 '--config is empty' -c= approve "$id"
  told 2 'the id of the access request is empty' -c "$CONFIG" approve "$id" --dry-run=
  other=$(sandbox request --dir "$SANDBOX" --role dba --reason= --user bob)
  [ "$(sandbox show --dir "$SANDBOX" "$other" -o json | jq -r '.user, .reason' | tr '\n' '|')" = 'bob||' ]
}

@test "flags that would be passed over in silence are refused" {
  told 2 'standard input cannot be both' -c - approve - <<<'[teleport]'
  told 2 'standard input cannot be both' -c - send - <<<'[teleport]'
  told 2 'standard input cannot be both' -c - check --signature - <<<'[teleport]'
  told 2 '--config is empty' -c '' watch --once
  told 2 '--identity is empty' -i '' watch --once
  told 2 '--user is empty' -i x watch --user ''
  told 2 'exclude each other' check --queue --show-config
  told 2 'exclude each other' check --queue --send-test
  told 2 'exclude each other' check --offline --send-test
  told 2 '--at is for --signature' check --at 2026-11-22T10:00:00Z
  told 2 'a denial takes no start time' -i x deny 0192 --assume-start-time 2026-11-22T10:00:00Z
}

@test "check -o json is JSON in every form: the configuration, a signature, and what a time limit cut short" {
  start_sandbox
  start_receiver
  write_config
  tw -c "$CONFIG" check --show-config -o json >shown
  [ "$(jq -r '.[] | select(.key=="webhook.concurrency") | .value + 1' shown)" = 17 ]
  [ "$(jq -r '.[] | select(.key=="webhook.request_states") | .value[0], .origin' shown | tr '\n' '|')" = "*|$CONFIG:9|" ]
  tw -c "$CONFIG" check --show-config -o ndjson | jq -es 'length > 20 and all(.[]; has("key"))'
  tw configure --new-secret >secret
  printf 'POST / HTTP/1.1\n\n{}' >captured
  run --separate-stderr tw check --signature captured --secret-file secret -o json
  [ "$status" -eq 4 ]
  [ "$(jq -r '.[0].area' <<<"$output")" = signature ]
  sandbox fault --dir "$SANDBOX" call Ping ok --delay 20s --times 100
  run --separate-stderr tw -c "$CONFIG" check --timeout 300ms -o json
  [ "$status" -eq 124 ]
  jq -e 'length > 3 and all(.[]; .what != "cancelled")' <<<"$output"
  [ "$(jq -r .error.exit <<<"$stderr")" = 124 ]
}

@test "without any configuration each verb says where it looked and how to begin" {
  told 3 'teleport-webhooks configure' watch
  [[ $output == *./teleport-webhooks.toml* && $output == */etc/teleport-webhooks.toml* ]]
  told 3 'teleport-webhooks configure' approve x
  told 3 'teleport-webhooks configure' serve
  run tw check
  [ "$status" -eq 3 ]
  [ "$(grep -c '^✗ configuration: ' <<<"$output")" -eq 3 ]
  touch teleport-webhooks.toml
  told 3 'serve -c teleport-webhooks.toml' serve
}

@test "files that are missing, unreadable, empty or something else are told apart" {
  # root reads everything unless it gives the right to do so up.
  reader=()
  [[ $(id -u) -ne 0 ]] || reader=(setpriv "--bounding-set=-dac_override,-dac_read_search")
  as_reader() { "${reader[@]}" "$TW_BIN/teleport-webhooks" "$@"; }
  told 3 'cannot read gone.toml: No such file' -c gone.toml check
  told 3 'Is a directory' -c . check
  touch locked.toml secret empty
  chmod 000 locked.toml secret
  run as_reader -c locked.toml watch --once
  [ "$status" -eq 3 ]
  [[ $output == *'cannot read locked.toml: Permission denied'*'let the user that runs this program read it'* ]]
  run as_reader send --test --url http://127.0.0.1:9/ --secret-file secret
  [ "$status" -eq 4 ]
  [[ $output == *'cannot read secret: Permission denied'* ]]
  run as_reader -i secret watch --once
  [ "$status" -eq 4 ]
  [[ $output == *'Permission denied'*'let the user that runs this program read it'* ]]
  told 4 'secret makes a secret' send --test --url http://127.0.0.1:9/ --secret-file empty
  told 4 'gone does not exist' -i gone watch --once
  told 4 'empty is empty' -i empty watch --once
  told 1 'cannot read gone: No such file' check --signature gone --secret-file secret
  told 3 'cannot read gone: No such file' configure --from gone
  told 1 'cannot write /nowhere/x' configure --out /nowhere/x
}

@test "serve names every missing file of the original's example at once, and without authentication only that" {
  cat >old.toml <<'END'
[teleport]
auth_server = "example.com:3025"
client_key = "/nowhere/auth.key"
client_crt = "/nowhere/auth.crt"
root_cas = "/nowhere/auth.cas"
[webhook]
webhook_url = "https://mywebhook.com/ppst"
notify_only = false
request_states = { "Pending" = true, "Approved" = false, "Denied" = false }
callback_secret = "secret string to sign callback payloads with"
[http]
public_addr = "example.com"
https_key_file = "/nowhere/webproxy_key.pem"
https_cert_file = "/nowhere/webproxy_cert.pem"
[log]
output = "stderr"
severity = "INFO"
END
  told 3 'old.toml:11: http.basic_auth: ' -c old.toml serve
  [ "$(wc -l <<<"$output")" -eq 1 ]
  printf '[http.basic_auth]\nuser = "u"\npassword = "p"\n' >>old.toml
  told 4 'old.toml:3: teleport.client_key: cannot read /nowhere/auth.key' -c old.toml serve
  for file in auth.crt auth.cas webproxy_key.pem webproxy_cert.pem; do [[ $output == *"cannot read /nowhere/$file"* ]]; done
}

@test "check and serve tell of every jq program that does not compile, with its line" {
  printf '[teleport]\nidentity = "gone"\n[webhook]\nwebhook_url = "https://r.example.com/"\nnotify_only = true\nwhen = ".a b"\n[[endpoint]]\nname = "e"\nurl = "https://r.example.com/"\ntransform = "{"\n' >jq.toml
  for verb in serve 'check --offline'; do
    # shellcheck disable=SC2086 # two words
    told 3 'jq.toml:6: webhook.when: not a jq program' -c jq.toml $verb
    [[ $output == *'jq.toml:10: endpoint.e.transform: not a jq program'* ]]
  done
}

@test "a misspelt environment variable is told also when something is missing because of it" {
  run env TELEPORT_WEBHOOKS_TELEPORT_IDENTITI=x "$TW_BIN/teleport-webhooks" -c /dev/null watch --once
  [ "$status" -eq 3 ]
  [[ $output == *'did you mean TELEPORT_WEBHOOKS_TELEPORT_IDENTITY?'* ]]
}

@test "configure refuses values that would not load, and flags that its document has no place for" {
  told 2 '--addr: teleport.addr: "bad addr" is not an address' configure --addr 'bad addr' --webhook-url http://r.example.com/
  [[ $output == *'--webhook-url: webhook.webhook_url: http://r.example.com would carry requests in the clear'* ]]
  told 2 'other users can read a command line' configure --webhook-url https://u:CANARY@r.example.com/
  [[ $output != *CANARY* ]]
  told 2 '--webhook-url has no place in the document role' configure --kind role --webhook-url https://r.example.com/
  told 2 '--addr has no place in the document systemd' configure --kind systemd --addr a:1
  told 2 '--notify-only and --public-addr exclude each other' configure --notify-only --public-addr h
  told 2 'take none of' configure --new-secret --addr a:1
  told 0 'verbs: [list, read]' configure --kind role --notify-only
  [[ $output != *update* ]]
}

@test "configure --out writes what only its owner reads, replaces only with --force, and never a link or a device" {
  tw configure --out new.toml
  [ "$(stat -c %a new.toml)" = 600 ]
  told 1 'overwrite it with --force' configure --out new.toml
  mkdir elsewhere
  echo old >elsewhere/real.toml
  ln -s elsewhere/real.toml link.toml
  told 1 'overwrite it with --force' configure --out link.toml
  told 0 '' configure --out link.toml --force
  [ -L link.toml ]
  cmp elsewhere/real.toml new.toml
  mkfifo pipe
  told 1 'it is no regular file' configure --out pipe --force
  [ -p pipe ]
  told 1 'it is no regular file' configure --out elsewhere --force
  told 2 '--out names no file' configure --out ''
  [ "$(find . -name '*.new' | wc -l)" -eq 0 ]
}

@test "configure --kind systemd names the program that printed it, and systemd has nothing to say to it" {
  command -v systemd-analyze >/dev/null || skip 'systemd-analyze is not installed'
  tw configure --kind systemd >teleport-webhooks.service
  run systemd-analyze verify ./teleport-webhooks.service
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "configure --from shows no secret on a terminal, and writes the whole copy everywhere else" {
  printf '[teleport]\nauth_server = "a:1"\nclient_key = "k"\nclient_crt = "c"\nroot_cas = "r"\n[webhook]\nwebhook_url = "https://r.example.com/CANARY"\n[http.basic_auth]\nuser = "u"\npassword = "CANARY"\n' >old.toml
  run script -qec "'$TW_BIN/teleport-webhooks' configure --from old.toml" /dev/null
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *'password = ***'* && $output == *'--out FILE writes the copy itself'* && $output != *CANARY* ]]
  [ "$(tw configure --from old.toml 2>/dev/null | grep -c CANARY)" -eq 2 ]
  tw configure --from old.toml --out new.toml
  [ "$(grep -c CANARY new.toml)" -eq 2 ]
}

# section.key = type, one a line, of every key that stands once (man page of the configuration).
documented_keys() {
  awk '/^# THE .* SECTIONS?$/ || /^# [A-Z]+$/ {
         section = $2 == "DELIVERY" ? "webhook" : $NF == "SECTIONS" ? "" : tolower($3)
         next
       }
       section != "" && /^\*[a-z_.\\]+\* = / {
         sub(/ \(original\)$/, "")
         count = split($0, parts, /, \*/)
         for (i = 1; i <= count; i++) { gsub(/[*\\]/, "", parts[i]); print section "." parts[i] }
       }' "$BATS_TEST_DIRNAME/../../man/teleport-webhooks.toml.5.scd"
}

value_for() { # key, type
  case $1 in
    webhook.request_states) echo 'pending,Denied' ;;
    webhook.events) echo 'created,approved' ;;
    http.trusted_proxies) echo '10.0.0.0/8' ;;
    state.retain) echo 48h ;;
    *) case $2 in
         _address_) echo '127.0.0.1:4321' ;;
         _URL_*) echo 'https://hooks.example.com/a' ;;
         _duration_) echo '7s' ;;
         _number_) echo 7 ;;
         _size_) echo 7KiB ;;
         _rate_) echo 7/s ;;
         '_jq program_') echo '.data.user' ;;
         _secret_) echo 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' ;;
         *'|'*) echo "${2%%|*}" ;;
         *) echo some-text ;;
       esac ;;
  esac
}

@test "every scalar key of the manual can come from the environment" {
  count=0
  while IFS= read -r line; do
    key=${line%% = *} type=${line#* = }
    [[ $type == '_table of text_' || $type == '_list of secrets_' ]] && continue
    name=TELEPORT_WEBHOOKS_$(tr '[:lower:].' '[:upper:]_' <<<"$key")
    shown=$(env "$name=$(value_for "$key" "$type")" "$TW_BIN/teleport-webhooks" check --show-config 2>/dev/null) || true
    grep -qF "# $name" <<<"$shown" || { echo "$name ($type) does not arrive" >&2; return 1; }
    count=$((count + 1))
  done < <(documented_keys)
  [ "$count" -gt 75 ]
}

@test "flags beat --set, --set beats the environment, the environment beats the file" {
  printf '[teleport]\naddr = "file:1"\nidentity = "a"\n' >some.toml
  shown() { tw -c some.toml "$@" check --show-config 2>/dev/null | grep '^teleport.addr'; }
  [ "$(shown)" = 'teleport.addr = "file:1"  # some.toml:2' ]
  export TELEPORT_WEBHOOKS_TELEPORT_ADDR=environment:1
  [ "$(shown)" = 'teleport.addr = "environment:1"  # TELEPORT_WEBHOOKS_TELEPORT_ADDR' ]
  [ "$(shown --set teleport.addr=set:1)" = 'teleport.addr = "set:1"  # --set' ]
  [ "$(shown --set teleport.addr=set:1 --addr flag:1)" = 'teleport.addr = "flag:1"  # --addr' ]
  told 2 'other users can read a command line' -i x --set webhook.secret=x watch --once
  told 2 'has no value' -i x --set webhook.timeout watch --once
}

@test "the template loads back without a warning once its files are there" {
  start_sandbox
  start_receiver
  mkdir -m 700 etc
  cp "$SANDBOX/plugin.identity" etc/identity
  (umask 077; tw configure --new-secret >etc/secret; tw configure --new-secret >etc/callback-secret)
  port=$(free_port)
  tw configure --addr "$SANDBOX_ADDR" --webhook-url "$HOOK_URL" --public-addr "https://127.0.0.1:$port" |
    sed "s|/etc/teleport-webhooks|$PWD/etc|; s|\":8081\"|\"127.0.0.1:$port\"|" >teleport-webhooks.toml
  chmod 600 etc/identity teleport-webhooks.toml
  run tw --set "state.dir=$PWD/state" check --strict --send-test
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(grep -vc '^✓' <<<"$output")" -eq 0 ]
  [ "$(received | jq -r .body.type)" = endpoint.test ]
}

@test "check gives the code of its first problem: 4 rights, 7 unreachable, 8 receiver; 1 for warnings with --strict" {
  start_sandbox
  start_receiver
  write_config
  chmod 600 "$CONFIG"
  told 7 'teleport' -c "$CONFIG" --addr 127.0.0.1:1 check
  told 8 'endpoint default' -c "$CONFIG" --set webhook.webhook_url=http://127.0.0.1:1/ check
  told 0 'deliveries are not signed' -c "$CONFIG" check
  told 1 'deliveries are not signed' -c "$CONFIG" check --strict
  sandbox set-role --dir "$SANDBOX" plugin list,read
  told 4 'update' -c "$CONFIG" check
}

@test "check tells whether serve could listen" {
  start_sandbox
  start_receiver
  write_config
  told 0 "127.0.0.1:$CALLBACK_PORT is free to listen on" -c "$CONFIG" check
  told 0 "a socket can be made in $PWD" -c "$CONFIG" --set "http.listen_addr=unix:$PWD/callback.sock" check
  told 0 "$PWD/none is no directory now" -c "$CONFIG" --set "http.listen_addr=unix:$PWD/none/callback.sock" check
  told 3 'is there and is no socket' -c "$CONFIG" --set "http.listen_addr=unix:$CONFIG" check
  start_serve
  told 0 'in use by our own daemon' -c "$CONFIG" check
  [[ $output == *"✓ callback: 127.0.0.1:$CALLBACK_PORT is held by our own daemon"* ]]
  # By a stranger: no daemon of ours runs on the state directory. Where that one is a guess, so is the stranger.
  told 3 'Address already in use' -c "$CONFIG" --set "state.dir=$PWD/other" check
  sed -i '/^dir = /d' "$CONFIG"
  told 0 'fine if our own daemon listens there' -c "$CONFIG" check
  told 3 'cannot listen on 192.0.2.1:4321' -c "$CONFIG" --set http.listen_addr=192.0.2.1:4321 --set "state.dir=$PWD/other" check
}
