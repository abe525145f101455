#!/usr/bin/env bats
# The example receivers: a right signature is taken once, everything else is refused. The signatures are made by
# openssl here, so that sender, receiver and test are three implementations.

examples=$BATS_TEST_DIRNAME/../../examples
secret_text=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  echo "$secret_text" >secret
  port=$(free_port)
  receiver=
}

teardown() {
  if [[ -n $receiver ]]; then kill "$receiver" && wait "$receiver" || true; fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# command...: runs it in the background and waits until it listens
start() {
  "$@" >output 2>&1 3>&- &
  receiver=$!
  for _ in $(seq 100); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
    kill -0 "$receiver" 2>/dev/null || break
    sleep 0.1
  done
  cat output >&2
  return 1
}

# id, timestamp, body: the signature, made by openssl
signature() {
  local key
  key=$(sed 's/^whsec_//' secret | base64 -d | od -An -v -tx1 | tr -d ' \n')
  printf '%s.%s.%s' "$1" "$2" "$3" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w0
}

# id, timestamp, body, signature header: prints the status
post() {
  curl --silent --output /dev/null --write-out '%{http_code}\n' --max-time 10 -H "webhook-id: $1" \
    -H "webhook-timestamp: $2" -H "webhook-signature: $4" -H 'Content-Type: application/json' \
    --data-binary "$3" "http://127.0.0.1:$port/"
}

# What every receiver must do; `output` holds what it printed.
takes_what_is_signed_and_nothing_else() {
  local now body good
  now=$(date +%s)
  body='{"type":"access_request.created","id":"evt_1","data":{"id":"r1","user":"alice","reason":"zoë","roles":["dba"],"state":"PENDING"}}'
  good=v1,$(signature evt_1 "$now" "$body")

  [ "$(post evt_1 "$now" "$body" "$good")" = 204 ]
  grep -q alice output
  [ "$(post evt_1 "$now" "$body" "$good")" = 204 ] # a repeat is welcomed but not handled again
  [ "$(grep -c alice output)" = 1 ]
  [ "$(post evt_2 "$now" "$body" "v1,AAAA v2,x v1,$(signature evt_2 "$now" "$body")")" = 204 ] # one of a list

  [ "$(post evt_3 "$now" "$body" "$good")" = 401 ]                                               # another id
  [ "$(post evt_1 "$now" "${body/dba/admin}" "$good")" = 401 ]                                   # another body
  [ "$(post evt_4 "$now" "$body" "")" = 401 ]                                                    # none
  [ "$(post evt_5 "$now" "$body" "v1,$(signature evt_5 "$now" "$body" | cut -c 2-)")" = 401 ]    # cut
  local old=$((now - 302)) ahead=$((now + 310))
  [ "$(post evt_6 "$old" "$body" "v1,$(signature evt_6 "$old" "$body")")" = 401 ]
  [ "$(post evt_7 "$ahead" "$body" "v1,$(signature evt_7 "$ahead" "$body")")" = 401 ]
  [ "$(post evt_8 "$now.5" "$body" "v1,$(signature evt_8 "$now.5" "$body")")" = 401 ]
  [ "$(grep -c alice output)" = 2 ]
}

@test "the Python receiver takes what is signed, once, and nothing else" {
  start "$examples/receiver.py" "127.0.0.1:$port" secret
  takes_what_is_signed_and_nothing_else
}

@test "the JavaScript receiver takes what is signed, once, and nothing else" {
  start node "$examples/receiver.js" 127.0.0.1 "$port" secret
  takes_what_is_signed_and_nothing_else
}

@test "the shell receiver takes what is signed, once, and nothing else" {
  start "$examples/receiver.sh" "$port" secret seen
  takes_what_is_signed_and_nothing_else
}

# What anybody can send, before any signature can be checked, must not tie the receiver up: `lets_go_of` sends the head
# of a request and a megabyte after it, keeps the connection open, and wants the other side to end it.
lets_go_of() {
  python3 - "$port" "$1" <<'EOF'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 8) as peer:
    try:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + sys.argv[2].encode().decode("unicode_escape").encode() + b"A" * (1 << 20))
        while peer.recv(4096):
            pass
    except ConnectionError:
        pass
EOF
}

stands_hostile_requests() {
  local now good
  now=$(date +%s)
  lets_go_of 'Content-Length: -1\r\n\r\n'
  lets_go_of 'webhook-signature: '
  [ "$(post evt_1 "$(printf '9%.0s' {1..4000})" '{}' v1,AAAA)" = 401 ]
  [ "$(grep -c Traceback output)" = 0 ]
  # A requester's text does not reach the terminal: here the one-character CSI of a terminal's commands, and a change of direction.
  good=$(printf '{"type":"x","data":{"reason":"\xc2\x9b31m \xe2\x80\xae"}}')
  [ "$(post evt_1 "$now" "$good" "v1,$(signature evt_1 "$now" "$good")")" = 204 ]
  grep -q reason output
  [ "$(LC_ALL=C grep -c '[^ -~]' output)" = 0 ]
}

@test "the Python receiver stands what anybody can send" {
  start "$examples/receiver.py" "127.0.0.1:$port" secret
  stands_hostile_requests
}

@test "the JavaScript receiver stands what anybody can send" {
  start node "$examples/receiver.js" 127.0.0.1 "$port" secret
  stands_hostile_requests
}

@test "the shell receiver stands what anybody can send, and does not look for files that a signature names" {
  start "$examples/receiver.sh" "$port" secret seen
  stands_hostile_requests
  local now
  now=$(date +%s)
  touch "v1,x"
  strace -f -qq -e trace=open,openat,getdents64 -o trace -p "$receiver" 3>&- &
  local tracer=$!
  eventually_traced() { for _ in $(seq 50); do grep -q 'TracerPid:.[1-9]' "/proc/$receiver/status" && return; sleep 0.1; done; return 1; }
  eventually_traced
  [ "$(post evt_2 "$now" '{}' './v1,*')" = 401 ]
  kill "$tracer" && wait "$tracer" || true
  grep -q secret trace
  [ "$(grep -c getdents64 trace)" = 0 ]
}

@test "a receiver does not start with an empty secret, with which anybody could sign" {
  : >empty
  for receiver_of in "node $examples/receiver.js 127.0.0.1 $port" "$examples/receiver.py 127.0.0.1:$port" "$examples/receiver.sh $port"; do
    # shellcheck disable=SC2086  # a command of several words
    run timeout 5 $receiver_of empty seen
    [ "$status" = 1 ]
    [[ $output == *"empty holds no secret: teleport-webhooks configure --new-secret"* ]]
  done
}

@test "the shell receiver remembers what it has seen across a restart, and runs from a folder with a space in its name" {
  mkdir 'my receivers'
  cp "$examples/receiver.sh" 'my receivers/'
  local now body good
  now=$(date +%s) body='{"type":"x","data":{"user":"alice"}}'
  good=v1,$(signature evt_1 "$now" "$body")
  start 'my receivers/receiver.sh' "$port" secret seen
  [ "$(post evt_1 "$now" "$body" "$good")" = 204 ]
  grep -q alice output
  kill "$receiver" && wait "$receiver" || true
  start 'my receivers/receiver.sh' "$port" secret seen
  [ "$(post evt_1 "$now" "$body" "$good")" = 204 ]
  [ "$(grep -c alice output)" = 0 ]
}

@test "no example receiver is longer than 40 lines" {
  for file in "$examples"/*.py "$examples"/*.js "$examples"/*.sh; do
    length=$(wc -l <"$file")
    [ "$length" -le 40 ] || { echo "$file has $length lines" >&2; return 1; }
  done
}

@test "no example puts the secret where other users can read it" {
  start strace -D -f -qq -e trace=execve -s 4096 -o trace "$examples/receiver.sh" "$port" secret seen
  local now text
  now=$(date +%s) text='{"type":"x","data":{}}'
  [ "$(post evt_1 "$now" "$text" "v1,$(signature evt_1 "$now" "$text")")" = 204 ]
  grep -q openssl trace
  ! grep -qF -e "${secret_text#whsec_}" -e 31f290f6bf06298aab trace
}
