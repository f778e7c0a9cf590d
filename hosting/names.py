"""The grammar of deployments' names, unique for each owner. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from common.errors import BadInput

MAX_LENGTH = 64
_FOLDED = re.compile(r"[a-z0-9](?:[-_.]?[a-z0-9])*")


@dataclass(frozen=True)
class DeploymentName:
    """`display` keeps the case that was typed; `folded` is what must be unique and what URLs are looked up by."""

    display: str
    folded: str


def parse(text: str) -> DeploymentName:
    """Raises BadInput, whose message says what to write instead."""
    display = unicodedata.normalize("NFKC", text.strip())
    folded = display.casefold()
    if not folded:
        raise BadInput("deployment_name_missing", "Give the server a name.", field="name")
    if len(folded) > MAX_LENGTH:
        raise BadInput(
            "deployment_name_too_long", f"A server's name has at most {MAX_LENGTH} characters.", field="name"
        )
    if not display.isascii() or not _FOLDED.fullmatch(folded):
        raise BadInput(
            "deployment_name_invalid",
            "A server's name has letters (a–z), digits and single “-”, “_” or “.” between them.",
            field="name",
        )
    return DeploymentName(display, folded)


def fold(text: str) -> str:
    """The folded form for looking up; never raises."""
    # PostgreSQL can't even compare a NUL.
    return unicodedata.normalize("NFKC", text.strip().replace("\0", "?")).casefold()
