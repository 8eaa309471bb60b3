"""Stands before kubectl: `port-forward` leads to FORWARD_TO on this machine, all else goes to the kubectl in REAL_KUBECTL.

The stream of a port-forward is SPDY inside a WebSocket, which the fake API server does not speak. With FORWARD_ENDS the first forward
ends after that many seconds, as it does when its pod is replaced; each start is a line in FORWARD_LOG.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time


def relay(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one side ends."""
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass  # the other side is gone: so is this connection
    finally:
        for end in (source, target):
            end.close()


def serve(listener: socket.socket, port: int) -> None:
    """Forward every connection."""
    while True:
        here, _ = listener.accept()
        there = socket.create_connection(("127.0.0.1", port))
        for pair in ((here, there), (there, here)):
            threading.Thread(target=relay, args=pair, daemon=True).start()


def main() -> None:
    """Forward, or be kubectl."""
    if "port-forward" not in sys.argv:
        real = os.environ["REAL_KUBECTL"]
        os.execv(real, [real, *sys.argv[1:]])
    with open(os.environ["FORWARD_LOG"], "a", encoding="utf-8") as log:
        log.write(" ".join(sys.argv[1:]) + "\n")
    with open(os.environ["FORWARD_LOG"], encoding="utf-8") as log:
        first = len(log.readlines()) == 1
    here = sys.argv[-1].partition(":")[0]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(here or 0)))
    listener.listen()
    print(f"Forwarding from 127.0.0.1:{listener.getsockname()[1]} -> 9100", flush=True)
    threading.Thread(target=serve, args=(listener, int(os.environ["FORWARD_TO"])), daemon=True).start()
    ends = os.environ.get("FORWARD_ENDS")
    if ends and first:
        time.sleep(float(ends))
        print("error: lost connection to pod", file=sys.stderr)
        sys.exit(1)
    threading.Event().wait()


if __name__ == "__main__":
    main()
