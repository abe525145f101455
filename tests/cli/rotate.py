#!/usr/bin/env python3
"""Rotates the callback secret and the certificate of a running daemon while two clients go on deciding.

rotate.py PID LOG PORT CERTIFICATES ROTATIONS ID ID: works on the files that rotation.bats names in its configuration.
Each rotation makes the new secret the old one and SIGHUPs the daemon. One client keeps its connection, the other
makes one for each callback. Prints how many callbacks were asked; any answer but 200 is an error.
"""
import base64, hashlib, hmac, http.client, os, signal, ssl, sys, threading, time

pid, log, port, certificates, rotations = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
trust.check_hostname = False
trust.verify_mode = ssl.CERT_NONE
failures = []


def key(number):
    return hashlib.sha256(b"rotation %d" % number).digest()


def put(path, text):
    with open(path + ".new", "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(text)
    os.rename(path + ".new", path)


def accept(number):
    put("old-secret", "whsec_" + base64.b64encode(key(number)).decode())
    put("new-secret", "whsec_" + base64.b64encode(key(number + 1)).decode())
    for kind in ("key", "crt"):
        with open("pair%d.%s" % (number % certificates, kind)) as file:
            put("server." + kind, file.read())


def reloads():
    with open(log) as file:
        return file.read().count("configuration reloaded")


class Client(threading.Thread):
    def __init__(self, request, keeps):
        super().__init__(daemon=True)
        self.request, self.keeps, self.number, self.answered, self.asked, self.ended = request, keeps, 1, 0, 0, False

    def run(self):
        connection = None
        while not self.ended:
            number = self.number
            if connection is None or not self.keeps:
                connection = http.client.HTTPSConnection("127.0.0.1", port, context=trust, timeout=20)
            try:
                status = self.ask(connection, number)
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
            if status != 200:
                failures.append("%s with secret %d: %s" % (self.request, number, status))
                connection = None
            self.asked += 1
            self.answered = number

    def ask(self, connection, number):
        body = '{"request_id":"%s","decision":"approve"}' % self.request
        name, now = "msg_%s_%d" % (self.request, self.asked), int(time.time())
        mac = hmac.new(key(number), ("%s.%d.%s" % (name, now, body)).encode(), hashlib.sha256).digest()
        connection.request("POST", "/v1/requests/%s/approve" % self.request, body, {
            "Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": str(now),
            "webhook-signature": "v1," + base64.b64encode(mac).decode()})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def until(true, what):
    end = time.monotonic() + 30
    while not true():
        if time.monotonic() > end:
            sys.exit("never: %s; %s" % (what, failures[:5]))
        time.sleep(0.001)


def main():
    clients = [Client(sys.argv[6], True), Client(sys.argv[7], False)]
    for client in clients:
        client.start()
    for number in range(1, rotations + 1):
        until(lambda: all(client.answered >= number for client in clients), "answers before rotation %d" % number)
        accept(number)
        os.kill(pid, signal.SIGHUP)
        until(lambda: reloads() >= number, "reload %d" % number)
        for client in clients:
            client.number = number + 1
    until(lambda: all(client.answered > rotations for client in clients), "the last answers")
    for client in clients:
        client.ended = True
        client.join()
    print(sum(client.asked for client in clients), "callbacks over", rotations, "rotations")
    if failures:
        sys.exit("\n".join(failures[:10]))


main()
