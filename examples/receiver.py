#!/usr/bin/env python3
"""Takes teleport-webhooks events: verifies the signature, drops repeats, prints who asked for what.
    ./receiver.py 127.0.0.1:8080 SECRET_FILE          # the secret: teleport-webhooks configure --new-secret
Put it behind HTTPS before it leaves this machine."""
import base64, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def signed_by(key, headers, body):
    id, sent, given = (headers.get("webhook-" + name, "") for name in ("id", "timestamp", "signature"))
    if not id or not sent.isdecimal() or abs(time.time() - int(sent)) > 300:
        return False
    right = b"v1," + base64.b64encode(hmac.digest(key, f"{id}.{sent}.".encode() + body, "sha256"))
    return any([hmac.compare_digest(right, one) for one in given.encode().split()])

class Receiver(BaseHTTPRequestHandler):
    key, seen = b"", {}            # the ids of the last 10,000 events; keep them in your database instead

    def do_POST(self):
        id, body = self.headers["webhook-id"], self.rfile.read(min(int(self.headers["Content-Length"]), 1 << 20))
        good = signed_by(self.key, self.headers, body)
        if good and id not in self.seen:
            self.handle_event(json.loads(body))
            self.seen[id] = True   # only now: an exception above makes the event come again
            if len(self.seen) > 10_000:
                del self.seen[next(iter(self.seen))]
        self.send_response(204 if good else 401)
        self.end_headers()

    def handle_event(self, event):
        print(event["type"], json.dumps(event["data"]), flush=True)

def run(receiver):
    receiver.key = base64.b64decode(open(sys.argv[2]).read().strip().removeprefix("whsec_"))
    host, port = sys.argv[1].rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), receiver).serve_forever()

if __name__ == "__main__":
    run(Receiver)
