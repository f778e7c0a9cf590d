"""The query parameters of reads, and their refusals. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from registry.api import cursors
from registry.api.cursors import Cursor
from registry.api.problems import Detail, bad, invalid

LIMIT = 30
MOST = 100
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
# RFC 3339, 5.6, as Go reads it: upper-case T and Z, any number of digits after the point.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class Listing:
    """A page of the list, after all checks. Frozen, as it is a key of the cache."""

    limit: int = LIMIT
    after: tuple[str, int | None, str | None] = ("", 0, None)
    search: str = ""
    version: str = ""
    updated_since: datetime | None = None
    include_deleted: bool = False

    @property
    def filters(self) -> dict[str, str]:
        """What its cursor carries."""
        found = {"search": self.search, "version": self.version}
        if self.updated_since is not None:
            found["updated_since"] = self.updated_since.isoformat().replace("+00:00", "Z")
        elif self.include_deleted:
            found["include_deleted"] = "true"
        return {name: value for name, value in found.items() if value}


def query_of(raw: bytes) -> dict[str, str]:
    """The first value of each parameter; an empty one counts as none."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=1000):
        found.setdefault(name, value)
    return {name: value for name, value in found.items() if value}


def listing(given: dict[str, str]) -> Listing:
    """Raises Problem."""
    cursor = cursors.decode(given["cursor"]) if "cursor" in given else Cursor(id=0)
    query = {**cursor.filters, **{name: value for name, value in given.items() if name != "cursor"}}
    errors: list[Detail] = []
    limit = _limit(query.get("limit"), errors)
    include_deleted = _boolean(query.get("include_deleted"), "include_deleted", errors)
    if errors:
        raise invalid(errors)
    since = time_of(query["updated_since"]) if "updated_since" in query else None
    if since is not None and include_deleted is False:
        raise bad("include_deleted can't be false together with updated_since, which lists what was deleted too")
    return Listing(
        limit,
        (cursor.name, cursor.id, cursor.version),
        query.get("search", ""),
        query.get("version", ""),
        since,
        bool(include_deleted) or since is not None,
    )


def include_deleted(given: dict[str, str]) -> bool:
    """Raises Problem."""
    errors: list[Detail] = []
    found = _boolean(given.get("include_deleted"), "include_deleted", errors)
    if errors:
        raise invalid(errors)
    return bool(found)


def time_of(text: str) -> datetime:
    """Raises Problem."""
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        moment, digits, zone = found.groups()
        whole = datetime.fromisoformat(moment + ("+00:00" if zone == "Z" else zone))
        return whole.replace(microsecond=int((digits or "0")[:6].ljust(6, "0"))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad("Invalid updated_since format: expected RFC3339 timestamp (e.g., 2025-08-07T13:15:04.280Z)") from None


def _limit(text: str | None, errors: list[Detail]) -> int:
    if text is None:
        return LIMIT
    if not _INTEGER.fullmatch(text):
        errors.append(Detail("invalid integer", "query.limit", text[:200]))
        return LIMIT
    number = int(text)
    if number < 1:
        errors.append(Detail("expected number >= 1", "query.limit", number))
    elif number > MOST:
        errors.append(Detail(f"expected number <= {MOST}", "query.limit", number))
    return number


def _boolean(text: str | None, name: str, errors: list[Detail]) -> bool | None:
    if text is None:
        return None
    if text not in _TRUE | _FALSE:
        errors.append(Detail("invalid boolean", f"query.{name}", text[:200]))
    return text in _TRUE
