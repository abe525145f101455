#!/usr/bin/env bats
# A canary in every place where a secret can stand. No verb, log level, error, metric, audit line or command line
# may show one, neither as written nor in the encodings that it travels in.

# shellcheck disable=SC2154  # the canaries are set by name, in text_canary and webhook_canary
load helpers

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  umask 077
  : >canaries
  : >said
}
teardown() { end_background; }

# Notes a text that must never be seen, with the encodings it may take on its way.
hide() { # text
  {
    printf '%s\n' "$1"
    printf '%s' "$1" | base64 -w 0
    echo
    printf '%s' "$1" | jq -sRr @uri
  } >>canaries
}
text_canary() { # name: sets the variable of that name
  printf -v "$1" 'canary-%s-%s' "${1//_/-}" "$(openssl rand -hex 8)"
  hide "${!1}"
}
webhook_canary() { # name: a Standard Webhooks secret; both its text and its bytes are canaries
  local bytes
  bytes=canary-$(openssl rand -hex 12)
  printf -v "$1" 'whsec_%s' "$(printf '%s' "$bytes" | base64 -w 0)"
  hide "${!1#whsec_}"
  hide "$bytes"
}
key_canary() { # file: the lines of a private key
  grep -v -e '-----' "$1" | awk 'length($0) > 40' >>canaries
}
# Runs the program whatever its end, keeping everything it says.
say() { "$TW_BIN/teleport-webhooks" "$@" >>said 2>&1 </dev/null || true; }
heard() { grep -qF "$1" said; }

nothing_shown() { # files
  local hits
  [ "$(wc -l <canaries)" -ge "${1:-3}" ]
  shift
  sort -u canaries | grep -v '^$' >patterns
  hits=$(grep -naF -f patterns "$@" | cut -c1-400 || true)
  if [[ -n $hits ]]; then
    echo "$hits"
    return 1
  fi
}

make_canaries() {
  local name
  for name in url_password url_path url_query header bearer basic_password proxy_password teleport_proxy_password \
    github_secret callback_password public_password http_bearer caller_bearer caller_password environment_token \
    file_token; do
    text_canary "$name"
  done
  for name in secret old_secret other_secret callback_secret caller_secret file_secret; do webhook_canary "$name"; done
  hide "$(printf 'user:%s' "$url_password" | base64 -w 0)"
  hide "$(printf 'user:%s' "$basic_password" | base64 -w 0)"
  hide "$(printf 'portal:%s' "$callback_password" | base64 -w 0)"
  seed=$(openssl genpkey -algorithm ed25519 -outform DER | tail -c 32 | base64 -w 0)
  hide "$seed"
  printf '%s\n' "$file_secret" >file-secret
  printf '%s\n' "$file_token" >file-token
  openssl req -x509 -newkey rsa:2048 -nodes -keyout client.key -out client.crt -days 2 -subj /CN=client 2>/dev/null
  openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.crt -days 2 -subj /CN=server \
    -addext 'subjectAltName=IP:127.0.0.1' 2>/dev/null
  key_canary client.key
  key_canary server.key
}

# Every key that can hold a secret; HOOK_URL's server is the receiver of the first endpoint.
full_config() { # lines for [http] and [callback]
  local origin=${HOOK_URL%/hook}
  CALLBACK_PORT=${CALLBACK_PORT:-$(free_port)}
  CONFIG=$BATS_TEST_TMPDIR/full.toml
  cat >"$CONFIG" <<TOML
[teleport]
addr = "$SANDBOX_ADDR"
client_key = "$SANDBOX/plugin.key"
client_crt = "$SANDBOX/plugin.crt"
root_cas = "$SANDBOX/plugin.cas"
[webhook]
webhook_url = "http://user:$url_password@${origin#http://}/$url_path?token=$url_query"
request_states = ["*"]
payload = "event"
secret = "$secret"
old_secrets = ["$old_secret", "whsk_$seed"]
headers = { "X-Api-Key" = "$header" }
callback_secret = "$callback_secret"
retry.initial = "50ms"
retry.max = "200ms"
breaker.max = "1s"
[[endpoint]]
name = "bearer"
url = "$origin/$url_path"
bearer_token = "$bearer"
request_states = ["*"]
secret = "$github_secret"
signature = "github"
[[endpoint]]
name = "dead"
url = "https://127.0.0.1:1/$url_path"
proxy_url = "http://user:$proxy_password@127.0.0.1:1"
basic_user = "user"
basic_password = "$basic_password"
cert_file = "client.crt"
key_file = "client.key"
secret = "$other_secret"
request_states = ["*"]
[[endpoint]]
name = "files"
url_file = "url"
secret_file = "file-secret"
bearer_token_file = "file-token"
request_states = ["*"]
payload = "form"
[http]
listen_addr = "127.0.0.1:$CALLBACK_PORT"
public_addr = "https://portal:$callback_password@127.0.0.1:$CALLBACK_PORT"
https_key_file = "server.key"
https_cert_file = "server.crt"
bearer_token = "$http_bearer"
[callback]
delegator = "auth"
[[callback.caller]]
name = "bearer"
bearer_token = "$caller_bearer"
[[callback.caller]]
name = "basic"
basic_user = "caller"
basic_password = "$caller_password"
[[callback.caller]]
name = "signer"
hmac_secret = "$caller_secret"
[diagnostics]
listen_addr = "127.0.0.1:0"
[state]
dir = "$BATS_TEST_TMPDIR/state"
TOML
  printf 'http://%s/%s?token=%s\n' "${origin#http://}" "$url_path" "$url_query" >url
}

# A receiver that shows what it was sent to whoever asks: in its answer and in the place it sends people to.
start_echo() { # status
  cat >echo.py <<'PYTHON'
import http.server, sys
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        told = (self.path + "\n" + str(self.headers)).encode()
        self.send_response(int(sys.argv[1]))
        self.send_header("Location", "http://127.0.0.1:1" + self.path)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
print(f"http://127.0.0.1:{server.server_port}/hook", flush=True)
server.serve_forever()
PYTHON
  background echo python3 echo.py "$1"
  eventually test -s "$BATS_TEST_TMPDIR/echo.out"
  HOOK_URL=$(out_of echo)
}

@test "no verb shows a secret, at any log level, whether it succeeds or fails" {
  start_sandbox
  for user in plugin nobody; do key_canary "$SANDBOX/$user.key"; done
  key_canary "$SANDBOX/plugin.identity"
  make_canaries
  start_receiver
  full_config
  id=$(ask --reason 'canaries')
  printf 'POST /%s HTTP/1.1\nAuthorization: Bearer %s\nX-Api-Key: %s\nwebhook-id: a\nwebhook-timestamp: 1\nwebhook-signature: v1,AAAA\n\n{}' \
    "$url_path" "$http_bearer" "$header" >captured
  for level in -q '' -v -d; do
    flags=(-c "$CONFIG")
    [[ -z $level ]] || flags+=("$level")
    for format in text json; do
      say "${flags[@]}" -o "$format" check
      say "${flags[@]}" -o "$format" check --offline --show-config
      say "${flags[@]}" -o "$format" send --test
    done
    say "${flags[@]}" check --queue
    say "${flags[@]}" check --signature captured
    say "${flags[@]}" check --signature captured --secret-file file-secret
    say "${flags[@]}" send --test --dry-run
    say "${flags[@]}" send "$id" --dry-run
    say "${flags[@]}" --timeout 5s watch --once
    say "${flags[@]}" approve --dry-run "$id"
    say "${flags[@]}" deny 00000000-0000-0000-0000-000000000000
    say "${flags[@]}" --addr 127.0.0.1:1 approve "$id"
    say "${flags[@]}" -i "$SANDBOX/plugin.identity" watch --once
    say "${flags[@]}" configure --from "$CONFIG" --out upgraded.toml --force # the copy holds what the file holds
    say "${flags[@]}" --set "http.bearer_token=$http_bearer" check --offline
    say "${flags[@]}" --set "teleport.proxy_url=http://user:$teleport_proxy_password@127.0.0.1:1" check
    TELEPORT_WEBHOOKS_TELEPORT_PROXY_URL=http://user:$teleport_proxy_password@127.0.0.1:1 say "${flags[@]}" check
    HTTPS_PROXY=http://user:$teleport_proxy_password@127.0.0.1:1 say "${flags[@]}" check
    TELEPORT_WEBHOOKS_HTTP_BEARER_TOKEN=$environment_token say "${flags[@]}" check --offline --show-config
    say "$level" send --test --url "http://user:$url_password@127.0.0.1:1/$url_path" --secret-file file-secret
  done
  # The program did its work: it would be easy to show nothing by doing nothing.
  heard 'X-Api-Key: ***'
  heard 'Authorization: ***'
  heard 'access_request.created'
  heard 'refused the connection'
  heard 'bearer_token = "***"'
  received | jq -se --arg token "$bearer" 'any(.headers.authorization == "Bearer " + $token)' >/dev/null
  nothing_shown 100 said
}

@test "a secret that is written wrongly is complained of without being shown" {
  SANDBOX=/nowhere SANDBOX_ADDR=127.0.0.1:1 HOOK_URL=http://127.0.0.1:1/hook
  make_canaries
  full_config
  broken() { # lines
    cat - >broken.toml <<<"$1"
    say -d -c broken.toml check --offline --show-config
    say -d configure --from broken.toml --out upgraded.toml --force # the copy is the user's own file again
    tw -c broken.toml -o json serve >>said 2>&1 </dev/null && return 1
    return 0
  }
  t=$bearer
  for value in "$t" "\"$t" "\"$t\\q\"" "'$t" "\"$t\" \"$t\"" "[\"$t\"]" "{ a = \"$t\" }" "\"$t\"$t" "true$t" "false$t" \
    "inf$t" "0x$t" "12$t" "1979-05-27T$t" "\"\"\"$t" "\"$t"$'\n'"more\"" "\"$t\\u0007\"" "\"$t\\uD800\"" "= \"$t\""; do
    for key in bearer_token old_secrets headers webhook_url; do
      broken "[webhook]"$'\n'"$key = $value"
    done
    broken "[[callback.caller]]"$'\n'"hmac_secret = $value"
  done
  [ "$(grep -c 'not valid TOML' said)" -gt 50 ]
  # Secrets of the wrong shape, addresses that cannot be read, and secrets where a path belongs.
  for value in "v1,$secret" "${secret}x y" "$secret=" "whsec_$t" "whsk_$t" "short$t"; do
    keys=(secret callback_secret)
    [[ $value != *whs* ]] || keys+=(secret_file callback_secret_file)
    for key in "${keys[@]}"; do
      broken "[webhook]"$'\n'"webhook_url = \"https://127.0.0.1/\""$'\n'"$key = \"$value\""
    done
    broken "[webhook]"$'\n'"webhook_url = \"https://127.0.0.1/\""$'\n'"secret = \"$secret\""$'\n'"old_secrets = [\"$value\"]"
  done
  for url in "https://user:$url_password@bad host/" "https://user:$url_password@" "user:$url_password@host" \
    "ftp://user:$url_password@host/$url_path" "https://host:99999/$url_path" "https://user:$url_password@[::1/" \
    "https://:$url_password@host/" "http://192.0.2.1/$url_path?$url_query" "http://user:$url_password@0177.1/"; do
    for key in webhook_url proxy_url; do broken "[webhook]"$'\n'"$key = \"$url\""; done
    broken "[http]"$'\n'"public_addr = \"${url%/*}\""
    broken "[teleport]"$'\n'"proxy_url = \"$url\""
    TELEPORT_WEBHOOKS_WEBHOOK_WEBHOOK_URL=$url broken '[webhook]'
    TELEPORT_WEBHOOKS_TELEPORT_PROXY_URL=$url broken '[webhook]'
    say send --test --url "$url"
  done
  broken "[webhook]"$'\n'"headers = { \"X-Api-Key\" = \"$header\\u0001\", \"X Api\" = \"$header\" }"
  printf 'X-Api-Key %s\n' "$header" >header-file
  broken "[webhook]"$'\n'"headers_file = \"header-file\""
  for name in client_key client_crt root_cas identity; do
    printf -- '-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n' "$file_token" >bad.pem
    say -d --set "teleport.$name=bad.pem" --addr 127.0.0.1:1 check
  done
  say -d --addr 127.0.0.1:1 -i bad.pem watch --once
  nothing_shown 60 said
}

@test "an answer that repeats what it was sent does not carry a secret into the output" {
  start_sandbox
  make_canaries
  start_echo 302
  full_config
  for level in -q -v -d; do
    say -c "$CONFIG" "$level" send --test
    say -c "$CONFIG" "$level" -o json send --test
    say -c "$CONFIG" "$level" check --send-test
    say "$level" send --test --url "http://user:$url_password@${HOOK_URL#http://}$url_path?$url_query"
  done
  heard '302 to http://127.0.0.1:1'
  nothing_shown 60 said
}

@test "the daemon shows no secret in log, metrics, audit trail, store or command line" {
  start_sandbox
  key_canary "$SANDBOX/plugin.key"
  make_canaries
  start_echo 500
  full_config
  log=$BATS_TEST_TMPDIR/daemon.log
  sed -i "s|^\[diagnostics\]|[log]\noutput = \"$log\"\nseverity = \"DEBUG\"\n&|" "$CONFIG"
  id=$(ask)
  TELEPORT_WEBHOOKS_WEBHOOK_BEARER_TOKEN='' background serve "$TW_BIN/teleport-webhooks" serve -c "$CONFIG" -d
  pid=$(pid_of serve)
  eventually grep -q 'in step with Teleport' "$log"
  url=https://127.0.0.1:$CALLBACK_PORT
  post() { curl -sk -o /dev/null -w '%{http_code}\n' "$@" >>codes; }
  # Right credentials, and wrong ones that are nearly right: what somebody mistyped is a secret as well.
  post -u "portal:$callback_password" --json '{}' "$url/v1/requests/$id/approve"
  post -u "portal:x$callback_password" --json '{}' "$url/v1/requests/$id/approve"
  post -u "$callback_password:portal" --json '{}' "$url/v1/requests/$id/approve"
  post --oauth2-bearer "$http_bearer" --json '{}' "$url/v1/requests/$id/approve"
  post --oauth2-bearer "x$http_bearer" --json '{}' "$url/v1/requests/$id/approve"
  post --oauth2-bearer "$caller_bearer" --json '{"reason":1}' "$url/v1/requests/$id/deny?token=$http_bearer"
  post -u "caller:$caller_password" "$url/v1/requests/$id?access_token=$http_bearer"
  post -u "caller:$caller_password" --json '{"reason":"again"}' "$url/v1/requests/$id/approve"
  post -H "webhook-id: $caller_secret" -H "webhook-signature: v1,$caller_secret" -H 'webhook-timestamp: 1' -d "{\"$caller_secret\"" "$url/"
  post -H "Authorization: Digest $callback_secret" -d '{}' "$url/$http_bearer"
  post -H "X-Api-Key: $http_bearer" -d "$caller_secret" "$url/"
  [ "$(sort codes | uniq -c | awk '$2 == 200 { print $1 }')" -ge 3 ]
  [ "$(grep -c 401 codes)" -ge 4 ]
  eventually grep -q '500 Internal Server Error' "$log"
  diagnostics=$(sed -n 's/.*diagnostics listener.*address[^0-9]*\(127[0-9.]*:[0-9]*\).*/\1/p' "$log" | head -n 1)
  for page in metrics readyz livez nowhere; do curl -s "http://$diagnostics/$page" >>said; done
  heard teleport_webhooks_callbacks_total
  # Reloads: of a file that cannot be read, of one with a key that does not fit, of a right one.
  cp "$CONFIG" right.toml
  printf 'bearer_token = "%s\n' "$bearer" >>"$CONFIG"
  kill -HUP "$pid"
  eventually grep -q 'reload refused' "$log"
  sed "s|whsec_[^\"]*|v1,whsec_${secret#whsec_}|" right.toml >"$CONFIG"
  kill -HUP "$pid"
  refused_twice() { [[ $(grep -c 'reload refused' "$log") -ge 2 ]]; }
  eventually refused_twice
  cp server.key old.key
  cp client.key server.key
  cp right.toml "$CONFIG"
  kill -HUP "$pid"
  refused_thrice() { [[ $(grep -c 'reload refused' "$log") -ge 3 ]]; }
  eventually refused_thrice
  cp old.key server.key
  kill -HUP "$pid"
  eventually grep -q 'configuration reloaded' "$log"
  cat "/proc/$pid/cmdline" >>said
  say -c "$CONFIG" check --queue
  kill -TERM "$pid"
  wait "$pid"
  cat "$log" state/audit.log "$BATS_TEST_TMPDIR"/serve.out "$BATS_TEST_TMPDIR"/serve.err >>said
  heard '"caller":"basic"'
  find state -type f ! -name 'server.key' -exec cat {} + >store
  nothing_shown 60 said store
}

@test "the search for canaries finds one" {
  text_canary loose
  printf 'log line with %s in it\n' "$loose" >said
  run nothing_shown 3 said
  [ "$status" -ne 0 ]
  printf 'Authorization: Basic %s\n' "$(printf '%s' "$loose" | base64 -w 0)" >said
  run nothing_shown 3 said
  [ "$status" -ne 0 ]
}
