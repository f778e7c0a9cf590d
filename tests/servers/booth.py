"""A server of the handshake era that sends people to a page and waits until they have been there.

`reserve` asks by the `address` it is given, and goes on once `arrive` was called, as if by that page: it says then that
the page is done, and after it the result. Declined or cancelled it says so. Standard library only.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

ID = "seat-7"
TOOLS = [
    {"name": "reserve", "inputSchema": {"type": "object", "properties": {"address": {"type": "string"}}}},
    {"name": "arrive", "inputSchema": {"type": "object"}},
]
_lock = threading.Lock()
_arrived = threading.Event()
_changed = threading.Condition()
_answers: dict[str, Any] = {}


def send(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}]}


def reserve(key: str, url: str) -> dict[str, Any]:
    asked = {"mode": "url", "elicitationId": ID, "url": url, "message": "Choose a seat there."}
    send({"id": key, "method": "elicitation/create", "params": asked})
    with _changed:
        _changed.wait_for(lambda: key in _answers)
        action = _answers.pop(key).get("action")
    if action != "accept":
        return text(f"No seat: {action}.")
    _arrived.wait()
    _arrived.clear()
    send({"method": "notifications/elicitation/complete", "params": {"elicitationId": ID}})
    return text("Seat 7 is yours.")


def respond(message: dict[str, Any]) -> None:
    method, params = message["method"], message.get("params") or {}
    result: dict[str, Any] = {}
    if method == "initialize":
        info = {"name": "booth", "title": "Booth", "version": "1.0"}
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif method == "tools/call" and params["name"] == "reserve":
        result = reserve(f"ask-{message['id']}", params["arguments"]["address"])
    elif method == "tools/call":
        _arrived.set()
        result = text("Welcome.")
    send({"id": message["id"], "result": result})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "method" in message and "id" in message:
            threading.Thread(target=respond, args=(message,), daemon=True).start()
        elif "id" in message:
            with _changed:
                _answers[message["id"]] = message.get("result") or {}
                _changed.notify_all()


if __name__ == "__main__":
    main()
