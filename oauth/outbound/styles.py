"""How some providers speak OAuth 2 differently: what is asked, how tokens are asked for, what an answer means. Pure.

Sources: docs.github.com "Authorizing OAuth apps"; developers.google.com "Using OAuth 2.0 for Web Server Applications";
docs.slack.dev "Installing with OAuth" and oauth.v2.access; developers.notion.com "Authorization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from oauth.outbound.discovery import Server

GITHUB, GOOGLE, SLACK, NOTION = "github", "google", "slack", "notion"


@dataclass(frozen=True)
class Style:
    """The standard is what all fields have by default."""

    asks: tuple[tuple[str, str], ...] = ()  # further parameters of the authorization request
    scope_name: str = "scope"
    separator: str = " "  # between scopes
    has_pkce: bool = True  # False: it refuses what it does not know, so a code is guarded by our secret and state only
    is_json: bool = False  # bodies of requests for tokens
    headers: tuple[tuple[str, str], ...] = ()  # of requests for tokens
    token_at: str = ""  # the member of the answer that holds the token of the person
    final: frozenset[str] = frozenset()  # errors that mean `invalid_grant`
    revokes: str = "form"  # form (RFC 7009) | json | github | bearer: how a token is taken back
    is_token_only: bool = False  # taking a token back ends that token; otherwise perhaps all of the grant's
    is_grant_shared: bool = False  # one grant a person and client: taking a token back ends those of other servers


PLAIN: Final = Style()
STYLES: Final[Mapping[str, Style]] = {
    GITHUB: Style(
        separator=" ", final=frozenset({"bad_refresh_token", "bad_verification_code"}), revokes="github",
        is_token_only=True,
    ),
    # Without `prompt` a refresh token comes with the first consent only.
    GOOGLE: Style(asks=(("access_type", "offline"), ("prompt", "consent")), is_grant_shared=True),
    SLACK: Style(
        scope_name="user_scope", separator=",", token_at="authed_user", revokes="bearer", is_token_only=True,
        final=frozenset({"invalid_refresh_token", "token_revoked", "token_expired", "account_inactive"}),
    ),
    NOTION: Style(
        asks=(("owner", "user"),), has_pkce=False, is_json=True, headers=(("Notion-Version", "2025-09-03"),),
        revokes="json", is_token_only=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A provider that is known: its addresses, and where a client is registered there."""

    title: str
    server: Server
    scopes: tuple[str, ...]
    register_at: str


def _server(style: str, issuer: str, authorize: str, token: str, revoke: str, method: str) -> Server:
    return Server(
        issuer=issuer, authorize_url=authorize, token_url=token, revoke_url=revoke, methods=(method,), style=style
    )


_BASIC, _POST = "client_secret_basic", "client_secret_post"
PRESETS: Final[Mapping[str, Preset]] = {
    GITHUB: Preset(
        "GitHub",
        _server(
            GITHUB,
            "https://github.com/login/oauth",
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            "https://api.github.com/applications/{client_id}/token",
            _POST,
        ),
        ("read:user",),
        "https://github.com/settings/developers",
    ),
    GOOGLE: Preset(
        "Google",
        _server(
            GOOGLE,
            "https://accounts.google.com",
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://oauth2.googleapis.com/revoke",
            _POST,
        ),
        ("openid", "email"),
        "https://console.cloud.google.com/apis/credentials",
    ),
    SLACK: Preset(
        "Slack",
        _server(
            SLACK,
            "https://slack.com",
            "https://slack.com/oauth/v2/authorize",
            "https://slack.com/api/oauth.v2.access",
            "https://slack.com/api/auth.revoke",
            _BASIC,
        ),
        ("users:read",),
        "https://api.slack.com/apps",
    ),
    NOTION: Preset(
        "Notion",
        _server(
            NOTION,
            "https://api.notion.com",
            "https://api.notion.com/v1/oauth/authorize",
            "https://api.notion.com/v1/oauth/token",
            "https://api.notion.com/v1/oauth/revoke",
            _BASIC,
        ),
        (),
        "https://www.notion.so/profile/integrations",
    ),
}


def style_of(server: Server) -> Style:
    return STYLES.get(server.style, PLAIN)


def scope_of(style: Style, scopes: Sequence[str]) -> list[tuple[str, str]]:
    return [(style.scope_name, style.separator.join(scopes))] if scopes else []


def answer_read(style: Style, status: int, said: Mapping[str, Any] | None) -> tuple[int, dict[str, Any] | None]:
    """A token endpoint's answer as the standard would have it (RFC 6749, 5.1 and 5.2)."""
    if said is None:
        return status, None
    found = dict(said)
    if style.final and status == 200 and "error" in found:  # they say no with a 200
        status = 400
    if found.get("error") in style.final:
        found["error"] = "invalid_grant"
    if style.token_at:
        # With a refresh the token stands at the top, where otherwise that of the workspace's bot is.
        inner = found.get(style.token_at)
        person = inner if isinstance(inner, dict) and "access_token" in inner else found
        if person.get("token_type") == "user":
            found |= {**person, "token_type": "Bearer"}
        else:
            found.pop("access_token", None)
    if isinstance(found.get("scope"), str):
        found["scope"] = found["scope"].replace(",", " ")
    return status, found


def is_revoked(style: Style, said: Mapping[str, Any] | None) -> bool:
    """Of a successful answer: some say no with a 200."""
    return style.revokes != "bearer" or (said or {}).get("ok") is True
