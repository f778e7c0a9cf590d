"""What a token may be for. The layers above know which URLs are servers; they say it through a function that the
setting SLIPWAY_RESOURCE_FINDER names, because imports point down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Resource:
    """`url` is the audience of its tokens, in the one spelling that is compared; `id` outlives a change of name."""

    url: str
    id: UUID
    owner: str  # as shown
    name: str  # as shown
    organization_id: UUID | None = None  # whose it is, where it is one's
    remark: str = ""  # what people should know before they let a program call it

    @property
    def label(self) -> str:
        return f"{self.owner}/{self.name}"


class Finder(Protocol):
    def __call__(self, url: str, user_id: UUID) -> Resource | None:
        """The server with this URL, None where there is none or this user may not call it."""


def resource_find(url: str, user_id: UUID) -> Resource | None:
    """As `Finder`; scheme and host may be written in upper case (RFC 3986, 6.2.2.1), nothing else may differ."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    plain = urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, parts.query, parts.fragment))
    # Whatever urlsplit forgives (an empty query, an empty fragment) is no spelling of ours.
    if plain.lower() != url.lower():
        return None
    finder = cast(Finder, import_string(settings.SLIPWAY_RESOURCE_FINDER))
    return finder(plain, user_id)
