"""The grammar of account names, which users and organizations share. Pure.

A name stands in URLs (/mcp/{owner}/{name}), so its folded form is the identity: NFKC, then case folding, then ASCII
letters, digits and single hyphens inside, 39 characters at most (GitHub's rule, which people know).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.utils.translation import gettext

from common.errors import BadInput

MAX_LENGTH = 39

_FOLDED = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")

# Every first part of a path on this site, now or planned, and names that would speak for the site itself.
RESERVED = frozenset(
    """
    about abuse account accounts admin administrator administrators all anonymous anybody anyone api app apps
    assets audit auth authorize billing blog callback catalog cdn config connect connections consent contact
    credentials d dashboard deployment deployments design developer developers docs download downloads elicit
    elicitation elicitations email error events everyone explore favicon feed feeds healthz help home host hosted
    hosting htmx inbox index inspector install internal invite invites jobs join jwks language languages legal
    livez login logout mail mcp me media members metrics moderator my namespaces new news nobody none null oauth
    official openapi operator org organization organizations orgs owner people playground policy postmaster pricing
    privacy profile providers public publish readyz registry robots root runner runners schema search secrets
    security self server servers session sessions settings share shared sign-in sign-out sign-up signin signout
    signup site sitemap slipway static status store support system task tasks team teams terms test tests token
    tokens tool tools undefined unknown user users v0 v1 vault version versions waiting webhook webhooks well-known
    worker ws www
    """.split()  # noqa: SIM905  a list of a hundred quoted words would be read by nobody
)


@dataclass(frozen=True)
class AccountName:
    """`display` keeps the case that was typed; `folded` is what must be unique."""

    display: str
    folded: str


def parse(text: str) -> AccountName:
    """Raises BadInput, whose message says what to write instead."""
    display = unicodedata.normalize("NFKC", text.strip())
    folded = display.casefold()
    if not folded:
        raise BadInput("name_missing", gettext("Choose a name."), field="name")
    if len(folded) > MAX_LENGTH:
        raise BadInput(
            "name_too_long",
            gettext("A name has at most %(max_length)s characters.") % {"max_length": MAX_LENGTH},
            field="name",
        )
    if not display.isascii() or not _FOLDED.fullmatch(folded):
        raise BadInput(
            "name_invalid",
            gettext("A name has letters (a–z), digits and single hyphens, and begins and ends with a letter or digit."),
            field="name",
        )
    if folded in RESERVED:
        raise BadInput(
            "name_reserved",
            gettext("The name “%(display)s” is reserved. Choose another one.") % {"display": display},
            field="name",
        )
    return AccountName(display, folded)


def fold(text: str) -> str:
    """The folded form for looking up; never raises, so a name that can't exist is simply not found."""
    # PostgreSQL can't even compare a NUL.
    return unicodedata.normalize("NFKC", text.strip().replace("\0", "?")).casefold()
