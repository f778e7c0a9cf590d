"""The grammar of deployments' names, unique for each owner. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext

from common.errors import BadInput

MAX_LENGTH = 64
# What packages and hosts have in their names for being what they are; "mcp-server-time" is hosted as "time".
_BEFORE = ("mcp-server-", "server-", "mcp-")
_BEHIND = ("-mcp-server", "-server", "-mcp")
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
        raise BadInput("deployment_name_missing", gettext("Give the server a name."), field="name")
    if len(folded) > MAX_LENGTH:
        raise BadInput(
            "deployment_name_too_long",
            gettext("A server's name has at most %(max_length)s characters.") % {"max_length": MAX_LENGTH},
            field="name",
        )
    if not display.isascii() or not _FOLDED.fullmatch(folded):
        raise BadInput(
            "deployment_name_invalid",
            gettext("A server's name has letters (a–z), digits and single “-”, “_” or “.” between them."),
            field="name",
        )
    return DeploymentName(display, folded)


def fold(text: str) -> str:
    """The folded form for looking up; never raises."""
    # PostgreSQL can't even compare a NUL.
    return unicodedata.normalize("NFKC", text.strip().replace("\0", "?")).casefold()


def suggested(made_from: str) -> str:
    """A name for what a reference, a registry's name or a file name calls it; "" when nothing is left to be one."""
    kind, _, rest = made_from.strip().partition(":")
    if kind == "remote":
        try:
            host = urlsplit(rest).hostname or ""
        except ValueError:  # brackets that are no IPv6 address
            host = ""
        text = next((label for label in host.split(".") if label not in ("mcp", "www", "api")), "")
    else:
        last = (rest or kind).rpartition("/")[2]
        text = re.sub(r"\.(py|zip)$", "", re.split(r"==|@|\[", last)[0])
    text = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    short = next((text.removeprefix(word) for word in _BEFORE if text.startswith(word)), text)
    short = next((short.removesuffix(word) for word in _BEHIND if short.endswith(word)), short)
    return (short or text)[:MAX_LENGTH].strip("-")
