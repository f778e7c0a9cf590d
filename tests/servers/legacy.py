"""A small server of the handshake era over stdio, standard library only, for tests that need to steer one.

Tools: `echo` (text back), `slow` (seconds; appends a line to `count.txt` in its home for every run), `count` (how many
runs there were), `progress` (steps), `ask` (elicits, returns the answer), `both` (asks two things at once), `twice`
(asks the same two times), `demand` (asks the client by `method` and `params`), `entrust` (the same with `task`, and
comes back for it; `cancel` it; returns all that it was answered), `later` (asks for the roots after its own call),
`asked` (what it was answered), `change` (announces a change by `method` and `params`), `log` (a message at each level),
`link` (fails, since a page must be visited first; `url`, `code`), `raw` (answers with `members` as they are), `told`
(what it was told at initialize and since), `who` (one word for each process), `environ` (the variable `name`), `big`
(bytes), `crash`, `fail` (a tool error), and `slow_…` before the name of another one (after some seconds).
`SERVER_MODE` makes it misbehave: rubbish, exit, hang, slow-start, chatty, curious (asks for the roots before it lists
its tools).
`TOOLS` are listed, and those of the JSON array `SERVER_TOOLS`, which answer with what they got.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
WHO = secrets.token_hex(8)
COUNT = Path(os.environ.get("HOME", "/tmp")) / "count.txt"
_lock = threading.Lock()
_answers: dict[str, Any] = {}
_answered = threading.Condition()


def send(message: dict[str, Any]) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}))


def write(line: str) -> None:
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def text(value: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": value}]}


def ask(method: str, params: dict[str, Any], kept: list[Any] | None = None) -> Any:
    """Returns the answer; `kept` has it once no other thread sees it on its way."""
    key = f"s{time.monotonic_ns()}"
    send({"id": key, "method": method, "params": params})
    with _answered:
        _answered.wait_for(lambda: key in _answers, timeout=60)
        answer = _answers.pop(key, None)
        if kept is not None:
            kept.append(answer)
        _answered.notify_all()
        return answer


def later() -> dict[str, Any]:
    """Ask for the roots once this call is over; `asked` then tells what came of it."""
    _afterwards.append(lambda: ask("roots/list", {}, _asked))
    return text("will ask")


def asked() -> dict[str, Any]:
    """All answers so far: one that was read before this call came may still be on its way to the thread that asked."""
    with _answered:
        _answered.wait_for(lambda: not _answers, timeout=60)
        return text(json.dumps(_asked))


_afterwards: list[Callable[[], None]] = []  # what follows an answer, in its thread
_asked: list[Any] = []


def crash() -> None:
    print("about to crash", file=sys.stderr, flush=True)
    os._exit(3)


def call(name: str, arguments: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
    if name == "echo":
        return text(str(arguments.get("text", "")))
    if name == "slow":
        with COUNT.open("a") as file:
            file.write("ran\n")
        time.sleep(float(arguments.get("seconds", 1)))
        return text("done")
    if name == "progress":
        steps = int(arguments.get("steps", 3))
        for step in range(steps):
            if "progressToken" in meta:
                params = {"progressToken": meta["progressToken"], "progress": step + 1, "total": steps}
                send({"method": "notifications/progress", "params": params})
            time.sleep(float(arguments.get("pause", 0)))
        return text("done")
    if name.startswith("slow_"):
        time.sleep(float(arguments.get("seconds", 1)))
        return call(name.removeprefix("slow_"), arguments, meta)
    if name in _PLAIN:
        return _PLAIN[name]()
    if name in _WITH_ARGUMENTS:
        return _WITH_ARGUMENTS[name](arguments)
    if name in (tool["name"] for tool in TOOLS):
        return given(name, arguments)
    return {**text(f"no tool named {name}"), "isError": True}


LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
_told: dict[str, Any] = {"subscribed": [], "level": ""}


def log(arguments: dict[str, Any]) -> dict[str, Any]:
    for level in LEVELS:
        send({"method": "notifications/message", "params": {"level": level, "data": arguments.get("text", level)}})
    time.sleep(float(arguments.get("pause", 0)))
    return text("logged")


def given(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a tool of SERVER_TOOLS answers: a number below zero is an input that it does not take."""
    if any(isinstance(value, int) and value < 0 for value in arguments.values()):
        return {**text("must not be negative"), "isError": True}
    return text(json.dumps([name, arguments]))


def change(arguments: dict[str, Any]) -> dict[str, Any]:
    send({"method": arguments["method"], "params": arguments.get("params") or {}})
    return text("announced")


def demand(arguments: dict[str, Any]) -> dict[str, Any]:
    return text(json.dumps(ask(arguments["method"], arguments.get("params") or {})))


def entrust(arguments: dict[str, Any]) -> dict[str, Any]:
    said = [ask(arguments["method"], {**(arguments.get("params") or {}), "task": {"ttl": 60000}})]
    named = {"taskId": (said[0].get("task") or {}).get("taskId")}
    then = ("tasks/cancel", "tasks/result") if arguments.get("cancel") else ("tasks/get", "tasks/result", "tasks/get")
    said += [ask(method, named) for method in ((*then, "tasks/cancel") if named["taskId"] else ())]
    return text(json.dumps(said))


class Refusal(Exception):
    """An error object to answer with."""


def link(arguments: dict[str, Any]) -> dict[str, Any]:
    url = arguments.get("url", "https://example.org/go")
    visited = {"mode": "url", "elicitationId": "e1", "url": url, "message": "Go there first."}
    code = arguments.get("code", -32042)
    raise Refusal({"code": code, "message": "Something is needed first", "data": {"elicitations": [visited]}})


def big(arguments: dict[str, Any]) -> dict[str, Any]:
    return text("x" * int(arguments.get("bytes", 1_000_000)))


_WITH_ARGUMENTS = {
    "big": big, "log": log, "change": change, "demand": demand, "link": link,
    "entrust": entrust,
    "environ": lambda arguments: text(os.environ.get(str(arguments.get("name")), "")),
}  # fmt: skip


def who_is_it() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    return text(json.dumps(ask("elicitation/create", {"message": "Who?", "requestedSchema": schema})))


def both() -> dict[str, Any]:
    found: dict[str, Any] = {}

    def ask_one(name: str) -> None:
        found[name] = ask("elicitation/create", {"message": name, "requestedSchema": {}})

    asking = [threading.Thread(target=ask_one, args=(name,)) for name in ("first", "second")]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return text(json.dumps(found))


def twice() -> dict[str, Any]:
    return text(json.dumps([ask("elicitation/create", {"message": "Again?", "requestedSchema": {}}) for _ in range(2)]))


def count() -> dict[str, Any]:
    return text(str(len(COUNT.read_text().splitlines())) if COUNT.exists() else "0")


_PLAIN: dict[str, Any] = {
    "ask": who_is_it,
    "both": both,
    "twice": twice,
    "fail": lambda: {**text("it failed"), "isError": True},
    "count": count,
    "crash": crash,
    "later": later,
    "asked": asked,
    "told": lambda: text(json.dumps(_told)),
    "who": lambda: text(WHO),
}

TOOLS = [
    {"name": name, "description": f"The {name} tool.", "inputSchema": {"type": "object"}}
    for name in (
        "echo",
        "slow",
        "count",
        "progress",
        "ask",
        "big",
        "crash",
        "fail",
        "later",
        "asked",
        "environ",
        "slow_ask",
        "slow_crash",
        "slow_fail",
        "slow_both",
        "slow_twice",
        "twice",
        "link",
        "entrust",
    )
] + json.loads(os.environ.get("SERVER_TOOLS", "[]"))


def note(method: str, params: dict[str, Any]) -> None:
    if method == "resources/subscribe":
        _told["subscribed"].append(params["uri"])
    elif method == "resources/unsubscribe":
        _told["subscribed"].remove(params["uri"])
    elif method == "logging/setLevel":
        _told["level"] = params["level"]


def respond(message: dict[str, Any]) -> None:
    method, params = message["method"], message.get("params") or {}
    if method == "initialize":
        wanted = params.get("protocolVersion")
        _told["capabilities"] = params.get("capabilities")
        result: dict[str, Any] = {
            "protocolVersion": wanted if wanted in REVISIONS else REVISIONS[-1],
            "capabilities": {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "logging": {}},
            "serverInfo": {"name": "legacy", "version": "1"},
        }
    elif method == "tools/list":
        time.sleep(float(params.get("pause", 0)))
        if os.environ.get("SERVER_MODE") == "curious":
            ask("roots/list", {}, _asked)
        result = {"tools": TOOLS}
    elif method in ("tools/call", "prompts/get") and params.get("name") == "raw":
        write(f'{{"jsonrpc":"2.0","id":{json.dumps(message["id"])},{params["arguments"]["members"]}}}')
        return
    elif method == "tools/call":
        try:
            result = call(params.get("name", ""), params.get("arguments") or {}, params.get("_meta") or {})
        except Refusal as refusal:
            send({"id": message["id"], "error": refusal.args[0]})
            return
    elif method in ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"):
        result = {}
        note(method, params)
    else:
        send({"id": message["id"], "error": {"code": -32601, "message": f"no method {method}"}})
        return
    send({"id": message["id"], "result": result})
    while _afterwards:
        _afterwards.pop()()


def main() -> None:
    mode = os.environ.get("SERVER_MODE", "")
    if mode == "exit":
        print("SETTING_X is missing", file=sys.stderr)
        sys.exit(1)
    if mode == "slow-start":
        time.sleep(0.7)
    if mode == "hang":
        time.sleep(3600)
    if mode in ("rubbish", "chatty"):
        print("Welcome to my server!", flush=True)
        if mode == "rubbish":
            for line in sys.stdin:
                print("what is " + line[:20], flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            with _answered:
                _answers[str(message["id"])] = message.get("result", message.get("error"))
                _answered.notify_all()
        elif "id" in message:
            threading.Thread(target=respond, args=(message,), daemon=True).start()


if __name__ == "__main__":
    main()
