"""A server of the handshake era whose one tool works for a while, asks a person, and goes on: standard library only.

`roll_out` takes `steps` and `pause` (seconds), tells its progress and what it does, asks who may go on and how, and
answers with a text, an image, a link and a table.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

CHART = (
    "iVBORw0KGgoAAAANSUhEUgAAAHgAAAA8CAIAAAAiz+n/AAAAjElEQVR42u3QQQ3AIBQFMO6ziQUUT8GCASRwICHLf02qoO39Jhc0BaJFI1q0aA"
    "vHnj62RIsWjWjRpRNFixaNaNHxiaJFixYtWnR8omjRokWLFh2fKFq0aNGiRccnihYtWrRo0fGJokWLFi1adHyiaNGiRYsOiNYkWjSiRZeOViBa"
    "NKJFi7YgWjSi/2oB+BpEA2zZfEEAAAAASUVORK5CYII="
)
SCHEMA = {
    "type": "object",
    "required": ["strategy", "percent"],
    "properties": {
        "strategy": {
            "title": "How",
            "type": "string",
            "oneOf": [{"const": "slow", "title": "Host by host"}, {"const": "fast", "title": "All at once"}],
        },
        "percent": {"title": "Share of the hosts", "type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        "regions": {
            "title": "Regions",
            "description": "Where to begin.",
            "type": "array",
            "items": {"anyOf": [{"const": "eu", "title": "Europe"}, {"const": "us", "title": "America"}]},
            "default": ["eu"],
        },
        "notify": {"title": "Tell everybody", "type": "boolean", "default": True},
        "until": {"title": "Not after", "type": "string", "format": "date"},
        "note": {"title": "Note", "type": "string", "maxLength": 500},
    },
}
TOOL = {
    "name": "roll_out",
    "description": "Rolls a version out, after asking.",
    "inputSchema": {"type": "object", "properties": {"steps": {"type": "integer"}, "api_key": {"type": "string"}}},
}
_lock = threading.Lock()
_answered = threading.Condition()
_answers: dict[str, Any] = {}


def send(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def say(text: str, level: str = "info") -> None:
    send({"method": "notifications/message", "params": {"level": level, "data": text}})


def ask(key: str) -> Any:
    params = {"message": "Version 2.4 is built. Shall it go on?", "requestedSchema": SCHEMA}
    send({"id": key, "method": "elicitation/create", "params": params})
    with _answered:
        _answered.wait_for(lambda: key in _answers)
        return _answers.pop(key)


def roll_out(key: str, arguments: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    steps, token = int(arguments.get("steps", 10)), meta.get("progressToken")
    for step in range(1, steps + 1):
        say(f"step {step} of {steps}: copied to host-{step}", "warning" if step % 4 == 0 else "info")
        if token is not None:
            said = {"progressToken": token, "progress": step, "total": steps, "message": f"host-{step}"}
            send({"method": "notifications/progress", "params": said})
        time.sleep(float(arguments.get("pause", 0)))
    answer = ask(f"ask-{key}")
    if answer.get("action") != "accept":
        text = f"It was not wanted: {answer.get('action')}."
        return {"content": [{"type": "text", "text": text}], "isError": True}
    given = answer["content"]
    return {
        "content": [
            {"type": "text", "text": f"Rolled out {given['strategy']} to {given['percent']} %."},
            {"type": "image", "data": CHART, "mimeType": "image/png"},
            {"type": "resource_link", "uri": "https://example.org/rollout/24", "name": "The rollout"},
        ],
        "structuredContent": {
            "answer": given,
            "hosts": [{"host": f"host-{n}", "region": "eu", "seconds": n * 1.5} for n in range(1, 4)],
        },
    }


def respond(message: dict[str, Any]) -> None:
    method, params = message["method"], message.get("params") or {}
    result: dict[str, Any] = {}
    if method == "initialize":
        result = {
            "protocolVersion": params.get("protocolVersion", "2025-11-25"),
            "capabilities": {"tools": {}, "logging": {}},
            "serverInfo": {"name": "rollout", "version": "1"},
        }
    elif method == "tools/list":
        result = {"tools": [TOOL]}
    elif method == "tools/call":
        result = roll_out(str(message["id"]), params.get("arguments") or {}, params.get("_meta") or {})
    send({"id": message["id"], "result": result})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with _answered:
                _answers[str(message["id"])] = message.get("result") or {}
                _answered.notify_all()
        elif "id" in message:
            threading.Thread(target=respond, args=(message,), daemon=True).start()


if __name__ == "__main__":
    main()
