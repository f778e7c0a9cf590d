"""What secrets are given to, compared with what asks for them: which count, which wait for their holder to confirm.

The vault knows no more of it than that it is plain JSON, and the same or another; the layer above finds the words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vault.selectors import Stored, stored
from vault.services import Given, Holder, is_given


@dataclass(frozen=True)
class Suspended:
    """One that was given to something else than what asks for it now. It stays closed until its holder confirms."""

    name: str
    holder: Holder
    version: int
    set_at: datetime
    before: Any  # what it was given to; None: nobody said
    now: Any


@dataclass(frozen=True)
class Standing:
    """What the first holders have. `mark` is another one whenever a value that counts is; "" for none."""

    names: frozenset[str]
    mark: str
    suspended: tuple[Suspended, ...]


def standing(holders: Iterable[Holder], names: Collection[str], given_to: Given | None = None) -> Standing:
    """Of these names, as `secrets_use` decides: the same `given_to` says what each is to be given to now."""
    return judged(((each, one) for each in holders for one in stored(each) if one.name in names), given_to)


def judged(rows: Iterable[tuple[Holder, Stored]], given_to: Given | None) -> Standing:
    """The same of rows that were read, those of the first holder first."""
    seen: set[str] = set()
    good: list[Stored] = []
    suspended: list[Suspended] = []
    for holder, one in rows:
        if one.name in seen or one.is_expired:
            continue
        seen.add(one.name)
        if is_given(one, given_to):
            good.append(one)
        else:
            now = (given_to or {}).get(one.name)
            suspended.append(Suspended(one.name, holder, one.version, one.set_at, one.given_to, now))
    marks = "|".join(f"{one.id}.{one.version}" for one in good)
    mark = hashlib.sha256(marks.encode()).hexdigest()[:32] if good else ""
    return Standing(frozenset(one.name for one in good), mark, tuple(suspended))
