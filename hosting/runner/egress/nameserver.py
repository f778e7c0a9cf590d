"""Answers one instance's name queries with the true addresses, as far as its policy lets them be reached."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from common.addresses import HostInvalid, host_name, is_address
from hosting.runner.egress import queries, ways
from hosting.runner.egress.passage import Inside
from hosting.runner.egress.policy import TLS_PORT
from hosting.runner.egress.resolver import NameUnknown
from hosting.runner.egress.ways import Refused

MAX_PENDING = 32  # what comes on top is not answered; its resolver library asks again
QUERIES_AT_ONCE = 16
QUERY_OCTETS = 1024


class NameServer:
    def __init__(self, names: socket.socket, inside: Inside) -> None:
        names.setblocking(False)
        self._names, self._inside = names, inside
        self._pending: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(names, self._readable)

    def close(self) -> None:
        self._loop.remove_reader(self._names)
        for task in self._pending:
            task.cancel()
        self._names.close()

    def _readable(self) -> None:
        for _ in range(QUERIES_AT_ONCE):
            try:
                data, client = self._names.recvfrom(QUERY_OCTETS)
            except OSError:
                return
            with contextlib.suppress(queries.QueryInvalid):
                self._take(queries.parse(data), client)

    def _take(self, query: queries.Query, client: Any) -> None:
        if not query.wants_addresses:
            self._send(queries.answer(query), client)
        elif len(self._pending) < MAX_PENDING:
            task = self._loop.create_task(self._tell(query, client))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def _tell(self, query: queries.Query, client: Any) -> None:
        inside, code = self._inside, queries.NO_ERROR
        addresses: tuple[str, ...] = ()
        try:
            host = host_name(query.name)
            if is_address(host):
                raise HostInvalid("an address is no name")
            is_trusted = inside.rules.is_trusted_name(host)
            found = await ways.resolve(inside.rules, inside.resolver, host, TLS_PORT, is_trusted=is_trusted)
            addresses = tuple(address for address in found if ":" not in address)
            inside.told.add(host, addresses)
        except HostInvalid:
            code = queries.NO_SUCH_NAME
        except NameUnknown as error:
            code = queries.NO_SUCH_NAME if error.is_final else queries.SERVER_FAILURE
        except Refused as refused:
            inside.refused(refused)
            code = queries.NO_SUCH_NAME  # "refused" makes resolver libraries try again, and look for other servers
        self._send(queries.answer(query, addresses, code), client)

    def _send(self, data: bytes, client: Any) -> None:
        with contextlib.suppress(OSError):
            self._names.sendto(data, client)
