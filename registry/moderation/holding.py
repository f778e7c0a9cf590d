"""Names that are new here and look like another one wait for an operator, so that nobody trusts the wrong server.

Two namespaces are two owners, and the same name in both is fine. What waits: a namespace that is written like another
one, a whole name that looks like another one, and a name one slip of the fingers away from an established one.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from registry.models import HeldName, SearchEntry, Server
from registry.moderation.confusables import core, distance, skeleton

SHORTEST = 6  # of names that are compared by their letters; shorter ones are alike by chance
ESTABLISHED_VERSIONS = 3
_CANDIDATES = 40


@dataclass(frozen=True)
class Likeness:
    name: str
    words: str


def hold_reason(name: str) -> str:
    """Why it may not be published yet, with the address of the page that says how it stands; "" to go on."""
    if Server.objects.filter(name=name, versions__isnull=False).exists():
        return ""
    decided = HeldName.objects.filter(name=name).first()
    if decided is not None and decided.state == HeldName.State.ALLOWED:
        return ""
    if decided is None:
        found = likeness(name)
        if found is None:
            return ""
        with transaction.atomic():
            decided, _ = HeldName.objects.get_or_create(
                name=name, defaults={"resembles": found.name, "reason": found.words}
            )
    page = settings.SLIPWAY_URL + reverse("registry:review", args=[name])
    if decided.state == HeldName.State.REFUSED:
        return f"The operator of this site refused the name {name}: {decided.note or decided.reason} See {page}"
    return f"{decided.reason} So an operator of this site looks at it first. How it stands: {page}"


def likeness(name: str) -> Likeness | None:
    """What it may be mistaken for."""
    namespace, _, part = name.partition("/")
    mine = skeleton(name)
    for other in SearchEntry.objects.filter(skeleton=mine).exclude(status="deleted").values_list("name", flat=True):
        if other.partition("/")[0].casefold() != namespace.casefold():
            return Likeness(other, f"{name} looks like {other}.")
    beginning = mine.partition("/")[0] + "/"
    namespaces = SearchEntry.objects.filter(skeleton__gte=beginning, skeleton__lt=beginning[:-1] + "0")
    for other in namespaces.exclude(status="deleted").values_list("name", flat=True)[:_CANDIDATES]:
        if other.partition("/")[0].casefold() != namespace.casefold():
            return Likeness(other, f"The namespace {namespace} looks like the one of {other}.")
    return _one_slip_away(name, namespace, part) or _slips_in_both(name, namespace, part)


def _bare(part: str) -> str:
    """What is compared by its letters: separators are no difference, and hide none."""
    return "".join(letter for letter in core(part) if letter.isalnum())


def _one_slip_away(name: str, namespace: str, part: str) -> Likeness | None:
    mine = _bare(part)
    if len(mine) < SHORTEST:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM registry_searchentry WHERE status <> 'deleted' AND versions >= %s"
            " AND length(compact) BETWEEN %s AND %s AND similarity(compact, %s) > 0.3"
            " ORDER BY similarity(compact, %s) DESC LIMIT %s",
            (ESTABLISHED_VERSIONS, len(mine) - 3, len(mine) + 3, mine, mine, _CANDIDATES),
        )
        found = [row[0] for row in cursor.fetchall()]
    for other in found:
        there, _, its_part = other.partition("/")
        its = _bare(its_part)
        if its != mine and distance(mine, its, 1) == 1 and there.casefold() != namespace.casefold():
            return Likeness(other, f"{name} differs from {other} by one letter.")
    return None


def _slips_in_both(name: str, namespace: str, part: str) -> Likeness | None:
    """githuh/github-server for github/github-server: owners that differ by one letter and call it nearly the same. Each
    alone is chance; together they are none."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The operator has an index; for the function each of 30,000 names would be taken apart, ten times as long.
        cursor.execute("SELECT set_config('pg_trgm.similarity_threshold', '0.5', true)")
        cursor.execute(
            "SELECT name FROM registry_searchentry WHERE status <> 'deleted' AND length(name) BETWEEN %s AND %s"
            " AND folded %% %s ORDER BY similarity(folded, %s) DESC LIMIT %s",
            (len(name) - 2, len(name) + 2, name.lower(), name.lower(), _CANDIDATES),
        )
        found = [row[0] for row in cursor.fetchall()]
    for other in found:
        there, _, its_part = other.lower().partition("/")
        owners = distance(namespace.lower(), there, 1)
        if owners == 1 and len(part) >= SHORTEST and distance(part.lower(), its_part, 1) <= 1:
            return Likeness(other, f"{name} differs from {other} by a letter.")
    return None
