"""Which version of a server is the latest. Pure.

Semantic versions (semver.org 2.0.0, 11) stand above all others, and among themselves by precedence; others go by the
time they were published. Dates such as 2025.06.18 are no semantic versions, because their parts have leading zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

_NUMBER = r"(?:0|[1-9][0-9]*)"
_SEMVER = re.compile(
    rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)

# A release comes after its prereleases. Of their parts numbers come before words, and fewer before more.
Part = tuple[int, int, str]
Semver = tuple[int, int, int, bool, tuple[Part, ...]]


@dataclass(frozen=True)
class Candidate:
    """`id` is the publish sequence."""

    id: int
    version: str
    published_at: datetime
    is_deleted: bool = False


def semver(version: str) -> Semver | None:
    """What orders by precedence; build metadata has no part in it. None for what is no semantic version."""
    found = _SEMVER.fullmatch(version)
    if found is None or len(version) > 255:
        return None
    major, minor, patch, prerelease = found.groups()
    parts = tuple(_part(part) for part in prerelease.split(".")) if prerelease else ()
    return int(major), int(minor), int(patch), prerelease is None, parts


def _part(text: str) -> Part:
    return (0, int(text), "") if text.isdecimal() else (1, 0, text)


Key = tuple[bool, Semver, datetime, int]
_NONE: Semver = (0, 0, 0, False, ())


def key(one: Candidate) -> Key:
    """The greatest is the latest. Of equal semantic versions the first that was published stays."""
    order = semver(one.version)
    if order is not None:
        return True, order, datetime.min, -one.id
    return False, _NONE, one.published_at, one.id


C = TypeVar("C", bound=Candidate)


def latest(candidates: Iterable[C]) -> C | None:
    """Of those that are not deleted; of all when all are. None when there is none."""
    known = list(candidates)
    return max([one for one in known if not one.is_deleted] or known, key=key, default=None)
