#!/usr/bin/env python3
"""Approves what the roster allows: whoever is on duty for a role gets it, everything else is left to people.
    ./roster.py 127.0.0.1:8080 SECRET_FILE roster.json https://webhooks.example.com:8081 CALLER_SECRET_FILE [CA_FILE]
roster.json: {"dba": ["alice", "bob"], "admin": []}, read anew for every request.
The callback is signed; in teleport-webhooks.toml: [[callback.caller]] name = "roster", hmac_secret_file = "..."."""
import base64, hmac, json, ssl, sys, time, urllib.error, urllib.request
from receiver import Receiver, key_in, run

ROSTER, CALLBACK, CALLER_SECRET = sys.argv[3:6]
TRUST = ssl.create_default_context(cafile=sys.argv[6]) if len(sys.argv) > 6 else None

def approve(event):
    request = event["data"]["id"]
    id, sent = "roster_" + event["id"], str(int(time.time()))    # the same id again acts once
    body = json.dumps({"request_id": request, "decision": "approve", "reason": "on duty"}).encode()
    mac = base64.b64encode(hmac.digest(key_in(CALLER_SECRET), f"{id}.{sent}.".encode() + body, "sha256")).decode()
    headers = {"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": sent,
               "webhook-signature": "v1," + mac}
    call = urllib.request.Request(f"{CALLBACK}/v1/requests/{request}/approve", body, headers)
    try:
        with urllib.request.urlopen(call, timeout=10, context=TRUST) as answer:
            print("approved", request, answer.read().decode(), flush=True)
    except urllib.error.HTTPError as refusal:
        if refusal.code in (401, 429) or refusal.code >= 500:
            raise                      # no 2xx for the webhook either: it comes again, and so do we
        print("not approved", request, refusal.code, refusal.read().decode(), flush=True)

class Roster(Receiver):
    def handle_event(self, event):
        with open(ROSTER) as file:
            on_duty = json.load(file)
        data = event["data"]
        if data["state"] == "PENDING" and data["roles"] and all(data["user"] in on_duty.get(r, []) for r in data["roles"]):
            approve(event)

if __name__ == "__main__":
    run(Roster)
