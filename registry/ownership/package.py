"""A package of a server.json, as far as its ownership is concerned, and how the index it lies at is asked."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

import msgspec
from django.utils.translation import gettext

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
        named = f"{self.identifier} {self.version}" if self.version else self.identifier
        return gettext("%(kind)s package %(name)s") % {"kind": self.kind, "name": named}

    @property
    def missing(self) -> str:
        return gettext("There is no %(package)s.") % {"package": self}

    def check_identifier(self, pattern: re.Pattern[str]) -> None:
        """Before it becomes a part of an address. Raises OwnershipUnproven."""
        if not pattern.fullmatch(self.identifier):
            raise OwnershipUnproven(
                gettext("“%(identifier)s” is no name of a %(kind)s package.")
                % {"identifier": self.identifier[:200], "kind": self.kind}
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", self.version):
            raise OwnershipUnproven(
                gettext("“%(version)s” is no version of a %(kind)s package.")
                % {"version": self.version[:200], "kind": self.kind}
            )

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
            raise OwnershipUnknown(
                gettext("%(url)s did not answer within %(seconds)s seconds. Try again shortly.")
                % {"url": url, "seconds": f"{self.seconds:g}"}
            )
        try:
            answer = self.door.fetch_blocking(url, method=method, headers=headers, max_bytes=MAX_BYTES, seconds=left)
        except HostUnreachable as error:
            raise OwnershipUnknown(
                gettext("%(url)s could not be fetched: %(message)s Try again shortly.")
                % {"url": url, "message": error.message}
            ) from error
        except OutboundError as error:
            raise OwnershipUnproven(
                gettext("%(url)s is not fetched: %(message)s") % {"url": url, "message": error.message}
            ) from error
        if answer.status == 429:
            after = answer.headers.get("retry-after", "")
            seconds = min(int(after), 3600) if after.isascii() and after.isdigit() else 60
            raise OwnershipUnknown(
                gettext("%(url)s says that it was asked too often (429). Try again shortly.") % {"url": url}, seconds
            )
        if answer.status >= 500:
            raise OwnershipUnknown(
                gettext("%(url)s answered with status %(status)s. Try again shortly.")
                % {"url": url, "status": answer.status}
            )
        return answer

    def get_json(self, url: str, kind: type[T], missing: str, headers: Mapping[str, str] | None = None) -> T:
        """`missing` is said when there is nothing. Raises OwnershipUnproven, OwnershipUnknown."""
        answer = self.get(url, headers={"Accept": "application/json", **(headers or {})})
        if answer.status != 200:
            raise OwnershipUnproven(
                gettext("%(missing)s (%(url)s answered with status %(status)s.)")
                % {"missing": missing, "url": url, "status": answer.status}
            )
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OwnershipUnknown(gettext("%(url)s did not answer with the JSON expected.") % {"url": url}) from error


def unmarked(package: Package, server: str, where: str) -> OwnershipUnproven:
    return OwnershipUnproven(
        gettext(
            "The %(package)s doesn't say that it belongs to %(server)s. Write “mcp-name: %(server)s” into "
            "its %(where)s, and publish a new version of the package."
        )
        % {"package": package, "server": server, "where": where}
    )


def text_of(answer: Answer) -> str:
    return answer.content.decode("utf-8", "replace")
