"""A server of the handshake era that offers what a client's page has to cope with, standard library only.

Tools: `plan_trip` (a nested form; logs, reports progress, asks to confirm, gives a table), `picture` (an image, a
recording, a link and a file), `slow` (until it is cancelled), `ask_model` (sampling), `fail` (a tool error), `echo`
(its arguments), `hostile` (markup in whatever it says; its own name is markup too). Resources, a template, and prompts
whose arguments are completed.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
import threading
import zlib
from collections.abc import Callable
from typing import Any

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
CITIES = ["Bern", "Berlin", "Bergen", "Basel"]
_lock = threading.Lock()
_answers: dict[str, Any] = {}
_answered = threading.Condition()
_cancelled: dict[str, threading.Event] = {}

PLACE = {
    "type": "object",
    "required": ["city"],
    "properties": {
        "city": {"type": "string", "minLength": 2, "description": "Where to"},
        "nights": {"type": "integer", "minimum": 1, "maximum": 30, "default": 2},
    },
}
TRIP = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["traveller", "stops", "travel_by"],
    "$defs": {"place": PLACE},
    "properties": {
        "traveller": {
            "type": "object",
            "title": "Traveller",
            "required": ["name", "email"],
            "properties": {
                "name": {"type": "string", "title": "Full name"},
                "email": {"type": "string", "format": "email"},
                "born": {"type": "string", "format": "date"},
            },
        },
        "stops": {"type": "array", "items": {"$ref": "#/$defs/place"}, "minItems": 1, "maxItems": 5},
        "travel_by": {"enum": ["train", "boat", "bicycle"], "default": "train", "description": "How to get there"},
        "leave": {"type": "string", "format": "date-time"},
        "budget": {
            "description": "A sum, or no limit at all",
            "oneOf": [
                {"title": "A sum", "type": "number", "exclusiveMinimum": 0},
                {
                    "title": "By day",
                    "type": "object",
                    "required": ["each_day"],
                    "properties": {"kind": {"const": "daily"}, "each_day": {"type": "number"}},
                },
            ],
        },
        "interests": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": ["museums", "food", "walking", "music"]},
        },
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Note"},
        "quiet": {"type": "boolean", "default": False},
        "extra": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Anything else"},
    },
}


def png(width: int = 96, height: int = 48) -> bytes:
    rows = b"".join(
        b"\0" + bytes((x * 2, y * 5, 160)[i] for x in range(width) for i in range(3)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def wav() -> bytes:
    samples = bytes(128 + (40 if i // 10 % 2 else -40) for i in range(4000))
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def send(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": value}], **more}


class Call:
    """One call of a tool, in a thread of its own."""

    def __init__(self, number: Any, params: dict[str, Any]) -> None:
        self.number = number
        self.arguments: dict[str, Any] = params.get("arguments") or {}
        self.token = (params.get("_meta") or {}).get("progressToken")
        self.cancelled = _cancelled[str(number)] = threading.Event()

    def progress(self, done: int, total: int, message: str) -> None:
        if self.token is not None:
            params = {"progressToken": self.token, "progress": done, "total": total, "message": message}
            send({"method": "notifications/progress", "params": params})

    def log(self, words: str) -> None:
        send({"method": "notifications/message", "params": {"level": "info", "logger": "travel", "data": words}})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        key = f"q{self.number}"
        send({"id": key, "method": method, "params": params})
        with _answered:
            _answered.wait_for(lambda: key in _answers or self.cancelled.is_set(), timeout=60)
            return dict(_answers.pop(key, {}))


def plan_trip(call: Call) -> dict[str, Any]:
    stops = call.arguments["stops"]
    for done, stop in enumerate(stops, start=1):
        call.log(f"looking for a bed in {stop['city']}")
        call.progress(done, len(stops), stop["city"])
    schema = {
        "type": "object",
        "required": ["sure"],
        "properties": {
            "sure": {"type": "boolean", "title": "Book it?"},
            "seat": {"type": "string", "oneOf": [{"const": "w", "title": "Window"}, {"const": "a", "title": "Aisle"}]},
        },
    }
    answer = call.ask("elicitation/create", {"message": "Shall this be booked?", "requestedSchema": schema})
    rows = [{"city": stop["city"], "nights": stop.get("nights", 1)} for stop in stops]
    found = {"traveller": call.arguments["traveller"], "stops": rows, "answer": answer}
    return text(json.dumps(found), structuredContent=found)


def picture(call: Call) -> dict[str, Any]:
    file = {"uri": "travel://ticket.bin", "mimeType": "application/x-ticket", "blob": b64(b"ticket")}
    return {
        "content": [
            {"type": "text", "text": "# A picture\n\nWith *words* beside it."},
            {"type": "image", "data": b64(png()), "mimeType": "image/png"},
            {"type": "audio", "data": b64(wav()), "mimeType": "audio/wav"},
            {"type": "resource_link", "uri": "travel://guide/Bern", "name": "Guide to Bern", "mimeType": "text/plain"},
            {"type": "resource", "resource": file},
        ]
    }


def slow(call: Call) -> dict[str, Any]:
    call.progress(1, 10, "begun")
    was_cancelled = call.cancelled.wait(60)
    return text("cancelled" if was_cancelled else "done")


def ask_model(call: Call) -> dict[str, Any]:
    messages = [{"role": "user", "content": {"type": "text", "text": "Which city is the nicest?"}}]
    answer = call.ask("sampling/createMessage", {"messages": messages, "maxTokens": 50})
    return text(f"The model says: {answer['content']['text']}")


def fail(call: Call) -> dict[str, Any]:
    return text("There is no train on Sundays.", isError=True)


def echo(call: Call) -> dict[str, Any]:
    return text(json.dumps(call.arguments), structuredContent=call.arguments)


def hostile(call: Call) -> dict[str, Any]:
    call.log(EVIL)
    call.progress(1, 2, EVIL)
    found = {EVIL: [{EVIL: EVIL}], "deep": {"er": {EVIL: EVIL}}}
    return {
        "content": [
            {"type": "text", "text": EVIL},
            {"type": "image", "data": b64(EVIL.encode()), "mimeType": "image/svg+xml"},
            {"type": "image", "data": '" onerror="document.title=1', "mimeType": "image/png"},
            {"type": "resource_link", "uri": "javascript:document.title='owned'", "name": EVIL, "description": EVIL},
            {"type": "resource", "resource": {"uri": EVIL, "mimeType": "text/html", "text": EVIL}},
            {"type": EVIL, "constructor": EVIL},
        ],
        "structuredContent": found,
    }


TOOLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "plan_trip": plan_trip, "picture": picture, "slow": slow, "ask_model": ask_model, "fail": fail, "echo": echo,
    EVIL: hostile,
}  # fmt: skip
ABOUT: dict[str, dict[str, Any]] = {
    "plan_trip": {
        "title": "Plan a trip",
        "description": "Finds a bed at each stop.\n\nAsks before it books anything.",
        "inputSchema": TRIP,
        "annotations": {"destructiveHint": False, "openWorldHint": True},
    },
    "picture": {"description": "A picture and what else a result may hold.", "annotations": {"readOnlyHint": True}},
    EVIL: {
        "title": EVIL,
        "description": EVIL,
        "inputSchema": {
            "type": "object",
            "properties": {EVIL: {"type": "string", "title": EVIL, "description": EVIL, "default": EVIL}},
        },
    },
}
PROMPTS = [
    {
        "name": "postcard",
        "title": "A postcard",
        "description": "Words for a card from a city.",
        "arguments": [
            {"name": "city", "description": "From where", "required": True},
            {"name": "mood", "description": "How it was"},
        ],
    }
]


def respond(number: Any, method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        return {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}, "logging": {}, "resources": {}, "prompts": {}, "completions": {}},
            "serverInfo": {"name": "travel", "title": "Travel", "version": "1.0"},
        }
    if method == "tools/list":
        return {"tools": [{"inputSchema": {"type": "object"}, **ABOUT.get(name, {}), "name": name} for name in TOOLS]}
    if method == "resources/list":
        return {"resources": [{"uri": "travel://rules", "name": "rules", "description": "What to know first."}]}
    if method == "resources/templates/list":
        return {"resourceTemplates": [{"uriTemplate": "travel://guide/{city}", "name": "guide", "title": "City guide"}]}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "mimeType": "text/plain", "text": f"All about {params['uri']}"}]}
    if method == "prompts/list":
        return {"prompts": PROMPTS}
    if method == "prompts/get":
        words = f"Write a postcard from {params['arguments']['city']}."
        return {"messages": [{"role": "user", "content": {"type": "text", "text": words}}]}
    if method == "completion/complete":
        begin = params["argument"]["value"].lower()
        return {"completion": {"values": [city for city in CITIES if city.lower().startswith(begin)]}}
    return {}


def run(number: Any, params: dict[str, Any]) -> None:
    call = Call(number, params)
    result = TOOLS[str(params.get("name"))](call)
    if not _cancelled.pop(str(number)).is_set():
        send({"id": number, "result": result})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
        if method is None:
            with _answered:
                _answers[str(number)] = message.get("result") or {}
                _answered.notify_all()
        elif method == "notifications/cancelled":
            if (event := _cancelled.get(str(params.get("requestId")))) is not None:
                event.set()
                with _answered:
                    _answered.notify_all()
        elif method == "tools/call":
            threading.Thread(target=run, args=(number, params), daemon=True).start()
        elif number is not None:
            send({"id": number, "result": respond(number, method, params)})


if __name__ == "__main__":
    main()
