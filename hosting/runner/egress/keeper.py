"""The runner's side of its proxy: starts it, keeps it running, opens ways for instances, takes its reports.

Plain values and one descriptor, so that a runner can hand itself over by `execv` with the proxy and all its open
connections living on: `hand_over` gives what the next image's `Keeper.start` takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from common import addresses
from hosting.runner.egress.ledger import Ledger
from hosting.runner.egress.messages import (
    PACKET_OCTETS,
    Admit,
    Admitted,
    Dismiss,
    Dismissed,
    decode_from_proxy,
    encode,
)
from hosting.runner.egress.policy import Policy
from hosting.runner.runtimes.base import LaunchFailed, LaunchSpec, Runtime
from hosting.runner.runtimes.bubblewrap import Bubblewrap
from hosting.runner.runtimes.descriptors import spawn

log = logging.getLogger(__name__)

ADMIT_SECONDS = 10.0
RESTART_SECONDS = 1.0
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ("-m", "hosting.runner.egress")
_PASSED = ("LANG", "LC_ALL", "LOCALDOMAIN", "RES_OPTIONS", "LD_LIBRARY_PATH", "VIRTUAL_ENV")

Printed = Callable[[str, str, str], None]  # deployment, instance, line
PolicyOf = Callable[[LaunchSpec], Policy]


class _Way(msgspec.Struct):
    """An instance that was let out: what to ask for again when the proxy had to be started anew."""

    admit: Admit
    pid: int


class HandedOver(msgspec.Struct):
    """`control` is a descriptor that was made inheritable."""

    pid: int
    control: int
    ways: list[_Way]
    ledger: Ledger
    is_new: bool = False  # the proxy was started a moment ago and knows of no instance


class Keeper:
    """One per runner, on its loop. A `runtimes.base.Doorway`."""

    def __init__(
        self, policy_of: PolicyOf, *, printed: Printed = lambda *_: None, program: Sequence[str] = PROGRAM
    ) -> None:
        self.ledger = Ledger()
        self.printed = printed
        self._policy_of, self._program = policy_of, program
        self._ways: dict[str, _Way] = {}
        self._answers: dict[str, asyncio.Future[Admitted]] = {}
        self._settled: dict[str, asyncio.Event] = {}
        self.pid = 0
        self._control: socket.socket | None = None
        self._is_closed = False
        self._restart: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def start(self, handed_over: HandedOver | None = None) -> None:
        """Call it on the thread that lives as long as the runner. Raises OSError."""
        self._is_closed = False
        if handed_over is None:
            self._spawn()
            return
        self._is_closed = False
        self.ledger = handed_over.ledger
        self._ways = {way.admit.instance: way for way in handed_over.ways}
        self.pid = handed_over.pid
        self._control = socket.socket(fileno=handed_over.control)
        self._control.set_inheritable(False)
        self._loop.add_reader(self._control, self._readable)
        if handed_over.is_new:
            self._returning = asyncio.create_task(self._readmit())

    def hand_over(self) -> HandedOver:
        """For the image that follows. The keeper is of no use until `start` gives it back. Raises OSError."""
        is_new = self._control is None
        if self._control is None:
            self._spawn()
        assert self._control is not None
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None
        self._loop.remove_reader(self._control)
        control = self._control.detach()
        self._control = None
        self._is_closed = True
        os.set_inheritable(control, True)
        return HandedOver(self.pid, control, list(self._ways.values()), self.ledger, is_new)

    def close(self) -> None:
        self._is_closed = True
        if self._restart is not None:
            self._restart.cancel()
        self._lose()

    # --- Doorway

    async def open(self, spec: LaunchSpec, pid: int) -> None:
        """Raises LaunchFailed."""
        admit = Admit(spec.instance, spec.deployment, self._policy_of(spec))
        answer = await self._admit(admit, pid)
        if answer.error:
            raise LaunchFailed(f"its way to the network could not be opened: {answer.error}")
        self._ways[spec.instance] = _Way(admit, pid)

    def shut(self, instance: str) -> None:
        if self._ways.pop(instance, None) is not None and self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(encode(Dismiss(instance)))

    async def settled(self, instance: str, seconds: float) -> None:
        """After the end of one that `following` was called for: what the proxy had to say of it has been said."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled[instance].wait()
        del self._settled[instance]

    def following(self, instance: str) -> None:
        self._settled[instance] = asyncio.Event()

    # --- inside

    async def _admit(self, admit: Admit, pid: int) -> Admitted:
        if self._control is None:
            return Admitted(admit.instance, "the proxy is not running")
        answer: asyncio.Future[Admitted] = self._loop.create_future()
        self._answers[admit.instance] = answer
        try:
            namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            try:
                socket.send_fds(self._control, [encode(admit)], [namespace])
            finally:
                os.close(namespace)
            async with asyncio.timeout(ADMIT_SECONDS):
                return await answer
        except TimeoutError:
            return Admitted(admit.instance, "the proxy does not answer")
        except OSError as error:
            return Admitted(admit.instance, str(error))
        finally:
            self._answers.pop(admit.instance, None)

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {name: os.environ[name] for name in _PASSED if name in os.environ}
        # Not -I: the project is found by PYTHONPATH alone, whatever folder this is.
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        env |= {"PATH": "/usr/bin:/bin", "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            fds = {0: null, 1: null, 2: 2, 3: theirs.fileno()}
            self.pid = spawn([sys.executable, *self._program], env, fds)
        except OSError:
            ours.close()
            raise
        finally:
            os.close(null)
            theirs.close()
        ours.setblocking(False)
        self._control = ours
        self._loop.add_reader(ours, self._readable)

    def _readable(self) -> None:
        assert self._control is not None
        try:
            data = self._control.recv(PACKET_OCTETS)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
            if not self._is_closed:
                log.error("the egress proxy ended; it is started again")
                self._restart = self._loop.call_later(RESTART_SECONDS, self._again)
            return
        message = decode_from_proxy(data)
        if isinstance(message, Admitted):
            answer = self._answers.get(message.instance)
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        if isinstance(message, Dismissed):
            if message.instance in self._settled:
                self._settled[message.instance].set()
            return
        self.ledger.add(message.rows)
        for note in message.notes:
            self.printed(note.deployment, note.instance, note.line)

    def _lose(self) -> None:
        """Without its control socket the proxy ends, and the kernel closes what it held open."""
        if self._control is not None:
            self._loop.remove_reader(self._control)
            self._control.close()
            self._control = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result(Admitted("", "the proxy ended"))
        if self.pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            self.pid = 0

    def _again(self) -> None:
        self._restart = None
        try:
            self._spawn()
        except OSError:
            log.exception("the egress proxy can't be started")
            self._restart = self._loop.call_later(RESTART_SECONDS, self._again)
            return
        self._returning = asyncio.create_task(self._readmit())

    async def _readmit(self) -> None:
        for instance, way in list(self._ways.items()):
            if instance in self._ways and (answer := await self._admit(way.admit, way.pid)).error:
                self.printed(way.admit.deployment, instance, f"egress: its way out is lost: {answer.error}")


def let_out(runtime: Runtime, networks: str, ports: str, handed_over: HandedOver | None = None) -> Keeper | None:
    """Gives a runner's sandbox its way out, by the operator's lists; without a sandbox nothing is in the way."""
    if not isinstance(runtime, Bubblewrap):
        return None
    private = [str(network) for network in addresses.networks(networks.split(","))]
    wanted = sorted({int(port) for port in ports.split(",") if port.strip()})

    def policy_of(spec: LaunchSpec) -> Policy:
        return Policy(spec.egress.mode, list(spec.egress.hosts), private, wanted)

    keeper = runtime.doorway = Keeper(policy_of)
    keeper.start(handed_over)
    return keeper
