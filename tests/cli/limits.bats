#!/usr/bin/env bats
# What one address may hold of the callback listener. Loopback is free of the limit, so the test has addresses of
# documentation (RFC 5737) on the loopback of a network of its own.

load helpers

setup() { unshare --net ip link set lo up 2>/dev/null || skip 'needs a network namespace of its own'; }

@test "one address holds 64 connections and no more, unless a reload trusts it, and nobody else is the worse for it" {
  export BATS_TEST_DIRNAME BATS_TEST_TMPDIR TW_BIN
  unshare --net "$BASH" -c '
    set -euo pipefail
    source "$BATS_TEST_DIRNAME/helpers.bash"
    trap end_background EXIT
    ip link set lo up
    ip address add 192.0.2.1/32 dev lo
    ip address add 192.0.2.2/32 dev lo
    start_sandbox
    write_config
    sed -i "s|^listen_addr = \"127.0.0.1:$CALLBACK_PORT\"|listen_addr = \"192.0.2.1:$CALLBACK_PORT\"|" "$CONFIG"
    start_serve
    python3 - "$CALLBACK_PORT" "$CONFIG" "$(pid_of serve)" >"$BATS_TEST_TMPDIR/held" <<PYTHON
import os, select, signal, socket, ssl, sys
server = ("192.0.2.1", int(sys.argv[1]))

def connect(source):
    return socket.create_connection(server, timeout=10, source_address=(source, 0))

def ended(connection):
    return bool(select.select([connection], [], [], 0)[0])

def answers(source):
    context = ssl._create_unverified_context()
    with context.wrap_socket(connect(source)) as tls:
        tls.sendall(b"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return tls.recv(100).startswith(b"HTTP/1.1 200")

greedy = [connect("192.0.2.2") for _ in range(100)]
select.select(greedy, [], [], 10)
print("other", answers("192.0.2.1"))
print("held", sum(not ended(c) for c in greedy))
try:
    print("one more", answers("192.0.2.2"))
except OSError:
    print("one more refused")
for c in greedy:
    c.close()
for _ in range(200):
    try:
        if answers("192.0.2.2"):
            print("again")
            break
    except OSError:
        pass

with open(sys.argv[2]) as file:
    text = file.read()
with open(sys.argv[2], "w") as file:
    file.write(text.replace("[http]", "[http]\\ntrusted_proxies = [\"192.0.2.2\"]"))
os.kill(int(sys.argv[3]), signal.SIGHUP)
for _ in range(100):
    greedy = [connect("192.0.2.2") for _ in range(100)]
    held = len(greedy) - len(select.select(greedy, [], [], 1)[0])
    for c in greedy:
        c.close()
    if held == 100:
        break
print("trusted", held)
PYTHON
  ' >"$BATS_TEST_TMPDIR/log" 2>&1 || {
    cat "$BATS_TEST_TMPDIR/log"
    false
  }
  diff "$BATS_TEST_TMPDIR/held" - <<'EXPECTED'
other True
held 64
one more refused
again
trusted 100
EXPECTED
}
