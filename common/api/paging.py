"""Lists in pages: a cursor is where the last page ended, so rows that come and go meanwhile shift nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rest_framework import serializers

from common.errors import BadInput

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page(Generic[T]):
    """`next` is the cursor of the next page, "" when there is none."""

    items: list[T]
    next: str


def page_of(rows: Iterable[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """`rows` were asked for with one more than `limit`, which tells whether there is a next page."""
    found = list(rows)
    items = found[:limit]
    return Page(items, cursor_of(items[-1]) if len(found) > limit else "")


def cursor_unknown() -> BadInput:
    return BadInput("cursor_unknown", "This is no cursor of this list. Begin without one.", field="cursor")


class PageQuery(serializers.Serializer[Any]):
    cursor = serializers.CharField(
        required=False, max_length=600, default="", help_text="`next` of the page before; none for the first."
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT, help_text="Items of a page."
    )


def paged(item: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The serializer of a Page of what `item` writes."""
    fields = {
        "items": item(many=True),
        "next": serializers.SerializerMethodField(help_text="The cursor of the next page; null on the last one."),
        "get_next": _get_next,
    }
    return type(f"{item.__name__.removesuffix('Serializer')}Page", (serializers.Serializer,), fields)


def _get_next(self: Any, page: Any) -> str | None:
    return page.next or None
