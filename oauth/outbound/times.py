"""When a token is refreshed: ahead of its end, so that no call meets one that has just expired. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from oauth.outbound.requests import Tokens

AHEAD: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=7)  # for one that lasts longer, or doesn't say
FIRST_PAUSE, LAST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)


def refresh_time(now: datetime, tokens: Tokens) -> datetime:
    """Five minutes ahead, or a quarter of its life where that is short."""
    if tokens.expires_in is None:
        return now + LONGEST
    life = timedelta(seconds=tokens.expires_in)
    return now + min(life - min(AHEAD, life / 4), LONGEST)


def pause(failures: int) -> timedelta:
    """After so many refreshes in a row that came to nothing."""
    factor: int = 2 ** min(max(failures - 1, 0), 12)
    return min(FIRST_PAUSE * factor, LAST_PAUSE)
