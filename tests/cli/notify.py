# A service manager's ear: binds the datagram socket argv[1] and prints each message, seconds before it, on one line.
import socket
import sys
import time

ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
while True:
    message = ear.recv(8192).decode()
    print(f"{time.monotonic():.3f} {message!r}", flush=True)
