"""A small server with tasks of its own, over stdio, standard library only.

`SERVER_ERA` is `modern` (2026-07-28 with io.modelcontextprotocol/tasks) or `legacy` (2025-11-25, whose tools must be
called as tasks). Tools: `work` (seconds; `say` is its status message), `confirm` (asks one thing), `both` (two at
once), `broken` (a JSON-RPC error), `fail` (a tool error), `dropped` (the server cancels it), `forgotten` (the server
knows nothing of it later), `plain` (never a task), `seen` (what the server was asked about tasks, polls apart) and
`polls` (how often it was asked how a task goes, by method).
`SERVER_TELLS`: modern, takes subscriptions/listen for its tasks; legacy, sends notifications/tasks/status (the usual).
`SERVER_WAITS=no`: legacy, refuses tasks/result before the end. `SERVER_LISTS=no`: legacy, has no tasks/list.
Modern only: `either` (a task only for who declares the extension) and `ask_first` (asks first, then makes a task).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

MODERN = os.environ.get("SERVER_ERA", "modern") == "modern"
PREFIX = "io.modelcontextprotocol/"
EXTENSION = PREFIX + "tasks"
TELLS = os.environ.get("SERVER_TELLS", "no" if MODERN else "yes") == "yes"
WAITS = os.environ.get("SERVER_WAITS", "yes") == "yes"
LISTS = os.environ.get("SERVER_LISTS", "yes") == "yes"
POLL_MS = 250
PLAIN = ("plain", "seen", "polls")
NAMES = ("work", "confirm", "both", "broken", "fail", "dropped", "forgotten", "either", "ask_first", *PLAIN)
_lock = threading.RLock()
_tasks: dict[str, Task] = {}
_waiting: dict[str, tuple[Task, str]] = {}  # legacy: ids of our requests -> task, key
_seen: list[str] = []
_polls = {"tasks/get": 0, "tasks/list": 0, "subscriptions/listen": 0}
_listens: dict[Any, list[str]] = {}  # modern: ids of listen requests -> task ids


def send(message: dict[str, Any]) -> None:
    with _lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": value}], **more}


def question(words: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    params = {"mode": "form", "message": words, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


class Refusal(Exception):
    """An error object to answer with."""


class Task:
    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self.id = f"{tool}-{len(_tasks) + 1}"
        self.tool, self.arguments = tool, arguments
        self.status, self.words = "working", str(arguments.get("say", ""))
        self.outcome: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.open: dict[str, Any] = {}
        self.awaited: list[Any] = []  # legacy: ids of tasks/result that wait
        self.changed = threading.Condition(_lock)
        _tasks[self.id] = self
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        time.sleep(float(self.arguments.get("seconds", 0)))
        keys = {"confirm": ["sure"], "both": ["first", "second"], "ask_first": []}.get(self.tool, [])
        with self.changed:
            if keys and self.status == "working":
                self.open = {key: question(f"The {key} one?") for key in keys}
                self.move("input_required")
                self.changed.wait_for(lambda: not self.open, timeout=60)
            if self.status in ("working", "input_required"):
                self.end()

    def end(self) -> None:
        if self.tool == "broken":
            self.outcome = {"error": {"code": -32050, "message": "it broke"}}
            self.move("failed")
        elif self.tool == "dropped":
            self.words = "not wanted any more"
            self.move("cancelled")
        elif self.tool == "forgotten":
            del _tasks[self.id]
        else:
            said = json.dumps(self.answers) if self.answers else "worked"
            self.outcome = {"result": text(said, isError=self.tool == "fail")}
            self.move("completed" if MODERN or self.tool != "fail" else "failed")

    def move(self, status: str) -> None:
        self.status = status
        self.tell()
        if not MODERN:
            self.serve()

    def tell(self) -> None:
        if TELLS and not MODERN:
            send({"method": "notifications/tasks/status", "params": self.shown()})
        for number, ids in _listens.items() if MODERN else ():
            if self.id in ids:
                meta = {PREFIX + "subscriptionId": number}
                told = {name: value for name, value in self.detailed().items() if name != "resultType"}
                send({"method": "notifications/tasks", "params": {**told, "_meta": meta}})

    def shown(self) -> dict[str, Any]:
        now = "2026-07-28T00:00:00Z"
        ttl, poll = ("ttlMs", "pollIntervalMs") if MODERN else ("ttl", "pollInterval")
        words = {"statusMessage": self.words} if self.words else {}
        times = {"createdAt": now, "lastUpdatedAt": now, ttl: 60000, poll: POLL_MS}
        return {"taskId": self.id, "status": self.status, **words, **times}

    def detailed(self) -> dict[str, Any]:
        asked = {"inputRequests": self.open} if self.open else {}
        return {"resultType": "complete", **self.shown(), **asked, **self.outcome}

    def serve(self) -> None:
        """Legacy: what waits by tasks/result gets the questions, then the outcome."""
        meta = {PREFIX + "related-task": {"taskId": self.id}}
        if not self.awaited:
            return
        for key, asked in self.open.items():
            number = f"{self.id}/{key}"
            if number not in _waiting:
                _waiting[number] = (self, key)
                send({"id": number, "method": asked["method"], "params": {**asked["params"], "_meta": meta}})
        if self.outcome:
            for number in self.awaited:
                outcome = dict(self.outcome)
                if "result" in outcome:
                    outcome["result"] = {**outcome["result"], "_meta": meta}
                send({"id": number, **outcome})

    def answer(self, key: str, answer: Any) -> None:
        with self.changed:
            if self.open.pop(key, None) is not None:
                self.answers[key] = answer
                self.status = "input_required" if self.open else "working"
                self.tell()
                self.changed.notify_all()


def call(number: Any, params: dict[str, Any]) -> dict[str, Any]:
    name, arguments = str(params.get("name")), params.get("arguments") or {}
    if name not in NAMES or (not MODERN and name in ("either", "ask_first")):
        raise Refusal({"code": -32602, "message": f"no tool {name}"})
    if name in PLAIN:
        return text({"seen": json.dumps(_seen), "polls": json.dumps(_polls)}.get(name, "plain"))
    if not MODERN:
        if "task" not in params:
            raise Refusal({"code": -32601, "message": f"{name} must be called as a task"})
        return {"task": Task(name, arguments).shown()}
    capabilities = (params.get("_meta") or {}).get(PREFIX + "clientCapabilities") or {}
    if EXTENSION not in (capabilities.get("extensions") or {}):
        if name == "either":
            return text("done at once")
        required: dict[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        raise Refusal({"code": -32021, "message": "Missing required client capability", "data": required})
    if name == "ask_first" and "who" not in (params.get("inputResponses") or {}):
        return {"resultType": "input_required", "inputRequests": {"who": question("Who?")}, "requestState": "s"}
    created = Task(name, arguments)
    created.answers.update(params.get("inputResponses") or {})
    return {"resultType": "task", **created.shown()}


def of_tasks(number: Any, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    task = _tasks.get(str(params.get("taskId")))
    if method == "tasks/get":
        _polls[method] += 1
    else:
        _seen.append(f"{method} {params.get('taskId')}")
    if task is None:
        raise Refusal({"code": -32602, "message": "Unknown task"})
    if method == "tasks/get":
        return task.detailed() if MODERN else task.shown()
    if method == "tasks/cancel":
        if task.status in ("working", "input_required"):
            task.open, task.status = {}, "cancelled"
        return {"resultType": "complete"} if MODERN else task.shown()
    if method == "tasks/update" and MODERN:
        for key, answer in (params.get("inputResponses") or {}).items():
            task.answer(key, answer)
        return {"resultType": "complete"}
    if method == "tasks/result" and not MODERN:
        if not WAITS and task.status == "working":
            raise Refusal({"code": -32603, "message": "Not done yet"})
        task.awaited.append(number)
        task.serve()
        return None
    raise Refusal({"code": -32601, "message": f"no method {method}"})


TOOLS = [
    {
        "name": name,
        "description": f"The {name} tool.",
        "inputSchema": {"type": "object"},
        **({} if MODERN or name in PLAIN else {"execution": {"taskSupport": "required"}}),
    }
    for name in NAMES
]


def respond(number: Any, method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    if method == "initialize" and not MODERN:
        tasks: dict[str, Any] = {"cancel": {}, "requests": {"tools": {"call": {}}}, **({"list": {}} if LISTS else {})}
        info = {"name": "tasked", "version": "1"}
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "tasks": tasks}, "serverInfo": info}
    if method == "server/discover" and MODERN:
        capabilities: dict[str, Any] = {"tools": {}, "extensions": {EXTENSION: {}}}
        meta: dict[str, Any] = {PREFIX + "serverInfo": {"name": "tasked", "version": "1"}}
        found: dict[str, Any] = {"supportedVersions": ["2026-07-28"], "capabilities": capabilities, "_meta": meta}
        return {"resultType": "complete", **found, "ttlMs": 0, "cacheScope": "public"}
    if method == "tools/list":
        page = int(params.get("cursor") or 0)
        more = {"nextCursor": str(page + 4)} if page + 4 < len(TOOLS) else {}
        caching = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"} if MODERN else {}
        return {**caching, "tools": TOOLS[page : page + 4], **more}
    if method == "tools/call":
        return call(number, params)
    if method in _polls and method != "tasks/get":
        _polls[method] += 1
    if method == "tasks/list" and LISTS and not MODERN:
        at = int(params.get("cursor") or 0)
        shown = [each.shown() for each in _tasks.values()][at : at + 10]
        return {"tasks": shown, **({"nextCursor": str(at + 10)} if at + 10 < len(_tasks) else {})}
    if method == "subscriptions/listen" and MODERN and TELLS:
        ids = [task for task in (params.get("notifications") or {}).get("taskIds", []) if task in _tasks]
        agreed = {"notifications": {"taskIds": ids}, "_meta": {PREFIX + "subscriptionId": number}}
        send({"method": "notifications/subscriptions/acknowledged", "params": agreed})
        _listens[number] = ids
        return None
    if method in ("tasks/get", "tasks/result", "tasks/update", "tasks/cancel"):
        return of_tasks(number, method, params)
    code = -32022 if method == "initialize" else -32601
    data = {"supported": ["2026-07-28"], "requested": params.get("protocolVersion")}
    raise Refusal({"code": code, "message": f"no method {method}", "data": data})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        number, method = message.get("id"), message.get("method")
        if method is None:
            task, key = _waiting.pop(str(number))
            task.answer(key, message.get("result", message.get("error")))
        elif number is None:
            if method == "notifications/cancelled" and _listens.pop(message["params"]["requestId"], None) is None:
                _seen.append(method)
        else:
            with _lock:
                try:
                    result = respond(number, method, message.get("params") or {})
                except Refusal as refusal:
                    send({"id": number, "error": refusal.args[0]})
                    continue
                if result is not None:
                    send({"id": number, "result": result})


if __name__ == "__main__":
    main()
