"""The outbox on disk: what is written is found again, whatever was cut off, and nothing is announced before."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hosting.runner.frames import Event, Kind
from hosting.runner.log import Log
from hosting.runner.outbox import AFTER_ALL, LOST_WITH_RUNNER, ONE_NEWS_BYTES, Outbox
from hosting.runner.spill import Spill
from hosting.runner.spool import Header, Spool

HEADER = Header("t1", "r1.boot.task-t1-1", "alice c d", "d")
ASKED = Event(2, Kind.INPUT_REQUESTED, b'{"method":"elicitation/create"}', "q1")
RESULT = Event(3, Kind.RESULT, b'{"content":[]}')


def spool(folder: Path) -> Spool:
    def broken(error: OSError) -> None:
        raise AssertionError(error)

    return Spool(folder / "spool", on_broken=broken)


async def write(folder: Path, *events: Event) -> None:
    writer = spool(folder)
    begun = asyncio.Event()
    writer.begin(HEADER, begun.set)
    await begun.wait()
    for event in events:
        written = asyncio.Event()
        writer.add("t1", event, written.set)
        await written.wait()
    writer.close()


async def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    await write(tmp_path, ASKED, RESULT)
    (found,) = spool(tmp_path).load()
    assert found.header == HEADER
    assert found.events == [ASKED, RESULT]
    assert found.is_ended


async def test_every_cut_leaves_what_was_whole(tmp_path: Path) -> None:
    """A crash may cut the file at any byte."""
    await write(tmp_path, ASKED, RESULT)
    path = tmp_path / "spool" / "t1.task"
    whole = path.read_bytes()
    seen = set()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        found = spool(tmp_path).load()
        seen.add(len(found[0].events) if found else None)
        path.write_bytes(whole)
    assert seen == {None, 0, 1, 2}


async def test_a_damaged_entry_ends_the_file_before_it(tmp_path: Path) -> None:
    await write(tmp_path, ASKED, RESULT)
    path = tmp_path / "spool" / "t1.task"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (found,) = spool(tmp_path).load()
    assert found.events == [ASKED]


class Site:
    """What the site would learn, and what is on disk when it learns it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[list[tuple[str, int]]] = []
        self.news = asyncio.Event()
        self.outbox = Outbox(folder / "spool", spill=Spill(folder), announce=self.announce)

    def announce(self) -> None:
        self.told.append([(found.header.task, len(found.events)) for found in spool(self.folder).load()])
        self.news.set()

    async def next(self) -> None:
        async with asyncio.timeout(60):
            await self.news.wait()
        self.news.clear()

    def log(self) -> Log:
        return Log(HEADER.exchange, HEADER.owner, spill=Spill(self.folder))


async def test_an_outcome_is_announced_when_it_is_on_disk_and_forgotten_when_taken(tmp_path: Path) -> None:
    site = Site(tmp_path)
    found = site.log()
    begun = asyncio.Event()
    site.outbox.begin(HEADER, found, begun.set)
    await begun.wait()
    seq = found.append(Kind.RESULT, b"{}")
    site.outbox.happened("t1", Event(seq, Kind.RESULT, b"{}"))
    await site.next()
    assert site.told == [[("t1", 1)]]
    ((held, events),) = site.outbox.news()
    assert (held.header, events) == (HEADER, [Event(seq, Kind.RESULT, b"{}")])
    assert site.outbox.news() == []  # it was given
    assert len(site.outbox.news(0.0)) == 1  # but not acknowledged
    assert site.outbox.unacknowledged(0.0, 10) == ["t1"]
    assert site.outbox.acknowledge("t1", seq)
    assert site.outbox.holds(["t1"]) == []
    assert site.outbox.is_over(HEADER.exchange)  # who opens it again must not run it again
    site.outbox.close()
    assert spool(tmp_path).load() == []


async def test_many_lines_are_one_announcement_a_second(tmp_path: Path) -> None:
    site = Site(tmp_path)
    found = site.log()
    begun = asyncio.Event()
    site.outbox.begin(HEADER, found, begun.set)
    await begun.wait()
    for number in range(50):
        seq = found.append(Kind.PROGRESS, b'{"progress":%d}' % number)
        site.outbox.happened("t1", Event(seq, Kind.PROGRESS))
    await site.next()
    assert len(site.told) == 1
    site.outbox.close()


@pytest.mark.parametrize("ended", [True, False])
async def test_after_a_crash_outcomes_arrive_and_the_rest_is_lost(tmp_path: Path, ended: bool) -> None:
    await write(tmp_path, ASKED, *([RESULT] if ended else []))
    site = Site(tmp_path)
    site.outbox.load()
    await site.next()
    found = site.outbox.log_of("t1")
    assert found is not None and found.ended
    last = found.loaded()[-1]
    assert (last.kind, last.extra) == ((Kind.RESULT, "") if ended else (Kind.LOST, LOST_WITH_RUNNER))
    # What was not written down (progress, say) may have been taken, so the loss comes after whatever that was.
    assert last.seq == (3 if ended else AFTER_ALL)
    assert site.outbox.acknowledge("t1", last.seq)
    site.outbox.close()
    assert spool(tmp_path).load() == []


async def test_what_lives_on_is_not_lost(tmp_path: Path) -> None:
    await write(tmp_path, ASKED)
    site = Site(tmp_path)
    site.outbox.load(living=["t1"])
    assert site.outbox.log_of("t1") is None
    site.outbox.close()


async def test_a_task_that_the_site_gave_up_leaves_nothing(tmp_path: Path) -> None:
    """Cancelled there: whatever its call still does is of no interest, but the file must go in the end."""
    site = Site(tmp_path)
    found = site.log()
    begun = asyncio.Event()
    site.outbox.begin(HEADER, found, begun.set)
    await begun.wait()
    assert not site.outbox.acknowledge("t1", 2**62)
    seq = found.append(Kind.CANCELLED)
    site.outbox.happened("t1", Event(seq, Kind.CANCELLED))
    assert site.outbox.holds(["t1"]) == []
    site.outbox.close()
    assert spool(tmp_path).load() == []


async def run(site: Site, number: int, *bodies: bytes) -> Log:
    """A task whose call has given these results of no consequence, and the last one."""
    header = Header(f"t{number}", f"r1.boot.task-t{number}-1", "alice c d", "d")
    found = Log(header.exchange, header.owner, spill=Spill(site.folder))
    begun = asyncio.Event()
    site.outbox.begin(header, found, begun.set)
    await begun.wait()
    for n, body in enumerate(bodies, start=1):
        kind = Kind.RESULT if n == len(bodies) else Kind.LOG
        seq = found.append(kind, body)
        site.outbox.happened(header.task, Event(seq, kind, body))
    return found


async def test_news_of_many_tasks_is_one_announcement_and_comes_in_one_answer(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await run(site, 0, b"{}")
    await site.next()
    for number in range(1, 6):
        await run(site, number, b"{}")
    given: list[str] = []
    while len(given) < 6:  # the last ones may still be on their way to the disk
        given += [held.header.task for held, _ in site.outbox.news()]
        await asyncio.sleep(0.001)
    assert sorted(given) == [f"t{n}" for n in range(6)]
    assert len(site.told) == 1  # who was called for the first one was still at it
    site.outbox.close()


async def test_what_is_too_large_for_an_answer_is_named_only(tmp_path: Path) -> None:
    site = Site(tmp_path)
    large = b'{"x":"%b"}' % (b"x" * ONE_NEWS_BYTES)
    half = b'{"x":"%b"}' % (b"x" * (ONE_NEWS_BYTES // 2))
    for number in range(12):
        await run(site, number, large if number == 3 else half)
    answers: list[dict[str, int]] = []
    while sum(map(len, answers)) < 12:
        answers.append({held.header.task: len(events) for held, events in site.outbox.news()})
        await asyncio.sleep(0.001)
    assert all(len(answer) <= 8 + 1 for answer in answers)
    assert {task: count for answer in answers for task, count in answer.items()} == {
        f"t{n}": int(n != 3) for n in range(12)
    }
    site.outbox.close()


async def test_what_was_told_before_there_was_a_row_is_told_again_when_there_is_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await run(site, 1, b"{}")
    await site.next()
    assert len(site.outbox.news()) == 1  # a worker took it, and found no row
    assert site.outbox.news() == []
    assert site.outbox.remind("t1")
    assert len(site.outbox.news()) == 1
    assert site.outbox.acknowledge("t1", 1)
    assert not site.outbox.remind("t1")
    site.outbox.close()
