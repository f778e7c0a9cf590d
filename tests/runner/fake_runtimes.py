"""Runtimes that misbehave, each in one way, and one that does not: the protocol of `runtimes/base.py` over real pipes.

Their servers run inside of the test. Which process a deployment gets is said by its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import Iterable
from typing import Any

from hosting.runner.runtimes.base import Exit, Handed, LaunchFailed, LaunchSpec, Process, Usage, Verdict

_pids = itertools.count(2**22 + 1)  # larger than the kernel gives


class FakeProcess:
    """A polite server: greets as one of 2025-11-25 and answers every call with its name."""

    def __init__(self, spec: LaunchSpec) -> None:
        self.spec = spec
        self.pid = next(_pids)
        self._input, self.stdin = os.pipe()
        self.stdout, self._output = os.pipe()
        self.stderr, self._errors = os.pipe()
        for fd in (self.stdin, self.stdout, self.stderr, self._input, self._output):
            os.set_blocking(fd, False)
        self._exit: Exit | None = None
        self._ended = asyncio.Event()
        self._begun = b""
        asyncio.get_running_loop().add_reader(self._input, self._read)

    # --- the server

    def _read(self) -> None:
        try:
            more = os.read(self._input, 65536)
        except BlockingIOError:
            return
        *lines, self._begun = (self._begun + more).split(b"\n")
        for line in lines:
            self.received(json.loads(line))
        if not more:
            self.end_of_input()

    def received(self, message: dict[str, Any]) -> None:
        if message.get("method") == "initialize":
            info = {"name": "fake", "version": "1"}
            result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
            self.say({"id": message["id"], "result": result})
        elif message.get("method") == "tools/call":
            self.called(message)

    def called(self, message: dict[str, Any]) -> None:
        text = {"type": "text", "text": self.spec.deployment}
        self.say({"id": message["id"], "result": {"content": [text]}})

    def say(self, message: dict[str, Any]) -> None:
        os.write(self._output, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def end_of_input(self) -> None:
        self.end(Exit(0, 0, "stopped"))

    def end(self, how: Exit) -> None:
        if self._exit is None:
            self._exit = how
            asyncio.get_running_loop().remove_reader(self._input)
            for fd in (self._input, self._output, self._errors):
                os.close(fd)
            self._ended.set()

    # --- Process

    async def wait(self) -> Exit:
        await self._ended.wait()
        assert self._exit is not None
        return self._exit

    def poll(self) -> Exit | None:
        return self._exit

    async def stop(self, grace_seconds: float) -> Exit:
        self._close_input()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), grace_seconds)
        self.end(Exit(137, 9, f"did not stop within {grace_seconds:g} s"))
        return await self.wait()

    def release(self) -> None:
        """The test is over."""

    def usage(self) -> Usage:
        return Usage(0 if self._exit else 1, 0 if self._exit else 1, 0.0, [])

    def _close_input(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def close(self) -> None:
        self._close_input()
        for fd in (self.stdout, self.stderr):
            if fd >= 0:
                os.close(fd)
        self.stdout = self.stderr = -1


class NeverReady(FakeProcess):
    def received(self, message: dict[str, Any]) -> None:
        pass


class DiesInMidCall(FakeProcess):
    def called(self, message: dict[str, Any]) -> None:
        os.write(self._errors, b"out of cheese\n")
        self.end(Exit(9, 0, "exited with code 9"))


class Floods(FakeProcess):
    """Fills its pipe whenever there is room, with what is no message, and answers nothing."""

    def called(self, message: dict[str, Any]) -> None:
        asyncio.get_running_loop().add_writer(self._output, self._flood)

    def _flood(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._output, b"rubbish\n" * 1000)

    def end(self, how: Exit) -> None:
        if self._exit is None:
            asyncio.get_running_loop().remove_writer(self._output)
        super().end(how)


class IgnoresSigterm(FakeProcess):
    """Only force ends it."""

    def end_of_input(self) -> None:
        asyncio.get_running_loop().remove_reader(self._input)


class NeverStops(FakeProcess):
    """As one that waits for a disk that is gone: not even force ends it."""

    def __init__(self, spec: LaunchSpec) -> None:
        super().__init__(spec)
        self._released = asyncio.Event()

    def end_of_input(self) -> None:
        asyncio.get_running_loop().remove_reader(self._input)

    async def stop(self, grace_seconds: float) -> Exit:
        await self._released.wait()
        return await super().stop(0)

    def release(self) -> None:
        self._released.set()


class EndsUnnoticed(FakeProcess):
    """Its pipes are closed, and nobody says that it has ended."""

    def called(self, message: dict[str, Any]) -> None:
        asyncio.get_running_loop().remove_reader(self._input)
        for fd in (self._input, self._output, self._errors):
            os.close(fd)

    def end(self, how: Exit) -> None:
        self._exit = how
        self._ended.set()


class FakeRuntime:
    """A `Runtime`. Deployments without a kind of their own get a polite process."""

    kinds: dict[str, type[FakeProcess]] = {
        "never-ready": NeverReady, "dies-in-mid-call": DiesInMidCall, "floods": Floods,
        "ignores-sigterm": IgnoresSigterm, "never-stops": NeverStops, "ends-unnoticed": EndsUnnoticed,
    }  # fmt: skip

    def __init__(self) -> None:
        self.started: list[FakeProcess] = []
        self.given_up = 0  # starts that were cancelled

    async def start(self, spec: LaunchSpec) -> Process:
        if spec.deployment == "refuses":
            raise LaunchFailed("there is no room")
        if spec.deployment == "breaks":
            raise RuntimeError("a bug of the runtime")
        if spec.deployment == "never-starts":
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1
        process = self.kinds.get(spec.deployment, FakeProcess)(spec)
        self.started.append(process)
        return process

    async def check(self) -> Verdict:
        return Verdict(True, "fake")

    def hand_over(self) -> Handed:
        return Handed(None, [])

    def take_over(self, state: object) -> dict[int, Process]:
        return {}

    def close(self) -> None:
        pass

    def living(self, deployments: Iterable[str]) -> list[int]:
        return [one.pid for one in self.started if one.poll() is None and one.spec.deployment in deployments]
