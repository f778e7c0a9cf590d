"""Names to addresses, by this machine's own resolver, remembered for a short time.

Addresses that were told to an instance are what it connects to a moment later, so both are of one lookup.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from common.addresses import is_address

KEEP_SECONDS = 30.0
KEEP_FAILED_SECONDS = 5.0
MAX_KEPT = 5000
THREADS = 32
LOOKUP_SECONDS = 10.0


class NameUnknown(OSError):  # noqa: N818 - the outcome of a lookup
    """It has no address. `is_final` is False where another try may find one."""

    def __init__(self, words: str, *, is_final: bool) -> None:
        super().__init__(words)
        self.is_final = is_final


Ask = Callable[[str], list[str]]


def ask_machine(name: str) -> list[str]:
    """Blocks. Raises OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


class Resolver:
    def __init__(self, ask: Ask = ask_machine) -> None:
        self._ask = ask
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._kept: OrderedDict[str, tuple[float, tuple[str, ...] | NameUnknown]] = OrderedDict()
        self._running: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """All addresses of a host, IPv4 first. Raises NameUnknown."""
        if is_address(host):
            return (host,)
        kept = self._kept.get(host)
        if kept is not None and time.monotonic() < kept[0]:
            if isinstance(kept[1], NameUnknown):
                raise kept[1]
            return kept[1]
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.create_task(self._look_up(host))
            task.add_done_callback(lambda done: self._running.pop(host, None))
        return await asyncio.shield(task)

    async def _look_up(self, host: str) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        found: tuple[str, ...] | NameUnknown
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                # The dot at the end keeps the machine's search domains out of it.
                name = f"{host}." if "." in host else host
                entries = await loop.run_in_executor(self._threads, self._ask, name)
            found = tuple(dict.fromkeys(sorted(entries, key=lambda address: ":" in address)))
        except TimeoutError:
            found = NameUnknown("the name servers do not answer", is_final=False)
        except (OSError, UnicodeError) as error:
            is_final = getattr(error, "errno", None) in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", -5))
            found = NameUnknown("there is no such host" if is_final else f"{error}", is_final=is_final)
        keep = KEEP_FAILED_SECONDS if isinstance(found, NameUnknown) else KEEP_SECONDS
        self._kept[host] = (time.monotonic() + keep, found)
        self._kept.move_to_end(host)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        if isinstance(found, NameUnknown):
            raise found
        return found

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
