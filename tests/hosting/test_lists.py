"""Rows of calls and tasks: what stands in them, and that a stranger's words stay words."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from accounts.models import Name, User
from common import clock
from hosting.models import CallRecord, Deployment, Task
from hosting.tasks.shown import shown
from hosting.templatetags.lists import call_row, task_row, task_state

HOSTILE = '<b>"&\u200b'
SEEN = "&lt;b&gt;&quot;&amp;⟦U+200B⟧"


def _call(**given: object) -> CallRecord:
    return CallRecord(**{"method": "tools/call", "status": "ok", "microseconds": 3200, "bytes_in": 2048, **given})


def test_a_call_says_who_what_how_long_and_how_large() -> None:
    row = call_row(_call(tool="echo", client="c1", user=User(username="alice"), was_cold=True), {"c1": "Desk"}, True)

    for words in ("<code>tools/call</code>", ">echo</strong>", "alice ", ">Desk<", ">OK<", "3.2 ms", "with a start"):
        assert words in row
    assert "2.0\xa0KB" in row and "0\xa0bytes" in row


def test_whose_it_was_is_for_who_sees_all_calls() -> None:
    call = _call(user=User(username="alice"))

    assert "alice" not in call_row(call, {}, False)
    assert "nobody known " in call_row(_call(), {}, True)


@pytest.mark.parametrize(
    ("status", "words", "icon"),
    [
        ("ok", "badge badge-good", "circle-check"),
        ("tool_error", "badge badge-bad", "circle-x"),
        ("error", "badge badge-bad", "circle-x"),
        ("refused", "badge badge-warn", "lock"),
        ("cancelled", 'class="badge"', "#x"),
        ("left", 'class="badge"', "#x"),
    ],
)
def test_how_a_call_ended_is_icon_and_word(status: str, words: str, icon: str) -> None:
    row = call_row(_call(status=status), {}, False)

    assert words in row and icon in row and f"{CallRecord.Status(status).label}</span>" in row


def test_what_strangers_wrote_is_text() -> None:
    call = _call(tool=HOSTILE, client=HOSTILE, method=HOSTILE)
    task = Task(
        id="t1",
        tool=HOSTILE,
        client=HOSTILE,
        deployment=Deployment(name="own", owner=Name(display="alice", folded="alice")),
        state="ended",
        outcome="error",
        reason=HOSTILE,
        created_at=clock.now(),
    )

    assert call_row(call, {}, False).count(SEEN) == 3 and "<b>" not in call_row(call, {"": ""}, False)
    assert task_row(shown(task, {})).count(SEEN) == 3 and "<b>" not in task_row(shown(task, {}))


def test_a_task_that_lacks_credentials_leads_to_their_page() -> None:
    now = clock.now()
    task = Task(
        id="t1", tool="echo", state="lacking", elicitation_id=str(UUID(int=7)), created_at=now - timedelta(seconds=90)
    )
    row = task_row(shown(task, {}), one_server=True)

    assert f'href="/elicit/{UUID(int=7)}' in row and 'href="/tasks/t1/"' in row
    assert " data-busy>" in row and "data-since=" in row and "1 min 30 s" in row


def test_states_that_go_on_turn() -> None:
    assert "icon-spin" in task_state("working", "Working") and "icon-spin" not in task_state("result", "Done")
