"""Where an answer may be sent: which redirect URIs a client may register, and which one a request may name. Pure
but for the language of who reads.

RFC 9700, 2.1: compared as strings. The one exception is the port of an http address of this machine, which native apps
get from their system as they start (RFC 8252, 7.3); `localhost` counts as one, since that is what they register.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_noop

from oauth.refusals import Refusal

MAX_URIS: Final = 20
MAX_LENGTH: Final = 500
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

# Addresses with a scheme of a program's own, which any program may claim. Known ones only, as they register them.
NATIVE: Final = frozenset({"cursor://anysphere.cursor-mcp/oauth/callback"})


def check(uris: Sequence[str], code: str = "redirect_uri_refused") -> None:
    """Raises a Refusal of this code, which names the first URI that can't be registered."""
    if len(uris) > MAX_URIS:
        raise _refused(code, gettext_noop("There are more than %(most)d."), most=MAX_URIS)
    for uri in uris:
        if sentence := _wrong(uri):
            raise _refused(code, sentence, uri=repr(uri[:100]))


def is_registered(uri: str, registered: Sequence[str]) -> bool:
    """Whether a request may name this one."""
    if uri in registered:
        return not _wrong(uri)
    wanted = _without_port(uri)
    return wanted is not None and not _wrong(uri) and any(wanted == _without_port(other) for other in registered)


def is_loopback(uri: str) -> bool:
    """Whether it leads to the machine of whoever uses the client: any program there may answer at it."""
    parts = _split(uri)
    return parts is not None and parts.hostname in _LOOPBACK


def is_private(uri: str) -> bool:
    """Whether it has a program's own scheme, which another program on that machine may claim too."""
    return urlsplit(uri).scheme not in ("http", "https")


def host_of(uri: str) -> str:
    """What a person is shown of it: the host, or the scheme of a program."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://…" if is_private(uri) else (parts.hostname or "")


def _wrong(uri: str) -> str:
    """Why it can't be used, as a message for `Refusal`; nothing when it can."""
    parts = _split(uri)
    if parts is None or len(uri) > MAX_LENGTH or not uri.isascii() or not uri.isprintable() or set(uri) & set(' \\"<>'):
        return gettext_noop("%(uri)s is not a URI.")
    if "#" in uri:
        return gettext_noop("%(uri)s has a fragment.")
    if uri in NATIVE:
        return ""
    if parts.scheme not in ("http", "https"):
        return gettext_noop(
            "%(uri)s begins with neither https:// nor http://localhost, and is none of a program that this site knows."
        )
    if not parts.hostname or "*" in parts.netloc:
        return gettext_noop("%(uri)s names no host.")
    if parts.username is not None or parts.password is not None:
        return gettext_noop("%(uri)s holds a user name.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return gettext_noop("%(uri)s must begin with https://.")
    return ""


def _without_port(uri: str) -> str | None:
    """For an http address of this machine, the same without its port; None for every other."""
    parts = _split(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        return None
    head = f"http://{parts.netloc}"
    if not uri.startswith(head) or "@" in parts.netloc or parts.netloc != parts.netloc.lower():
        return None  # not written as it would be registered
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"http://{host}{uri[len(head) :]}"


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.scheme else None


def _refused(code: str, sentence: str, **values: object) -> Refusal:
    why = Refusal(code, sentence, field="redirect_uris", **values)
    words = gettext_noop("The redirect URIs can't be registered. %(why)s")
    return Refusal(code, words, field="redirect_uris", why=why)
