"""The messages of the authorization code grant, from the client's side (OAuth 2.1; RFC 6749, 7009, 7636, 8707, 9207).
Pure: what is sent, and what an answer is worth."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from common.errors import BadInput
from oauth.outbound.discovery import is_scope
from oauth.outbound.styles import PLAIN, Style, scope_of

MAX_TOKEN: Final = 16 * 1024
LONGEST_SECONDS: Final = 365 * 86_400
_OURS: Final = frozenset(  # parameters that no endpoint's own query may set
    ("client_id", "code_challenge", "code_challenge_method", "redirect_uri", "resource", "scope", "state")
) | {"response_type", "user_scope"}


class AnswerRefused(BadInput):
    """What came back from signing in can't be believed, or says no. Nothing was sent anywhere."""


class TokenRefused(Exception):
    """The token endpoint said no. `error` is the code of RFC 6749, 5.2, or "" where it said nothing of the kind."""

    def __init__(self, error: str, words: str = "") -> None:
        super().__init__(error or words)
        self.error = error
        self.words = words


@dataclass(frozen=True)
class Tokens:
    """`expires_in` in seconds, None where it wasn't said; `scopes` None: those that were asked for."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_in: int | None = None
    scopes: tuple[str, ...] | None = None


# --- asking


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


def code_challenge(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    state: str,
    verifier: str,
    resource: str,
    style: Style = PLAIN,
) -> str:
    """Where the person's browser goes. What the endpoint has in its query stays, unless it is ours to say.

    `resource` "" is not named: providers of other things than MCP servers know none.
    """
    parts = urlsplit(endpoint)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _OURS]
    said = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        *scope_of(style, scopes),
        ("state", state),
        *(_challenge(verifier) if style.has_pkce else []),
        *([("resource", resource)] if resource else []),
        *style.asks,
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *said], quote_via=quote)))


def _challenge(verifier: str) -> list[tuple[str, str]]:
    return [("code_challenge", code_challenge(verifier)), ("code_challenge_method", "S256")]


# --- the answer in the browser


def code_of(said: Mapping[str, Sequence[str]], *, issuer: str, names_itself: bool) -> str:
    """The code of an answer to a request that went to `issuer`. Raises AnswerRefused.

    Who answers is looked at first (RFC 9207, 2.4): of what another one says, an error included, nothing is repeated.
    """
    if any(len(said.get(name, ())) > 1 for name in ("code", "state", "iss", "error")):
        raise _refused("it says the same thing twice")
    named = next(iter(said.get("iss", ())), None)
    if named is not None and named != issuer:
        raise _refused("another site answered than the one that was asked")
    if named is None and names_itself:
        raise _refused("it does not say who answers, though that site always does")
    if error := next(iter(said.get("error", ())), ""):
        if error == "access_denied":
            raise AnswerRefused("sign_in_declined", "Signing in was declined there. Nothing was connected.")
        words = printable(next(iter(said.get("error_description", ())), "")) or printable(error)
        raise AnswerRefused("sign_in_refused", f"The other site refused: {words}")
    code = next(iter(said.get("code", ())), "")
    if not code:
        raise _refused("it has no code")
    return code


def _refused(words: str) -> AnswerRefused:
    return AnswerRefused("answer_refused", f"The answer can't be used: {words}. Nothing was sent. Start again.")


# --- at the token endpoint


def code_form(code: str, *, redirect_uri: str, verifier: str, resource: str, style: Style = PLAIN) -> dict[str, str]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if style.has_pkce:
        form["code_verifier"] = verifier
    return {**form, "resource": resource} if resource else form


def refresh_form(token: str, *, resource: str) -> dict[str, str]:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return {**form, "resource": resource} if resource else form


def basic(client_id: str, secret: str) -> str:
    """The Authorization field (RFC 6749, 2.3.1: both are form-encoded first)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def tokens_of(status: int, said: Mapping[str, Any] | None) -> Tokens:
    """Raises TokenRefused. `said` is None where the body was no JSON object."""
    if status != 200 or said is None:
        error, words = (said or {}).get("error"), (said or {}).get("error_description")
        raise TokenRefused(
            printable(error) if isinstance(error, str) and status in (400, 401) else "",
            printable(words) if isinstance(words, str) else f"it answered with {status}",
        )
    access, kind = said.get("access_token"), said.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused("", "it gave a token of a kind that is not supported")
    if not isinstance(access, str) or not _is_token(access):
        raise TokenRefused("", "it gave no token that can be sent")
    refresh, scope = said.get("refresh_token"), said.get("scope")
    return Tokens(
        access=access,
        refresh=refresh if isinstance(refresh, str) and _is_token(refresh) else "",
        expires_in=_seconds(said.get("expires_in")),
        scopes=tuple(s for s in scope.split() if is_scope(s)) if isinstance(scope, str) else None,
    )


def _seconds(said: Any) -> int | None:
    """Some servers say it as text."""
    if isinstance(said, str) and said.isdecimal() and said.isascii() and len(said) < 12:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said >= 0:
        return None
    return int(min(said, LONGEST_SECONDS))


def _is_token(text: str) -> bool:
    """What can stand in a header: visible ASCII."""
    return 0 < len(text) <= MAX_TOKEN and all("!" <= character <= "~" for character in text)


def printable(text: str) -> str:
    """Words of others: one line, no marks that turn the direction of what follows."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:600]).split())[:200]
