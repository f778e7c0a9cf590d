"""A server of the handshake era with work that takes long, standard library only. It has never heard of tasks.

Tools: `analyse` (so many minutes, `speed` times as fast; a word and progress each minute), `migrate` (moves so many
files, one by one, with a `pause` after each hundred), `run_tests` (a log line for each), `deploy` (asks before it
does), `deployed` (what was), `research` (asks which way to go, then how deep), `crunch` (child processes that carry
`mark` in their command, until it is cancelled), `agent` (has the client's model use the two tools `weather` and `mail`,
several at once), `work` (seconds; notes each run), `runs` (how many there were, by name).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("HOME", "/tmp"))
ANSWER_SECONDS = 60.0
_lock = threading.Lock()
_answers: dict[str, Any] = {}
_answered = threading.Condition()
_running: dict[str, Call] = {}


class Cancelled(Exception):
    """The client wants nothing of this call any more."""


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
        self.tool = str(params.get("name"))
        self.arguments: dict[str, Any] = params.get("arguments") or {}
        self.token = (params.get("_meta") or {}).get("progressToken")
        self.cancelled = threading.Event()
        self._asked = 0

    def run(self) -> None:
        try:
            result = TOOLS[self.tool](self)
        except Cancelled:
            return  # nobody waits for an answer
        finally:
            _running.pop(str(self.number), None)
        send({"id": self.number, "result": result})

    def rest(self, seconds: float) -> None:
        if self.cancelled.wait(seconds):
            raise Cancelled

    def progress(self, done: int, total: int, message: str) -> None:
        if self.token is not None:
            params = {"progressToken": self.token, "progress": done, "total": total, "message": message}
            send({"method": "notifications/progress", "params": params})

    def log(self, words: str, level: str = "info") -> None:
        send({"method": "notifications/message", "params": {"level": level, "logger": self.tool, "data": words}})

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._asked += 1
        key = f"{self.number}-{self._asked}"
        send({"id": key, "method": method, "params": params})
        with _answered:
            _answered.wait_for(lambda: key in _answers or self.cancelled.is_set(), timeout=ANSWER_SECONDS)
            if self.cancelled.is_set():
                raise Cancelled
            found: dict[str, Any] = _answers.pop(key)
            return found

    def choose(self, message: str, *options: str) -> str:
        """What a person chose of these; "" when none."""
        schema = {"type": "object", "required": ["choice"], "properties": {"choice": {"type": "string"}}}
        schema["properties"]["choice"]["enum"] = list(options)  # type: ignore[index]
        answer = self.ask("elicitation/create", {"message": message, "requestedSchema": schema})
        return str(answer["content"]["choice"]) if answer.get("action") == "accept" else ""


def analyse(call: Call) -> dict[str, Any]:
    minutes, speed = int(call.arguments.get("minutes", 45)), float(call.arguments.get("speed", 600))
    for minute in range(1, minutes + 1):
        call.rest(60 / speed)
        call.progress(minute, minutes, f"minute {minute}")
        if minute % 15 == 0:
            call.log(f"{minute} minutes of {minutes} are done")
    found = {"minutes": minutes, "findings": [{"table": f"t{n}", "rows": n * 100} for n in range(1, 4)]}
    return text(json.dumps(found), structuredContent=found)


def migrate(call: Call) -> dict[str, Any]:
    count = int(call.arguments.get("files", 3000))
    old, new = HOME / f"old-{call.number}", HOME / f"new-{call.number}"
    old.mkdir()
    new.mkdir()
    for number in range(count):
        (old / f"{number}.txt").write_text(str(number))
    for done, path in enumerate(sorted(old.iterdir()), start=1):
        if done % 100 == 0:
            call.rest(float(call.arguments.get("pause", 0)))
        path.rename(new / path.name)
        call.progress(done, count, path.name)
    left, moved = len(list(old.iterdir())), len(list(new.iterdir()))
    return text(f"{moved} moved, {left} left")


def run_tests(call: Call) -> dict[str, Any]:
    count, failing = int(call.arguments.get("count", 100)), int(call.arguments.get("failing", 0))
    for number in range(1, count + 1):
        call.rest(float(call.arguments.get("pause", 0)))
        is_bad = number == failing
        call.log(f"test_{number:04} {'FAILED' if is_bad else 'passed'}", "error" if is_bad else "info")
    passed = count - bool(failing)
    return text(f"{passed} passed, {count - passed} failed", isError=bool(failing))


def deploy(call: Call) -> dict[str, Any]:
    version = str(call.arguments.get("version", "1"))
    for step, words in enumerate(("built", "tested"), start=1):
        call.rest(float(call.arguments.get("pause", 0)))
        call.progress(step, 3, words)
    if (choice := call.choose(f"Shall version {version} go to production?", "now", "tonight")) == "":
        return text(f"Version {version} was not wanted.", isError=True)
    with (HOME / "deployed.txt").open("a") as file:
        file.write(f"{version} {choice}\n")
    call.progress(3, 3, "deployed")
    return text(f"Version {version} is deployed {choice}.")


def deployed(call: Call) -> dict[str, Any]:
    path = HOME / "deployed.txt"
    return text(path.read_text() if path.exists() else "")


def research(call: Call) -> dict[str, Any]:
    topic = str(call.arguments.get("topic", "bees"))
    call.rest(float(call.arguments.get("pause", 0)))
    way = call.choose(f"{topic}: which way?", "history", "biology")
    depth = call.choose(f"{way} of {topic}: how deep?", "short", "long") if way else ""
    return text(f"{topic}, {way}, {depth}" if depth else f"{topic}: stopped")


def crunch(call: Call) -> dict[str, Any]:
    """Each child has one of its own, as a build has compilers; all are in one process group."""
    mark, count = str(call.arguments["mark"]), int(call.arguments.get("children", 3))
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '3600.' + sys.argv[1]]); time.sleep(3600)"
    children = [subprocess.Popen([sys.executable, "-c", code, mark], process_group=0) for _ in range(count)]
    call.log(f"{len(children)} children work")
    try:
        call.rest(ANSWER_SECONDS)
        return text("nobody stopped it", isError=True)
    finally:
        for child in children:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


AGENT_TOOLS = [
    {"name": name, "description": f"The {name}.", "inputSchema": {"type": "object"}} for name in ("weather", "mail")
]


def agent(call: Call) -> dict[str, Any]:
    """Lets the model use tools until it answers in words. Tools that it wants at once run at once."""
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": {"type": "text", "text": str(call.arguments.get("goal", "Tell me."))}}
    ]
    used: list[str] = []
    call.rest(float(call.arguments.get("pause", 0)))
    for _ in range(int(call.arguments.get("rounds", 5))):
        params = {"messages": messages, "maxTokens": 200, "tools": AGENT_TOOLS, "toolChoice": {"mode": "auto"}}
        said = call.ask("sampling/createMessage", params)
        content = said["content"] if isinstance(said["content"], list) else [said["content"]]
        wanted = [block for block in content if block["type"] == "tool_use"]
        if not wanted:
            return text(content[0]["text"], structuredContent={"used": used})
        messages.append({"role": "assistant", "content": content})
        meeting = threading.Barrier(len(wanted), timeout=10)
        results: dict[str, str] = {}
        threads = [threading.Thread(target=_use, args=(block, meeting, results)) for block in wanted]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        used += [block["name"] for block in wanted]
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "toolUseId": key, "content": [{"type": "text", "text": words}]}
            for key, words in results.items()
        ]})  # fmt: skip
    return text("It never came to an end.", isError=True)


def _use(block: dict[str, Any], meeting: threading.Barrier, results: dict[str, str]) -> None:
    meeting.wait()  # all of a round are there at once, or none gets past this
    results[block["id"]] = f"{block['name']}({json.dumps(block['input'], sort_keys=True)})"


def work(call: Call) -> dict[str, Any]:
    name = str(call.arguments.get("name", ""))
    with (HOME / "runs.txt").open("a") as file:
        file.write(f"{name}\n")
    call.rest(float(call.arguments.get("seconds", 1)))
    return text(f"{name} done")


def runs(call: Call) -> dict[str, Any]:
    path = HOME / "runs.txt"
    return text(json.dumps(Counter(path.read_text().splitlines() if path.exists() else [])))


TOOLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    tool.__name__: tool for tool in (analyse, migrate, run_tests, deploy, deployed, research, crunch, agent, work, runs)
}


def respond(number: Any, method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        wanted = params.get("protocolVersion")
        return {
            "protocolVersion": wanted if wanted in ("2025-06-18", "2025-11-25") else "2025-11-25",
            "capabilities": {"tools": {}, "logging": {}},
            "serverInfo": {"name": "workshop", "version": "1"},
        }
    if method == "tools/list":
        return {
            "tools": [
                {"name": name, "description": tool.__doc__ or name, "inputSchema": {"type": "object"}}
                for name, tool in TOOLS.items()
            ]
        }
    return {}


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        method, number, params = message.get("method"), message.get("id"), message.get("params") or {}
        if method is None:
            with _answered:
                _answers[str(number)] = message.get("result") or {}
                _answered.notify_all()
        elif method == "notifications/cancelled":
            if (call := _running.get(str(params.get("requestId")))) is not None:
                call.cancelled.set()
                with _answered:
                    _answered.notify_all()
        elif method == "tools/call" and params.get("name") in TOOLS:
            call = _running[str(number)] = Call(number, params)
            threading.Thread(target=call.run, daemon=True).start()
        elif method in ("initialize", "tools/list", "ping", "logging/setLevel"):
            send({"id": number, "result": respond(number, method, params)})
        elif number is not None:
            send({"id": number, "error": {"code": -32601, "message": f"nothing known of {method}"}})


if __name__ == "__main__":
    main()
