"""Who reads which line."""

from __future__ import annotations

import pytest

from hosting.runner.seen import OutputLine
from hosting.stream.output import Reader


@pytest.mark.parametrize(
    ("who", "is_open", "owner_reads", "caller_reads"),
    [
        ("", False, True, False),  # shared, or the platform's own look
        ("owner", False, True, False),
        ("caller", False, False, True),
        ("another", False, False, False),
        ("anonymous:x", False, False, False),
        ("another", True, True, False),  # printed while bodies were traced
    ],
)
def test_who_reads_what(who: str, is_open: bool, owner_reads: bool, caller_reads: bool) -> None:
    line = OutputLine(0.0, "i", "stderr", "text", who, is_open)
    assert Reader("owner", manages=True).may_read(line) is owner_reads
    assert Reader("caller", manages=False).may_read(line) is caller_reads
