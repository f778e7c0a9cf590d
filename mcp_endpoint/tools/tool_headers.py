"""What is known of the tools whose arguments are mirrored in headers, by deployment version.

Learnt from the tools/list results that pass through, and once from what the site stored of a version. Most servers have
no such tool: then a call costs one look into a dictionary, and no result is parsed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from common.errors import AppError
from mcp_endpoint.directory import Directory
from mcp_endpoint.modern.param_headers import KEYWORD, Param, mismatch, params_of
from mcp_endpoint.wire import jsonrpc as j

log = structlog.get_logger(__name__)

_MARK: Final = KEYWORD.encode()
_VERSIONS: Final = 2_000
_UNREAD: Final = 16
_AGAIN_SECONDS: Final = 10.0


class _Tool(msgspec.Struct):
    name: str = ""
    schema: msgspec.Raw = msgspec.field(name="inputSchema", default=msgspec.Raw(b"{}"))


class _Listed(msgspec.Struct):
    tools: list[_Tool] = []


class _Called(msgspec.Struct):
    name: str = ""
    arguments: Any = None


_decode_listed = msgspec.json.Decoder(_Listed).decode
_decode_tools = msgspec.json.Decoder(list[_Tool]).decode
_decode_called = msgspec.json.Decoder(_Called).decode


class _Version:
    """`tools` has only those that mirror something; `unread` are results that nobody needed to look into yet.

    `asked_at` is when the site was last asked, and infinite once it knew; only the first time is waited for.
    """

    __slots__ = ("asked_at", "is_new", "is_plain", "loading", "tools", "unread")

    def __init__(self) -> None:
        self.is_new = True
        self.asked_at = float("-inf")
        self.is_plain = False
        self.loading: asyncio.Future[None] | None = None
        self.tools: dict[str, tuple[Param, ...]] = {}
        self.unread: list[bytes] = []


class ToolHeaders:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._versions: dict[str, _Version] = {}

    def has_none(self, version_id: str) -> bool:
        """Whether no tool of that version mirrors anything, as far as is known without waiting."""
        version = self._versions.get(version_id)
        return version is not None and version.is_plain

    def learn(self, version_id: str, result: bytes) -> None:
        """A tools/list result went by."""
        version = self._versions.get(version_id)
        is_marked = _MARK in result
        if not is_marked and (version is None or not (version.tools or version.unread)):
            return
        if version is None:
            version = self._version(version_id)
        version.is_plain = False
        version.unread.append(result)
        if len(version.unread) > _UNREAD:
            self._read(version)

    async def problem(self, version_id: str, fields: Mapping[bytes, bytes], params: bytes) -> str:
        """What is wrong with the headers of a tools/call, "" for nothing."""
        version = self._versions.get(version_id) or self._version(version_id)
        if version.loading is None and time.monotonic() - version.asked_at > _AGAIN_SECONDS:
            version.asked_at = time.monotonic()
            version.loading = asyncio.ensure_future(self._load(version_id, version))
        if version.loading is not None and version.is_new:
            await asyncio.shield(version.loading)
        if version.unread:
            self._read(version)
        if not version.tools:
            return ""
        try:
            called = _decode_called(params or b"{}")
        except (msgspec.DecodeError, RecursionError):
            return ""
        mirrored = version.tools.get(called.name)
        return mismatch(mirrored, fields, called.arguments) if mirrored else ""

    def _version(self, version_id: str) -> _Version:
        if len(self._versions) >= _VERSIONS:
            self._versions.pop(next(iter(self._versions)))
        version = self._versions[version_id] = _Version()
        return version

    async def _load(self, version_id: str, version: _Version) -> None:
        """What the site stored comes first, so that what went by since then counts."""
        try:
            stored = await self._directory.tools(version_id)
            if stored is not None:
                version.asked_at = float("inf")
                self._take(version, _decode_tools(stored))
                version.is_plain = not version.tools and not version.unread
        except (AppError, TimeoutError) as error:
            log.warning("the tools of a version could not be read", version=version_id, reason=str(error))
        except Exception:
            log.exception("the tools of a version could not be read", version=version_id)
        finally:
            version.loading, version.is_new = None, False

    def _read(self, version: _Version) -> None:
        unread, version.unread = version.unread, []
        for result in unread:
            try:
                self._take(version, _decode_listed(result).tools)
            except (msgspec.DecodeError, RecursionError):
                continue
        version.is_plain = not version.tools and version.asked_at == float("inf")

    @staticmethod
    def _take(version: _Version, tools: list[_Tool]) -> None:
        for tool in tools:
            mirrored = params_of(j.decode_any(tool.schema)) if _MARK in bytes(tool.schema) else ()
            if mirrored:
                version.tools[tool.name] = mirrored
            else:
                version.tools.pop(tool.name, None)
