"""The operator's switch: while the file is there, pages and APIs answer 503 and say until when.

A file and no row, since the database may be what is being worked at. Hosted servers go on: /mcp answers as always, and
so do /healthz, /readyz, /metrics and static files. On several hosts each has a switch of its own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy

from common import clock
from common.errors import Unavailable
from config.errors import refusal

OPEN_PATHS = frozenset(("/healthz", "/readyz", "/metrics"))
RETRY_SECONDS = 120  # where nobody said how long it takes, or it takes longer than was said
LOOK_SECONDS = 1.0
WORDS = gettext_lazy("This site is being worked on and will be back soon. Nothing was changed by what you just did.")


@dataclass(frozen=True)
class Maintenance:
    """`until` is a guess that visitors are told; the switch stays on until it is switched off."""

    words: str = ""
    until: datetime | None = None

    @property
    def retry_after(self) -> int:
        """Seconds from now."""
        left = (self.until - clock.now()).total_seconds() if self.until else 0.0
        return max(int(left), 1) if left > 0 else RETRY_SECONDS


def file() -> Path:
    return Path(settings.SLIPWAY_HOME) / "maintenance.json"


def current() -> Maintenance | None:
    """None when the site is open. A file that can't be read as ours counts as switched on: somebody put it there."""
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
        until = datetime.fromisoformat(found["until"]) if found.get("until") else None
        return Maintenance(str(found.get("words", "")), until)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, TypeError):
        return Maintenance()


def switch_on(*, words: str = "", minutes: float | None = None) -> Maintenance:
    """Puts the file there as a whole, in place of an earlier one."""
    until = clock.now() + timedelta(minutes=minutes) if minutes is not None else None
    written = file().with_suffix(".new")
    written.write_text(json.dumps({"words": words, "until": until.isoformat() if until else ""}), encoding="utf-8")
    os.replace(written, file())
    return Maintenance(words, until)


def switch_off() -> bool:
    """Whether it was on."""
    try:
        file().unlink()
    except FileNotFoundError:
        return False
    return True


class _Switch:
    """The file's presence, looked at once a second: calls and pages ask far more often."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._is_on = False

    def is_on(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at, self._is_on = now, file().exists()
        return self._is_on


is_on = _Switch().is_on


class MaintenanceMiddleware:
    """Stands before sessions, so that it needs neither database nor cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in OPEN_PATHS or not is_on() or (found := current()) is None:
            return self.get_response(request)
        error = Unavailable("maintenance", found.words or str(WORDS), retry_after=found.retry_after)
        response = refusal(request, error, template="maintenance.html")
        response["Cache-Control"] = "no-store"
        return response
