"""What every page may know of hosting."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest

from accounts.models import User
from hosting.waiting.selectors import waiting_count


def waiting(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """How much waits for the visitor; counted only where a page shows it."""

    def count() -> int:
        user = getattr(request, "user", None)
        return waiting_count(user.pk) if isinstance(user, User) else 0

    return {"waiting_for_you": count}
