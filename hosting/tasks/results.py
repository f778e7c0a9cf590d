"""What came of a task, taken apart for a page. Pure: it is a hosted server's text, shown and never obeyed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

MAX_TEXT = 100_000  # characters of one block on a page; the rest is in the file
MAX_BLOCKS = 100
MAX_ROWS = 200
MAX_COLUMNS = 12
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"})
AUDIO = frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/webm", "audio/aac", "audio/mp4", "audio/flac"})

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Block:
    """One piece of content. `kind`: text, image, audio, link, file (something to download) or other.

    `number` is its place in the result. `text` is what to read, `name` what it is called, `url` a web address.
    """

    kind: str
    number: int
    text: str = ""
    name: str = ""
    type: str = ""
    url: str = ""
    octets: int = 0
    is_cut: bool = False


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[list[str]]
    more: int = 0  # rows that are not shown


@dataclass(frozen=True)
class Shown:
    """`value` is structuredContent, or what else was there. `error` is the message of a JSON-RPC error."""

    blocks: list[Block] = field(default_factory=list)
    value: Any = None
    table: Table | None = None
    facts: list[tuple[str, str]] = field(default_factory=list)  # the plain members of `value`, with members
    members: list[tuple[str, Table | None, Any]] = field(default_factory=list)  # the others: name, as a table, value
    error: str = ""
    detail: Any = None


def shown_of(body: bytes, *, is_error: bool) -> Shown:
    """`body` is raw JSON: a CallToolResult, or a JSON-RPC error object."""
    members = _members(body)
    if members is None:
        return Shown()
    if is_error:
        return Shown(error=str(members.get("message", "")), detail=members.get("data"))
    content = members.get("content")
    blocks = [block_of(n, each) for n, each in enumerate(content[:MAX_BLOCKS])] if isinstance(content, list) else []
    value = members.get("structuredContent")
    if value is not None and len(blocks) == 1 and blocks[0].kind == "text" and _says(blocks[0].text, value):
        blocks = []  # the same once more, as text for clients that know no structured content
    if not isinstance(content, list) and value is None:
        value = {name: each for name, each in members.items() if name not in ("_meta", "resultType")} or None
    table = table_of(value)
    facts, rest = members_of(value) if table is None else ([], [])
    return Shown(blocks, value, table, facts, rest)


def block_of(number: int, block: object) -> Block:
    each = block if isinstance(block, dict) else {}
    kind, mime = each.get("type"), _type(each.get("mimeType"))
    if kind == "text":
        return _text(number, each.get("text"))
    if kind == "image" and mime in IMAGES:
        return Block("image", number, type=mime, octets=_size(each.get("data")))
    if kind == "audio" and mime in AUDIO:
        return Block("audio", number, type=mime, octets=_size(each.get("data")))
    if kind == "resource_link":
        uri = str(each.get("uri", ""))
        name = str(each.get("title") or each.get("name") or uri)
        return Block("link", number, text=uri, name=name, type=mime, url=_web(uri))
    if kind == "resource" and isinstance(each.get("resource"), dict):
        return _resource(number, each["resource"])
    if kind in ("image", "audio"):
        return Block("file", number, name=str(kind), type=mime, octets=_size(each.get("data")))
    return Block("other", number, text=msgspec.json.format(msgspec.json.encode(block), indent=2).decode()[:MAX_TEXT])


def content_of(body: bytes, number: int) -> tuple[bytes, str] | None:
    """(bytes, media type) of one block of a result; None where there is none. A type that isn't known is bytes."""
    members = _members(body) or {}
    content = members.get("content")
    if not isinstance(content, list) or not 0 <= number < len(content) or not isinstance(content[number], dict):
        return None
    block: Mapping[str, Any] = content[number]
    if block.get("type") == "resource" and isinstance(block.get("resource"), dict):
        block = block["resource"]
        data, text = block.get("blob"), block.get("text")
        if isinstance(text, str):
            return text.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    else:
        data = block.get("data")
    if not isinstance(data, str):
        return None
    mime = _type(block.get("mimeType"))
    try:
        return base64.b64decode(data, validate=False), mime if mime in IMAGES | AUDIO else "application/octet-stream"
    except (binascii.Error, ValueError):
        return None


def table_of(value: object) -> Table | None:
    """A list of flat objects as a table; also one that is the only member of an object (SDKs wrap lists so)."""
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) and row for row in value):
        return None
    columns = list(dict.fromkeys(str(name) for row in value[:MAX_ROWS] for name in row))
    cells = [cell for row in value[:MAX_ROWS] for cell in row.values()]
    if len(columns) > MAX_COLUMNS or any(isinstance(cell, dict | list) for cell in cells):
        return None
    rows = [[_cell(row.get(name, "")) for name in columns] for row in value[:MAX_ROWS]]
    return Table(columns, rows, max(0, len(value) - MAX_ROWS))


def members_of(value: object) -> tuple[list[tuple[str, str]], list[tuple[str, Table | None, Any]]]:
    """An object with a table in it, taken apart: plain members, then the others. Nothing for any other value."""
    if not isinstance(value, dict) or len(value) > MAX_COLUMNS:
        return [], []
    others = [(name, table_of(each), each) for name, each in value.items() if isinstance(each, dict | list)]
    if not any(table for _, table, _ in others):
        return [], []
    return [(name, _cell(each)) for name, each in value.items() if not isinstance(each, dict | list)], others


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value[:1000]
    return msgspec.json.encode(value).decode()


def _resource(number: int, resource: Mapping[str, Any]) -> Block:
    uri, mime, text = str(resource.get("uri", "")), _type(resource.get("mimeType")), resource.get("text")
    if isinstance(text, str):
        block = _text(number, text)
        return Block("text", number, text=block.text, name=uri, type=mime, octets=block.octets, is_cut=block.is_cut)
    kind = "image" if mime in IMAGES else "file"
    return Block(kind, number, name=uri, type=mime, octets=_size(resource.get("blob")))


def _text(number: int, value: object) -> Block:
    text = value if isinstance(value, str) else ""
    return Block("text", number, text=text[:MAX_TEXT], octets=len(text), is_cut=len(text) > MAX_TEXT)


def _says(text: str, value: object) -> bool:
    try:
        return bool(_decode(text) == value)
    except msgspec.DecodeError:
        return False


def _size(data: object) -> int:
    return len(data) * 3 // 4 if isinstance(data, str) else 0


def _type(value: object) -> str:
    return str(value or "").partition(";")[0].strip().lower()[:100]


def _web(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return uri if parts.scheme in ("http", "https") and parts.hostname else ""


def _members(body: bytes) -> dict[str, Any] | None:
    try:
        value = _decode(body) if body else None
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None
