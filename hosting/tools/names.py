"""The rule for the names of tools (SEP-986; 2025-11-25 and 2026-07-28 server/tools, "Tool Names"). Pure.

A name outside of it is passed on all the same: the rule says "should", and it is the client that may refuse it. The
owner of the server is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from hosting.tools.invisible import shown

OF_TASKS = ("task_status", "task_result", "task_cancel")  # the platform's own, for clients that know no tasks
RULE = "1 to 128 letters (A–Z, a–z), digits, “_”, “-” and “.”"
_NOTICE = "Some clients may not take the names of these tools"
_SHOWN = 5
_SHOWN_CHARACTERS = 60
_FITTING = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def fits(name: object) -> bool:
    return isinstance(name, str) and _FITTING.fullmatch(name) is not None


def notices_with(notices: Sequence[str], names: Iterable[object]) -> list[str]:
    """A version's notices, with what is to be said of these names instead of what was said of earlier ones."""
    kept = [words for words in notices if not words.startswith(_NOTICE)]
    counted = Counter(name if isinstance(name, str) else "" for name in names)
    odd = [name for name, count in counted.items() if count > 1 or not fits(name)]
    if not odd:
        return kept
    quoted = ", ".join(f"“{shown(name[:_SHOWN_CHARACTERS])}”" for name in odd[:_SHOWN])
    more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
    return [*kept, f"{_NOTICE}, which should have {RULE} and be different from each other: {quoted}{more}."]
