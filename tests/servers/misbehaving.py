"""A server that greets politely and then misbehaves as `MODE` says. Standard library only.

Modes: silent (never answers initialize), dies (in mid-call), deaf (reads no more), closes (its output), floods-output
(with what is no message), floods-errors, notifies (10,000 notifications a second), forks (as many as it can, which
ignore the signals that they can), stays (ignores the end of its input and SIGTERM), babbles (an octet at a time).
"""

import json
import os
import signal
import sys
import threading
import time

MODE = os.environ.get("MODE", "")


def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def dies(number):
    print("I give up", file=sys.stderr, flush=True)
    os._exit(7)


def deaf(number):
    time.sleep(3600)


def closes(number):
    os.close(1)
    time.sleep(3600)


def floods_output(number):
    while True:
        os.write(1, b"this is no message at all\n" * 500)


def floods_errors(number):
    threading.Thread(target=flood, daemon=True).start()
    answer(number)


def flood():
    while True:
        os.write(2, b"something is wrong, I think\n" * 500)


def notifies(number):
    """For two seconds; the answer comes last."""
    line = json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}})
    began = time.monotonic()
    for batch in range(200):
        sys.stdout.write((line + "\n") * 100)
        sys.stdout.flush()
        time.sleep(max(0.0, began + (batch + 1) / 100 - time.monotonic()))
    answer(number)


def forks(number):
    made = 0
    try:
        for _ in range(100):
            if os.fork() == 0:
                for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    signal.signal(one, signal.SIG_IGN)
                os.setsid()
                time.sleep(3600)
                os._exit(0)
            made += 1
    except OSError:
        pass
    answer(number, str(made))


def babbles(number):
    text = json.dumps({"jsonrpc": "2.0", "id": number, "result": {"content": [{"type": "text", "text": "é" * 20}]}})
    for octet in (text + "\n").encode():
        os.write(1, bytes([octet]))
        time.sleep(0.002)


def answer(number, text="done"):
    send({"id": number, "result": {"content": [{"type": "text", "text": text}]}})


def nests(number):
    os.write(1, b'{"jsonrpc": "2.0", "id": 0, "result": ' + b"[" * 50_000 + b"\n")
    answer(number)


def counts(number):
    """A number of more digits than Python reads, and a secret."""
    said = '{"jsonrpc": "2.0", "id": %d, "result": {"key": "%s", "much": %s}}\n'
    os.write(1, (said % (number, os.environ["KEY"], "1" * 5000)).encode())


def complains(number):
    """In an error, with a secret."""
    key = os.environ["KEY"]
    send({"id": number, "error": {"code": -32000, "message": f"{key} is refused", "data": {"key": key}}})


CALLS = {
    "complains": complains,
    "nests": nests,
    "counts": counts,
    "dies": dies,
    "deaf": deaf,
    "closes": closes,
    "floods-output": floods_output,
    "floods-errors": floods_errors,
    "notifies": notifies,
    "forks": forks,
    "babbles": babbles,
}


def respond(message):
    method, number = message.get("method"), message.get("id")
    if method == "initialize":
        if MODE == "silent":
            time.sleep(3600)
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "logging": {}}}
        send({"id": number, "result": {**result, "serverInfo": {"name": "misbehaving", "version": "1"}}})
    elif method == "tools/call":
        CALLS.get(MODE, answer)(number)
    elif number is not None:
        send({"id": number, "result": {}})


if MODE == "stays":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    respond(json.loads(line))
if MODE == "stays":
    time.sleep(3600)
