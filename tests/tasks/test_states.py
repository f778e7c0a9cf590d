"""What each event of an exchange does to a task, in every state, and how each revision sees the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.runner.frames import TERMINAL, Event, Kind
from hosting.tasks.states import OPEN, TO, LogLine, Outcome, Seen, State, advance, sources, status_2025, status_2026

QUESTION = b'{"method":"elicitation/create","params":{"message":"Sure?"}}'
EVENTS = {
    "status": Event(7, Kind.STATUS, b'{"state":"starting","reason":"starting: preparing the sandbox"}'),
    "progress": Event(7, Kind.PROGRESS, b'{"progress":2,"total":5,"message":"two of five"}'),
    "log": Event(7, Kind.LOG, b'{"level":"warning","data":"careful"}'),
    "gap": Event(7, Kind.GAP, b"", "12"),
    "asked": Event(7, Kind.INPUT_REQUESTED, QUESTION, "q2"),
    "answered": Event(7, Kind.INPUT_ANSWERED, b"", "q1"),
    "result": Event(7, Kind.RESULT, b'{"content":[]}'),
    "tool error": Event(7, Kind.RESULT, b'{"content":[],"isError":true}'),
    "error": Event(7, Kind.ERROR, b'{"code":-32000,"message":"no"}'),
    "cancelled": Event(7, Kind.CANCELLED, b"", "as asked"),
    "lost": Event(7, Kind.LOST, b"", "the runner ended during the call"),
    "other": Event(7, Kind.NOTIFICATION, b"{}", "notifications/x"),
}
QUIET = Seen(6, State.WORKING)
ASKING = Seen(6, State.INPUT_REQUIRED, questions={"q1": {"method": "elicitation/create"}})
STARTING = Seen(6, State.STARTING)
EXPECTED = {
    "status": (State.STARTING, State.WORKING, State.INPUT_REQUIRED),
    "progress": (State.WORKING, State.WORKING, State.INPUT_REQUIRED),
    "log": (State.WORKING, State.WORKING, State.INPUT_REQUIRED),
    "gap": (State.STARTING, State.WORKING, State.INPUT_REQUIRED),
    "asked": (State.INPUT_REQUIRED, State.INPUT_REQUIRED, State.INPUT_REQUIRED),
    "answered": (State.WORKING, State.WORKING, State.WORKING),
    "other": (State.STARTING, State.WORKING, State.INPUT_REQUIRED),
}
ENDINGS = {
    "result": Outcome.RESULT,
    "tool error": Outcome.TOOL_ERROR,
    "error": Outcome.ERROR,
    "cancelled": Outcome.CANCELLED,
    "lost": Outcome.LOST,
}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("before", [STARTING, QUIET, ASKING], ids=lambda seen: seen.state)
def test_every_event_in_every_open_state(before: Seen, name: str) -> None:
    after = advance(before, [EVENTS[name]])
    assert after.seq == 7
    if name in ENDINGS:
        assert (after.state, after.outcome, after.questions) == (State.ENDED, ENDINGS[name], {})
    else:
        place = [STARTING, QUIET, ASKING].index(before)
        assert (after.state, after.outcome) == (EXPECTED[name][place], None)


@pytest.mark.parametrize("name", EVENTS)
def test_nothing_happens_after_the_end(name: str) -> None:
    ended = Seen(6, State.ENDED, Outcome.RESULT, body=b"{}")
    assert advance(ended, [EVENTS[name]]) == ended


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_that_was_taken_before_changes_nothing(name: str) -> None:
    before = replace(QUIET, seq=7)
    assert advance(before, [EVENTS[name]]) == before


def test_progress_log_and_questions_are_kept() -> None:
    seen = advance(QUIET, [replace_seq(EVENTS["progress"], 7), replace_seq(EVENTS["log"], 8)])
    assert seen.progress == {"progress": 2, "total": 5, "message": "two of five"}
    assert seen.reason == "two of five"
    assert seen.lines == (LogLine(8, "warning", "careful"),)
    asked = advance(ASKING, [EVENTS["asked"]])
    assert set(asked.questions) == {"q1", "q2"}
    assert advance(asked, [Event(8, Kind.INPUT_ANSWERED, b"", "q2")]).questions == ASKING.questions


def test_a_body_that_is_no_json_harms_nothing() -> None:
    rubbish = [Event(seq, kind, b"\xff{") for seq, kind in enumerate(Kind, start=7) if kind not in TERMINAL]
    assert advance(QUIET, rubbish).state in (State.WORKING, State.INPUT_REQUIRED)


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=12))
def test_in_parts_or_at_once_is_the_same(names: list[str]) -> None:
    """Jobs take events in whatever portions they find them, and some of them twice."""
    events = [replace_seq(EVENTS[name], seq) for seq, name in enumerate(names, start=7)]
    at_once = advance(STARTING, events)
    in_parts = STARTING
    for place in range(len(events) + 1):
        in_parts = advance(in_parts, events[max(place - 2, 0) : place])
    assert in_parts == at_once


def test_the_table_knows_every_state_and_leaves_the_end_alone() -> None:
    assert set(TO) == set(State)
    assert not TO[State.ENDED]
    assert sources(State.ENDED) == OPEN


@pytest.mark.parametrize("state", sorted(OPEN))
def test_status_while_it_runs(state: str) -> None:
    expected = "input_required" if state == State.INPUT_REQUIRED else "working"
    assert status_2025(state, "") == status_2026(state, "") == expected


@pytest.mark.parametrize(
    ("outcome", "in_2025", "in_2026"),
    [
        (Outcome.RESULT, "completed", "completed"),
        (Outcome.TOOL_ERROR, "failed", "completed"),
        (Outcome.ERROR, "failed", "failed"),
        (Outcome.CANCELLED, "cancelled", "cancelled"),
        (Outcome.LOST, "failed", "failed"),
    ],
)
def test_each_revision_projects_its_own_status(outcome: Outcome, in_2025: str, in_2026: str) -> None:
    assert (status_2025(State.ENDED, outcome), status_2026(State.ENDED, outcome)) == (in_2025, in_2026)


def replace_seq(event: Event, seq: int) -> Event:
    return Event(seq, event.kind, event.data, event.extra)
