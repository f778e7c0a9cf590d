"""A process that starts an instance, executes itself anew, takes the instance over, and says what it found as JSON.

`python handing.py KIND STATE-DESCRIPTOR`; the descriptor is -1 the first time.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from hosting.runner.runtimes.base import LaunchSpec, Process
from hosting.runner.runtimes.descriptors import memory_file
from tests.runner.runtimes.conftest import PROBE, READ_ONLY, RUNTIMES, Probe


async def before(kind: str) -> None:
    runtime = RUNTIMES[kind]()
    living = Probe(await runtime.start(LaunchSpec("living", PROBE, read_only=READ_ONLY, files={"KEY": "of its own"})))
    dying = await runtime.start(LaunchSpec("dying", ["/bin/sh", "-c", "read x; exit 5"]))
    assert await living.ask("say", "before") is True
    handed = runtime.hand_over()
    again = runtime.hand_over()  # changes nothing
    assert sorted(again.descriptors) == sorted(handed.descriptors)
    os.write(dying.stdin, b"\n")  # it ends while nobody looks
    pids = {"living": living.process.pid, "dying": dying.pid}
    state = memory_file("state", pickle.dumps((handed.state, handed.descriptors, pids)))
    for fd in (*handed.descriptors, state):
        os.set_inheritable(fd, True)
    os.execv(sys.executable, [sys.executable, __file__, kind, str(state)])


async def after(kind: str, descriptor: int) -> dict[str, Any]:
    with os.fdopen(descriptor, "rb") as file:
        state, descriptors, pids = pickle.load(file)
    for fd in descriptors:
        os.set_inheritable(fd, False)
    runtime = RUNTIMES[kind]()
    taken: dict[int, Process] = runtime.take_over(state)
    found: dict[str, Any] = {"pids": sorted(taken) == sorted(pids.values())}
    async with asyncio.timeout(60):
        found["dying"] = (await taken[pids["dying"]].wait()).reason
        living = Probe(taken[pids["living"]])
        found["said"] = await living.ask("say", "after")
        found["path"] = (await living.ask("environ"))["KEY"]
        found["file"] = await living.ask("read", found["path"])
        found["memory"] = living.process.usage().memory_bytes > 0
        third = Probe(await runtime.start(LaunchSpec("third", PROBE, read_only=READ_ONLY)))
        who = (await living.ask("whoami"), await third.ask("whoami"))
        found["distinct"] = living.process.pid != third.process.pid and who[0] is not None
        found["stopped"] = (await living.process.stop(60)).reason
        await third.process.stop(60)
    for one in (*taken.values(), third.process):
        one.close()
    runtime.close()
    return found


if __name__ == "__main__":
    if int(sys.argv[2]) < 0:
        asyncio.run(before(sys.argv[1]))
    told = asyncio.run(after(sys.argv[1], int(sys.argv[2])))
    told["file_left"] = Path(told.pop("path")).exists()
    told["left"] = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    print(json.dumps(told))
