"""Where entries come from: files of any usual form, or the pages of another registry.

A file may be ndjson, gzipped or not, with an entry, a document or a whole answer in each line; or one JSON value: an
answer of the API, or a list. Lines are read one by one, so that a file's size is no matter.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import msgspec

from common.errors import BadInput
from common.outbound import AnswerInvalid, Door
from registry.importing.records import entries_in

PAGE = 100
MAX_PAGE_BYTES = 64 * 1024 * 1024
PAGE_SECONDS = 60.0


def file_entries(path: Path, on_bad: Callable[[str], None]) -> Iterator[Any]:
    """JSON values that `records.record` takes. Raises BadInput for a file that can't be read at all."""
    try:
        with _opened(path) as file:
            first = file.readline()
            value = _parsed(first)
            if value is _BROKEN or not file.peek(1):
                yield from entries_in(_whole(first + file.read()))
                return
            yield from entries_in(value)
            for number, line in enumerate(file, 2):
                if not line.strip():
                    continue
                value = _parsed(line)
                if value is _BROKEN:
                    on_bad(f"line {number} is no JSON")
                else:
                    yield from entries_in(value)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput("file_unreadable", f"{path} can't be read: {error}") from error


_BROKEN = object()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader[Any]]:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not is_packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="rb") as packed, BufferedReader(cast(RawIOBase, packed)) as unpacked:
            yield unpacked


def _parsed(line: bytes) -> Any:
    """The standard library reads halves of surrogate pairs, which the faster reader refuses; records mend them."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _BROKEN


def _whole(content: bytes) -> Any:
    value = _parsed(content)
    if value is _BROKEN:
        raise BadInput("file_unreadable", "The file is neither JSON nor a JSON value in each line.")
    return value


# --- another registry


@dataclass(frozen=True)
class Page:
    """`next_cursor` is "" at the end. `said_at` is the other side's own time, where it says one."""

    entries: list[Any]
    next_cursor: str
    said_at: datetime | None


def page_fetch(door: Door, base: str, *, cursor: str, since: datetime | None) -> Page:
    """Raises OutboundError."""
    query: dict[str, str | int] = {"limit": PAGE}
    if since is not None:
        query["updated_since"] = since.isoformat().replace("+00:00", "Z")
    else:
        query["include_deleted"] = "true"
    if cursor:
        query["cursor"] = cursor
    url = f"{base}/v0.1/servers?{urlencode(query)}"
    answer = door.fetch_blocking(url, max_bytes=MAX_PAGE_BYTES, seconds=PAGE_SECONDS)
    if answer.status != 200:
        raise AnswerInvalid("registry_failed", f"{base} answered {answer.status} to a request for its servers.")
    value = _parsed(answer.content)
    if not isinstance(value, dict) or not isinstance(value.get("servers") or [], list):
        raise AnswerInvalid("registry_failed", f"{base} did not answer with a list of servers.")
    metadata = value.get("metadata")
    following = metadata.get("nextCursor") if isinstance(metadata, dict) else None
    following = following if isinstance(following, str) else ""
    return Page(value.get("servers") or [], following, _date(answer.headers.get("date", "")))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
