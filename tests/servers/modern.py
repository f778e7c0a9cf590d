"""A small server of the stateless era (2026-07-28) over stdio, standard library only; it refuses the handshake.

Tools: `echo`, `ask` (one round of InputRequiredResult with requestState), `meta` (what the request's `_meta` said),
`want` (asks for input by the `method` and `params` it is given), `change` (announces a change by `method` and `params`
to whoever listens for it), `listening` (the filters of the open listen requests), `part` (ends them in good order),
`raw` (answers with `members` as they are) and `who` (one word for each process). `SERVER_TOOLS` is a JSON array of
further tools to list, which answer with what they got.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from typing import Any

REVISION = "2026-07-28"
WHO = secrets.token_hex(8)
PREFIX = "io.modelcontextprotocol/"
TOOLS = [
    {"name": name, "description": f"The {name} tool.", "inputSchema": {"type": "object"}}
    for name in ("echo", "ask", "meta", "want", "change", "listening", "part", "who")
] + json.loads(os.environ.get("SERVER_TOOLS", "[]"))
FLAGS = {f"notifications/{name}/list_changed": f"{name}ListChanged" for name in ("tools", "prompts", "resources")}
listening: dict[Any, dict[str, Any]] = {}  # filters by the id of their request


locked = False  # as the SDK's servers do: the first request decides which era a process serves


def text(value: str) -> dict[str, Any]:
    return {"resultType": "complete", "content": [{"type": "text", "text": value}]}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def given(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a tool of SERVER_TOOLS answers: a number below zero is an input that it does not take."""
    if any(isinstance(value, int) and value < 0 for value in arguments.values()):
        return {**text("must not be negative"), "isError": True}
    return text(json.dumps([name, arguments]))


def change(arguments: dict[str, Any]) -> dict[str, Any]:
    method, params = arguments["method"], arguments.get("params") or {}
    for number, wanted in listening.items():
        if wanted.get(FLAGS.get(method, "")) or params.get("uri") in wanted.get("resourceSubscriptions", ()):
            send({"method": method, "params": {**params, "_meta": {PREFIX + "subscriptionId": number}}})
    return text("announced")


def part(arguments: dict[str, Any]) -> dict[str, Any]:
    for number in list(listening):
        del listening[number]
        send({"id": number, "result": {"resultType": "complete", "_meta": {PREFIX + "subscriptionId": number}}})
    return text("parted")


PLAIN: dict[str, Any] = {
    "who": lambda arguments: text(WHO),
    "change": change,
    "listening": lambda arguments: text(json.dumps(list(listening.values()))),
    "part": part,
}


def call(params: dict[str, Any]) -> dict[str, Any]:
    name, arguments = params.get("name"), params.get("arguments") or {}
    if name == "echo":
        return text(str(arguments.get("text", "")))
    if name == "meta":
        return text(json.dumps(params.get("_meta")))
    if name in PLAIN:
        return PLAIN[name](arguments)
    if name == "want":
        if "it" in (params.get("inputResponses") or {}):
            return text(json.dumps(params["inputResponses"]["it"]))
        return {"resultType": "input_required", "inputRequests": {"it": arguments}}
    if name == "ask":
        answers = params.get("inputResponses") or {}
        if "who" in answers and params.get("requestState") == "state-1":
            return text(json.dumps(answers["who"]))
        question = {
            "method": "elicitation/create",
            "params": {
                "mode": "form",
                "message": "Who?",
                "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        }
        return {"resultType": "input_required", "inputRequests": {"who": question}, "requestState": "state-1"}
    if name in (tool["name"] for tool in TOOLS):
        return given(name, arguments)
    return {**text(f"no tool named {name}"), "isError": True}


def respond(number: Any, method: str, params: dict[str, Any]) -> dict[str, Any]:
    global locked
    meta = params.get("_meta") or {}
    if locked:
        return {"error": {"code": -32600, "message": "this connection serves the handshake protocol era"}}
    if method == "initialize":
        locked = True
        return {
            "error": {
                "code": -32022,
                "message": "Unsupported protocol version",
                "data": {"supported": [REVISION], "requested": params.get("protocolVersion")},
            }
        }
    if meta.get(PREFIX + "protocolVersion") != REVISION or PREFIX + "clientCapabilities" not in meta:
        return {"error": {"code": -32602, "message": "the request lacks its _meta"}}
    if method == "server/discover":
        return {
            "result": {
                "resultType": "complete",
                "supportedVersions": [REVISION],
                "capabilities": {
                    "tools": {"listChanged": True},
                    "resources": {"listChanged": True, "subscribe": True},
                },
                "_meta": {PREFIX + "serverInfo": {"name": "modern", "version": "1"}},
                "ttlMs": 1000,
                "cacheScope": "public",
            }
        }
    if method == "tools/list" and (params.get("cursor") or "").startswith("ask"):
        return {"result": {"resultType": "input_required", "inputRequests": {"it": {"method": "roots/list"}}}}
    if method == "tools/list":
        return {"result": {"resultType": "complete", "tools": TOOLS, "ttlMs": 0, "cacheScope": "public"}}
    if method in ("tools/call", "prompts/get") and params.get("name") == "raw":
        return {"raw": params["arguments"]["members"]}
    if method == "tools/call":
        return {"result": call(params)}
    if method == "subscriptions/listen":
        wanted = params.get("notifications") or {}
        honoured = {name: value for name, value in wanted.items() if name != "promptsListChanged"}
        listening[number] = honoured
        acknowledged = {"notifications": honoured, "_meta": {PREFIX + "subscriptionId": number}}
        return {"method": "notifications/subscriptions/acknowledged", "params": acknowledged}
    return {"error": {"code": -32601, "message": f"no method {method}"}}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        reply = respond(message["id"], message["method"], message.get("params") or {})
        number = {} if "method" in reply else {"id": message["id"]}
        if "raw" in reply:
            sys.stdout.write(f'{{"jsonrpc":"2.0","id":{json.dumps(message["id"])},{reply["raw"]}}}\n')
            sys.stdout.flush()
        else:
            send({**number, **reply})
    elif message.get("method") == "notifications/cancelled":
        listening.pop(message["params"]["requestId"], None)
