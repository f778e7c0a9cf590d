"""One answer of the site as somebody got it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import Morsel


@dataclass(frozen=True)
class Visit:
    who: str  # "" is nobody
    name: str
    path: str
    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, Morsel[str]]
    queries: tuple[str, ...]
    body: bytes

    @property
    def is_shown(self) -> bool:
        """Whether a person gets to see it: a page, or one that says why there is none."""
        return bool(self.body) and self.headers.get("Content-Type", "").startswith("text/html")

    @property
    def is_page(self) -> bool:
        return self.status == 200 and self.is_shown
