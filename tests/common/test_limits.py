"""Limits of attempts, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache

from common import clock, limits

START = datetime(2030, 1, 1, 12, 0, 58, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def attempts(number: int) -> None:
    for _ in range(number):
        limits.count("test", "ann", limit=3, seconds=60)


@pytest.mark.parametrize("after", [0, 3, 59])
def test_a_new_minute_of_the_clock_is_no_new_window(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: START)
    attempts(3)
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(seconds=after))
    with pytest.raises(limits.TooMany) as refused:
        attempts(1)
    assert refused.value.retry_after == 60 - after
    with pytest.raises(limits.TooMany):
        limits.check("test", "ann", limit=3, seconds=60)
    limits.count("test", "bob", limit=3, seconds=60)


def test_its_end_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: START)
    attempts(3)
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(seconds=60))
    limits.check("test", "ann", limit=3, seconds=60)
    attempts(3)
