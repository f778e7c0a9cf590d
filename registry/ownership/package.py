"""A package of a server.json, as far as its ownership is concerned, and how the index it lies at is asked."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

import msgspec

from common.outbound import Answer, Door, HostUnreachable, OutboundError
from registry.ownership.errors import OwnershipUnknown, OwnershipUnproven

MAX_BYTES = 8 * 1024 * 1024
SECONDS = 10.0
T = TypeVar("T")


@dataclass(frozen=True)
class Package:
    """`base` is the index's address, by the operator's settings; "" for kinds that name a whole address."""

    kind: str
    identifier: str
    version: str
    base: str = ""

    def __str__(self) -> str:
        return f"{self.kind} package {self.identifier}" + (f" {self.version}" if self.version else "")

    def check_identifier(self, pattern: re.Pattern[str]) -> None:
        """Before it becomes a part of an address. Raises OwnershipUnproven."""
        if not pattern.fullmatch(self.identifier):
            raise OwnershipUnproven(f"“{self.identifier[:200]}” is no name of a {self.kind} package.")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", self.version):
            raise OwnershipUnproven(f"“{self.version[:200]}” is no version of a {self.kind} package.")

    @property
    def quoted(self) -> tuple[str, str]:
        """Identifier and version as one part of a path each."""
        return quote(self.identifier, safe="@"), quote(self.version, safe="")


@dataclass
class Index:
    """Asks one index through the guarded door, within a time for all requests together."""

    door: Door
    seconds: float = SECONDS
    _ends_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._ends_at = time.monotonic() + self.seconds

    def get(self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Any status but 429 and 5xx is an answer. Raises OwnershipUnknown for those, OwnershipUnproven for an address
        that is never fetched."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise OwnershipUnknown(f"{url} did not answer within {self.seconds:g} seconds. Try again shortly.")
        try:
            answer = self.door.fetch_blocking(url, method=method, headers=headers, max_bytes=MAX_BYTES, seconds=left)
        except HostUnreachable as error:
            raise OwnershipUnknown(f"{url} could not be fetched: {error.message} Try again shortly.") from error
        except OutboundError as error:
            raise OwnershipUnproven(f"{url} is not fetched: {error.message}") from error
        if answer.status == 429:
            after = answer.headers.get("retry-after", "")
            seconds = min(int(after), 3600) if after.isascii() and after.isdigit() else 60
            raise OwnershipUnknown(f"{url} says that it was asked too often (429). Try again shortly.", seconds)
        if answer.status >= 500:
            raise OwnershipUnknown(f"{url} answered with status {answer.status}. Try again shortly.")
        return answer

    def get_json(self, url: str, kind: type[T], missing: str, headers: Mapping[str, str] | None = None) -> T:
        """`missing` is said when there is nothing. Raises OwnershipUnproven, OwnershipUnknown."""
        answer = self.get(url, headers={"Accept": "application/json", **(headers or {})})
        if answer.status != 200:
            raise OwnershipUnproven(f"{missing} ({url} answered with status {answer.status}.)")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OwnershipUnknown(f"{url} did not answer with the JSON expected.") from error


def unmarked(package: Package, server: str, where: str) -> OwnershipUnproven:
    return OwnershipUnproven(
        f"The {package} doesn't say that it belongs to {server}. Write “mcp-name: {server}” into its {where}, and "
        "publish a new version of the package."
    )


def text_of(answer: Answer) -> str:
    return answer.content.decode("utf-8", "replace")
