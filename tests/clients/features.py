"""A small server over stdio, standard library only, that asks, tells and waits, in either era.

Tools: `progress` (three steps), `log` (one line of level info), `sample` (the client's model), `wait` (until it is
cancelled, a minute at most), `begun` and `cancelled` (how many of its calls were so in all instances that shared this
home).
ERA is replaced when the package is made: "legacy" answers the handshake, "modern" refuses it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

ERA = "legacy"
PREFIX = "io.modelcontextprotocol/"
STATELESS = "2026-07-28"
TOOLS = ("progress", "log", "sample", "wait", "begun", "cancelled")
SAMPLING = {
    "messages": [{"role": "user", "content": {"type": "text", "text": "Say something"}}],
    "maxTokens": 10,
}
HOME = Path(os.environ.get("HOME", "/tmp"))
_lock = threading.Lock()
_waiting: dict[str, threading.Event] = {}
_answers: dict[str, Any] = {}
_answered = threading.Condition()


def send(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def result(**members: Any) -> dict[str, Any]:
    return {"resultType": "complete", **members} if ERA == "modern" else members


def text(value: str) -> dict[str, Any]:
    return result(content=[{"type": "text", "text": value}])


def ask(method: str, params: dict[str, Any]) -> Any:
    key = f"s{time.monotonic_ns()}"
    send({"id": key, "method": method, "params": params})
    with _answered:
        _answered.wait_for(lambda: key in _answers, timeout=60)
        return _answers.pop(key, None)


def sample(params: dict[str, Any]) -> dict[str, Any]:
    if ERA == "modern":
        answer = (params.get("inputResponses") or {}).get("model")
        if answer is None or params.get("requestState") != "asked":
            question = {"method": "sampling/createMessage", "params": SAMPLING}
            return {"resultType": "input_required", "inputRequests": {"model": question}, "requestState": "asked"}
    else:
        answer = ask("sampling/createMessage", SAMPLING)
    return text(json.dumps(answer))


def progress(meta: dict[str, Any]) -> dict[str, Any]:
    for step in (1, 2, 3):
        if "progressToken" in meta:
            params = {"progressToken": meta["progressToken"], "progress": step, "total": 3, "message": f"step {step}"}
            send({"method": "notifications/progress", "params": params})
    return text("done")


def log(meta: dict[str, Any]) -> dict[str, Any]:
    if ERA == "legacy" or PREFIX + "logLevel" in meta:
        send({"method": "notifications/message", "params": {"level": "info", "logger": "it", "data": "hello"}})
    return text("logged")


def wait(request_id: Any) -> dict[str, Any] | None:
    """None when it was cancelled: such a request gets no answer."""
    event = _waiting.setdefault(json.dumps(request_id), threading.Event())
    note("begun")
    if not event.wait(60):
        return text("waited in vain")
    note("cancelled")
    return None


def note(what: str) -> None:
    with (HOME / f"{what}.txt").open("a") as file:
        file.write(f"{what}\n")


def noted(what: str) -> int:
    file = HOME / f"{what}.txt"
    return len(file.read_text().splitlines()) if file.exists() else 0


def call(request_id: Any, params: dict[str, Any]) -> dict[str, Any] | None:
    name, meta = params.get("name"), params.get("_meta") or {}
    if name == "progress":
        return progress(meta)
    if name == "log":
        return log(meta)
    if name == "sample":
        return sample(params)
    if name == "wait":
        return wait(request_id)
    if name in ("begun", "cancelled"):
        return text(str(noted(name)))
    return {**text(f"no tool named {name}"), "isError": True}


def handshake(params: dict[str, Any]) -> dict[str, Any]:
    if ERA == "modern":
        data = {"supported": [STATELESS], "requested": params.get("protocolVersion")}
        return {"error": {"code": -32022, "message": "Unsupported protocol version", "data": data}}
    capabilities: dict[str, Any] = {"tools": {}, "logging": {}}
    info = {"name": "features", "version": "1"}
    return {"result": {"protocolVersion": "2025-11-25", "capabilities": capabilities, "serverInfo": info}}


def respond(message: dict[str, Any]) -> None:
    method, params = message["method"], message.get("params") or {}
    reply: dict[str, Any]
    caching = {"ttlMs": 0, "cacheScope": "public"} if ERA == "modern" else {}
    if method == "initialize":
        reply = handshake(params)
    elif method == "server/discover" and ERA == "modern":
        info = {PREFIX + "serverInfo": {"name": "features", "version": "1"}}
        capabilities: dict[str, Any] = {"tools": {}, "logging": {}}
        reply = {"result": result(supportedVersions=[STATELESS], capabilities=capabilities, _meta=info, **caching)}
    elif method == "tools/list":
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]
        reply = {"result": result(tools=tools, **caching)}
    elif method == "tools/call":
        answer = call(message["id"], params)
        if answer is None:
            return
        reply = {"result": answer}
    elif method in ("ping", "logging/setLevel") and ERA == "legacy":
        reply = {"result": {}}
    else:
        reply = {"error": {"code": -32601, "message": f"no method {method}"}}
    send({"id": message["id"], **reply})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with _answered:
                _answers[str(message["id"])] = message.get("result", message.get("error"))
                _answered.notify_all()
        elif "id" in message:
            threading.Thread(target=respond, args=(message,), daemon=True).start()
        elif message["method"] == "notifications/cancelled":
            request_id = json.dumps(message["params"]["requestId"])
            _waiting.setdefault(request_id, threading.Event()).set()


if __name__ == "__main__":
    main()
