"""The log and its followers: order, one wire, credit, parts, and what gives way under pressure."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.runner.follower import Follower
from hosting.runner.frames import FRAME_BYTES, TERMINAL, UNDELIVERED, Detached, Event, Events, Kind, Mode, Reason
from hosting.runner.log import SOFT_BYTES, Log, LogFullError
from hosting.runner.spill import SPILL_BYTES, Spill


class Wire:
    """Stands at the end of a connection and keeps the frames, as the other process would."""

    def __init__(self) -> None:
        self.frames: list[Events | Detached] = []
        self.writable = True

    def send(self, frame: Events | Detached) -> None:
        self.frames.append(frame)

    @property
    def events(self) -> list[Event]:
        """Whole events, put together from their parts."""
        whole: list[Event] = []
        parts = b""
        for frame in self.frames:
            if isinstance(frame, Events):
                for event in frame.events:
                    parts += event.data
                    if not event.more:
                        whole.append(Event(event.seq, event.kind, parts, event.extra))
                        parts = b""
        return whole

    @property
    def ends(self) -> list[str]:
        return [frame.reason for frame in self.frames if isinstance(frame, Detached)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log("r.b.1", "alice", spill=Spill(tmp_path))


def follow(log: Log, wire: Wire, *, after: int = 0, credit: int = 10**9, mode: Mode = Mode.WIRE) -> Follower:
    follower = Follower(
        wire,
        7,
        log,
        after=after,
        credit=credit,
        mode=mode,
        attached={},
    )
    log.follow(follower)
    return follower


def test_a_follower_gets_what_was_and_what_comes(log: Log) -> None:
    log.append(Kind.PROGRESS, b"1")
    wire = Wire()
    follow(log, wire)
    log.append(Kind.RESULT, b"{}")
    assert [(e.seq, e.kind) for e in wire.events] == [(1, Kind.PROGRESS), (2, Kind.RESULT)]


def test_resuming_after_a_number_repeats_nothing(log: Log) -> None:
    for body in (b"1", b"2", b"3"):
        log.append(Kind.NOTIFICATION, body)
    wire = Wire()
    follow(log, wire, after=2)
    assert [e.data for e in wire.events] == [b"3"]


def test_a_new_wire_may_ask_for_what_none_was_sent_yet(log: Log) -> None:
    log.append(Kind.NOTIFICATION, b"1")
    first, page, second = Wire(), Wire(), Wire()
    follower = follow(log, first)
    log.unfollow(follower)
    log.append(Kind.NOTIFICATION, b"2")
    follow(log, page, mode=Mode.OBSERVE)
    follow(log, second, after=UNDELIVERED)
    assert [e.data for e in second.events] == [b"2"]
    assert [e.data for e in page.events] == [b"1", b"2"]


def test_the_newest_wire_wins_and_observers_stay(log: Log) -> None:
    first, second, page = Wire(), Wire(), Wire()
    follow(log, first)
    follow(log, page, mode=Mode.OBSERVE)
    follow(log, second)
    log.append(Kind.RESULT, b"{}")
    assert first.ends == [Reason.SUPERSEDED]
    assert not first.events
    assert len(second.events) == len(page.events) == 1


def test_nothing_follows_an_outcome(log: Log) -> None:
    log.append(Kind.RESULT, b"{}")
    assert log.append(Kind.PROGRESS, b"late") == 0
    wire = Wire()
    follow(log, wire)
    assert [e.kind for e in wire.events] == [Kind.RESULT]


def test_no_frame_is_longer_than_promised_and_large_bodies_come_whole(log: Log) -> None:
    body = b"x" * (SPILL_BYTES + 12_345)
    wire = Wire()
    follow(log, wire)
    log.append(Kind.RESULT, body)
    assert [e.data for e in wire.events] == [body]
    for frame in wire.frames:
        assert isinstance(frame, Events)
        assert sum(len(event.data) for event in frame.events) < FRAME_BYTES


def test_credit_stops_and_starts_a_follower_but_not_the_log(log: Log) -> None:
    wire = Wire()
    follower = follow(log, wire, credit=100)
    for _ in range(10):
        log.append(Kind.NOTIFICATION, b"x" * 60)
    assert len(wire.events) == 1
    follower.add_credit(10_000)
    assert len(wire.events) == 10


def test_a_connection_that_is_full_is_not_written_to(log: Log) -> None:
    wire = Wire()
    wire.writable = False
    follower = follow(log, wire)
    log.append(Kind.RESULT, b"{}")
    assert not wire.frames
    wire.writable = True
    follower.pump()
    assert len(wire.events) == 1


def test_under_pressure_log_lines_are_dropped_and_counted_and_questions_stay(log: Log) -> None:
    wire = Wire()
    follower = follow(log, wire, credit=1)
    line = b"x" * 1000
    for _ in range(1000):
        log.append(Kind.LOG, line)
    log.append(Kind.INPUT_REQUESTED, b"{}", "q1")
    log.append(Kind.RESULT, b"{}")
    assert log.octets < SOFT_BYTES + 10_000
    follower.add_credit(10**9)
    kinds = [event.kind for event in wire.events]
    assert kinds[-2:] == [Kind.INPUT_REQUESTED, Kind.RESULT]
    gap = next(event for event in wire.events if event.kind is Kind.GAP)
    assert int(gap.extra) + kinds.count(Kind.LOG) == 1000


def test_under_pressure_the_newest_progress_is_kept(log: Log) -> None:
    wire = Wire()
    follower = follow(log, wire, credit=1)
    for number in range(5000):
        log.append(Kind.PROGRESS, b'{"progress":%d, "message": "%s"}' % (number, b"x" * 100))
    log.append(Kind.RESULT, b"{}")
    follower.add_credit(10**9)
    assert b'"progress":4999' in wire.events[-2].data
    assert len(wire.events) < 3000


def test_what_must_stay_and_does_not_fit_names_the_limit(tmp_path: Path) -> None:
    log = Log("r.b.1", "alice", spill=Spill(tmp_path), hard_bytes=2 * 1024 * 1024)
    with pytest.raises(LogFullError, match="2 MB"):
        for _ in range(100):
            log.append(Kind.INPUT_REQUESTED, b"x" * 100_000, "q")


@given(
    bodies=st.lists(st.binary(max_size=200), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_any_chain_of_resumptions_delivers_each_event_once(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], cuts: list[int]
) -> None:
    log = Log("r.b.1", "alice", spill=Spill(tmp_path_factory.getbasetemp()))
    seen: list[Event] = []
    remaining = list(bodies)
    for cut in [*sorted(cuts), len(bodies)]:
        wire = Wire()
        follow(log, wire, after=seen[-1].seq if seen else 0)
        while remaining and len(bodies) - len(remaining) < cut:
            log.append(Kind.NOTIFICATION, remaining.pop(0))
        seen += wire.events
    log.append(Kind.RESULT, b"{}")
    last = Wire()
    follow(log, last, after=seen[-1].seq if seen else 0)
    assert [event.data for event in [*seen, *last.events]] == [*bodies, b"{}"]
    assert last.events[-1].kind in TERMINAL
