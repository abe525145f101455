#!/usr/bin/env python3
"""Takes teleport-webhooks events: verifies the signature, drops repeats, prints who asked for what. Behind HTTPS only.
    ./receiver.py 127.0.0.1:8080 SECRET_FILE          # the secret: teleport-webhooks configure --new-secret"""
import base64, collections, hmac, json, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def key_in(file):
    key = base64.b64decode(open(file).read().strip().removeprefix("whsec_"), validate=True)
    return key if len(key) >= 24 else sys.exit(f"{file} holds no secret: teleport-webhooks configure --new-secret")

def signed_by(key, headers, body):
    id, sent, given = (headers.get("webhook-" + name, "") for name in ("id", "timestamp", "signature"))
    if not id or not sent.isdecimal() or len(sent) > 12 or abs(time.time() - int(sent)) > 300:
        return False
    right = b"v1," + base64.b64encode(hmac.digest(key, f"{id}.{sent}.".encode() + body, "sha256"))
    return any([hmac.compare_digest(right, one) for one in given.encode().split()])

class Receiver(BaseHTTPRequestHandler):
    timeout, key, lock = 10, b"", threading.Lock()
    seen = collections.deque(maxlen=10_000)     # the ids of the last events; keep them in your database instead
    def do_POST(self):
        id, size = self.headers["webhook-id"], self.headers.get("Content-Length", "")
        body = self.rfile.read(int(size)) if size.isdecimal() and len(size) < 7 else b""
        good = signed_by(self.key, self.headers, body)
        with self.lock:
            if good and id not in self.seen:
                self.handle_event(json.loads(body))
                self.seen.append(id)   # only now: an exception above makes the event come again
        self.send_response(204 if good else 401)
        self.end_headers()

    def handle_event(self, event):
        print(event["type"], json.dumps(event["data"]), flush=True)

def run(receiver):
    receiver.key, (host, port) = key_in(sys.argv[2]), sys.argv[1].rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), receiver).serve_forever()

if __name__ == "__main__":
    run(Receiver)
