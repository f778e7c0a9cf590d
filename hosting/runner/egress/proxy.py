"""The proxy of one runner: a gate for each instance, orders from the runner, reports to it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import deque

from hosting.runner.egress import doors
from hosting.runner.egress.gate import Gate
from hosting.runner.egress.messages import (
    PACKET_OCTETS,
    Admit,
    Admitted,
    Dismiss,
    Dismissed,
    FromProxy,
    decode_to_proxy,
    encode,
)
from hosting.runner.egress.passage import Inside
from hosting.runner.egress.policy import HTTP_PORT, TLS_PORT, Rules
from hosting.runner.egress.resolver import Resolver
from hosting.runner.egress.tally import Tally

log = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
SWEEP_SECONDS = 15.0


class Proxy:
    """Lives as long as the runner's end of `runner` is open."""

    def __init__(self, runner: socket.socket, opener: socket.socket, resolver: Resolver) -> None:
        runner.setblocking(False)
        self._runner, self._opener = runner, opener
        self._gates: dict[str, Gate] = {}
        self._tally, self._resolver = Tally(), resolver
        self._outgoing: deque[bytes] = deque()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Returns when the runner is gone."""
        self._loop.add_reader(self._runner, self._readable)
        regular = asyncio.create_task(self._regularly())
        await self._ended.wait()
        regular.cancel()
        for gate in self._gates.values():
            gate.close()
        self._resolver.close()

    def _readable(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._runner, PACKET_OCTETS, 1)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._loop.remove_reader(self._runner)
            self._ended.set()
            return
        try:
            message = decode_to_proxy(data)
            if isinstance(message, Dismiss):
                self._dismiss(message.instance)
                self._report()
                self._send(Dismissed(message.instance))
            else:
                self._send(self._admit(message, fds[0]))
        finally:
            for fd in fds:
                os.close(fd)

    def _admit(self, admit: Admit, namespace: int) -> Admitted:
        self._dismiss(admit.instance)
        policy = admit.policy
        ports = dict.fromkeys([TLS_PORT, HTTP_PORT, *policy.ports])  # who uses plain http is told what to do
        try:
            rules = Rules(policy)
            opened = doors.order(self._opener, namespace, list(ports), policy.is_explicit)
        except (OSError, ValueError) as error:
            return Admitted(admit.instance, str(error) or "it could not be opened")
        inside = Inside(admit.instance, admit.deployment, rules, self._tally, self._resolver)
        self._gates[admit.instance] = Gate(inside, opened, is_explicit=policy.is_explicit)
        return Admitted(admit.instance)

    def _dismiss(self, instance: str) -> None:
        gate = self._gates.pop(instance, None)
        if gate is not None:
            gate.close()
            if all(other.inside.deployment != gate.inside.deployment for other in self._gates.values()):
                self._loop.call_later(2 * REPORT_SECONDS, self._forget, gate.inside.deployment)

    def _forget(self, deployment: str) -> None:
        if all(gate.inside.deployment != deployment for gate in self._gates.values()):
            self._tally.forget(deployment)

    async def _regularly(self) -> None:
        swept_at = time.monotonic()
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._report()
            now = time.monotonic()
            if now - swept_at > SWEEP_SECONDS:
                swept_at = now
                for gate in self._gates.values():
                    gate.sweep(now)

    def _report(self) -> None:
        for report in self._tally.reports():
            self._send(report)

    def _send(self, message: FromProxy) -> None:
        self._outgoing.append(encode(message))
        if len(self._outgoing) == 1:
            self._flush()

    def _flush(self) -> None:
        """In order, and never waiting: a runner that restarts in place reads on a moment later."""
        self._loop.remove_writer(self._runner)
        while self._outgoing:
            try:
                self._runner.send(self._outgoing[0])
            except BlockingIOError:
                self._loop.add_writer(self._runner, self._flush)
                return
            except OSError:
                self._outgoing.clear()
                self._ended.set()
                return
            self._outgoing.popleft()
