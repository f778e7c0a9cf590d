"""Malformed requests against a real server and runner: never a 500, never a hang, nothing left behind, memory flat.

What fails can be run again: `FUZZ_SEED=… pytest tests/mcp_endpoint/test_fuzz.py`, with the number that was printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosting.runner.control import GetStatus
from tests.mcp_endpoint.conftest import PATH, Site, Web, initialize, placement, until
from tests.mcp_endpoint.fuzzing import MEGABYTE, Fuzzer, Sent

ANSWER_SECONDS = 60.0  # of a machine that many others use
AT_ONCE = 16
MAY_GROW_BYTES = 30 * MEGABYTE

# 503 only where a limit says to come again, such as a server's limit of requests in flight.
ALLOWED = frozenset({200, 202, 204, 400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 431, 503})


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A kept line for each request that is no HTTP would look like a leak. Errors fail the test."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    yield
    logging.disable(before)
    said = caplog.get_records("call")  # `records` are those of tearing down, here
    assert [record.getMessage() for record in said if record.levelno >= logging.ERROR] == []


class Client:
    """Sends one request a connection, as bytes, and counts what became of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: Counter[str] = Counter()

    async def send(self, sent: Sent) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=8 * MEGABYTE)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await self._exchange(reader, writer, sent)
        except TimeoutError:
            raise AssertionError(f"no answer within {ANSWER_SECONDS:g} s to {sent}") from None
        except (OSError, asyncio.IncompleteReadError):
            status = "closed"
        finally:
            writer.close()
        if status.isdigit():
            assert int(status) in ALLOWED, f"{status} for {sent}"
        else:
            assert sent.is_cut or status == "closed", f"{status} for {sent}"
        self.statuses[f"{sent.what}: {status}"] += 1

    @staticmethod
    async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: Sent) -> str:
        for piece in sent.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if sent.is_cut:
            with contextlib.suppress(OSError):
                writer.write_eof()
        line = await reader.readline()
        if not line:
            return "none"
        head = await reader.readuntil(b"\r\n\r\n")
        if b"text/event-stream" not in head:
            await reader.read()
        return line.split()[1].decode()


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def sessions_at(site: Site, web: Web) -> int:
    status = await (await web.running.pool.link(site.address)).ask(GetStatus())
    return sum(instance.sessions for placed in status.placements for instance in placed.instances)


async def fuzz(site: Site, web: Web, count: int) -> int:
    """By how many bytes the process that grew most did so, after the caches had their size."""
    seed = int(os.environ.get("FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"FUZZ_SEED={seed}")
    opened = await web.client().post(PATH, json=initialize())
    source = iter(Fuzzer(seed, site.token(seconds=7200), opened.headers["mcp-session-id"]))
    client = Client(web.port)

    async def send(share: int) -> None:
        left = iter(range(share))

        async def work() -> None:
            for _ in left:
                await client.send(next(source))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    def resident() -> tuple[int, int]:
        gc.collect()
        return resident_bytes(os.getpid()), resident_bytes(site.runner.pid)

    await send(count // 4)
    before = resident()
    began = time.monotonic()
    await send(count - count // 4)
    seconds = time.monotonic() - began
    after = resident()
    assert sum(client.statuses.values()) == count
    print(f"{count} requests, {(count - count // 4) / seconds:.0f} a second")
    for name, was, now in zip(("web and client", "runner"), before, after, strict=True):
        print(f"resident, {name}: {was / MEGABYTE:.1f} MB, then {now / MEGABYTE:.1f} MB")
    for line, times in sorted(client.statuses.items()):
        print(f"{times:7} {line}")
    return max(now - was for was, now in zip(before, after, strict=True))


async def check(site: Site, web: Web, count: int) -> None:
    site.world.placement = placement(isolation="principal")
    grown = await fuzz(site, web, count)
    assert grown < MAY_GROW_BYTES
    # Nothing is left: neither streams, nor counted requests, nor sessions but the one that was opened on purpose.
    streams, in_flight = web.running.streams, web.running.endpoint._services.in_flight
    await until(lambda: not len(streams) and not in_flight.count)
    assert await sessions_at(site, web) <= 1
    answer = await web.client().post(PATH, json=initialize())
    assert answer.status_code == 200


async def test_malformed_requests(site: Site, web: Web) -> None:
    await check(site, web, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_fifty_thousand_malformed_requests(site: Site, web: Web) -> None:
    await check(site, web, 50_000)
