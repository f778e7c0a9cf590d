"""Speaking with servers elsewhere about signing in: discovery, registration, tokens. Everything goes out by the guarded
door; no redirect is followed, no answer is read beyond its limit, and nothing here keeps anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import structlog
from django.utils.translation import gettext

from common.outbound import Answer, Door, OutboundError, TooManyRedirects, site_door
from oauth.outbound import discovery, identity, requests
from oauth.outbound.challenges import Challenge, challenge_of
from oauth.outbound.discovery import Found, Protected, Server
from oauth.outbound.identity import Client
from oauth.outbound.requests import Tokens
from oauth.outbound.styles import answer_read, is_revoked, style_of

log = structlog.get_logger(__name__)

MAX_BYTES: Final = 64 * 1024
SECONDS: Final = 10.0
_ASK: Final = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
_MCP: Final = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
_FORM: Final = "application/x-www-form-urlencoded"
_LATER: Final = (408, 425, 429)


class Revoked(Enum):
    """What came of asking a site elsewhere to revoke a token."""

    DONE = auto()
    REFUSED = auto()  # for good
    IMPOSSIBLE = auto()  # there is nobody to ask
    AWAY = auto()  # later perhaps (RFC 7009, 2.2.1: the token is as good as before)


def client_door() -> Door:
    """Plain HTTP only to hosts that lie wholly in the operator's networks, as for remote servers themselves."""
    return replace(site_door(), allows_plain=True)


@dataclass(frozen=True)
class Peer:
    """Values only; blocking, for views and jobs, which are threads."""

    door: Door

    # --- discovery

    def challenge(self, url: str) -> Challenge | None:
        """What the server says to a request without a token. None where it asks for none, or can't be asked."""
        try:
            answer = self._send(url, "POST", dict(_MCP), _ASK)
        except OutboundError as error:
            log.info("a remote server could not be asked for its challenge", url=url, reason=error.message)
            return None
        return challenge_of(answer.headers.get("www-authenticate", "")) if answer.status in (401, 403) else None

    def discover(self, url: str, challenge: Challenge | None = None, before: tuple[str, ...] = ()) -> Found:
        """`before` are scopes granted earlier. Raises SignInImpossible and OutboundError."""
        challenge = challenge or self.challenge(url) or Challenge()
        protected = self.protected(url, challenge.metadata_url)
        if protected is None:  # 2025-03-26: the server's origin is its own authorization server
            parts = urlsplit(url)
            protected = Protected(url, (f"{parts.scheme}://{parts.netloc}",))
        server = self.server(protected.issuers[0])
        scopes = discovery.scopes_to_ask(challenge.scopes, protected.scopes, server.scopes, before)
        return Found(protected.resource, server, scopes)

    def protected(self, url: str, challenged: str = "") -> Protected | None:
        """None where there is no such document at any of the places."""
        for place in discovery.protected_urls(url, challenged):
            said = self._document(place)
            if said is not None:
                return discovery.protected_read(said, url)
        return None

    def server(self, issuer: str) -> Server:
        """Raises SignInImpossible."""
        for place in discovery.server_urls(issuer):
            said = self._document(place)
            if said is not None:
                return discovery.server_read(said, issuer)
        raise discovery.impossible("it doesn't describe how (RFC 8414)", issuer)

    def _document(self, url: str) -> dict[str, Any] | None:
        """None: there is nothing at this URL, and another one may be tried."""
        try:
            answer = self._send(url, "GET", {"Accept": "application/json"})
        except TooManyRedirects:  # none is followed
            return None
        return _object(answer) if answer.status == 200 else None

    # --- who we are

    def register(self, server: Server) -> Client:
        """Dynamic registration. Raises SignInImpossible."""
        asked = identity.registration(server, identity.redirect_uri(server))
        fields = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = self._send(server.register_url, "POST", fields, msgspec.json.encode(asked))
        said = _object(answer)
        if answer.status not in (200, 201) or said is None:
            words = requests.printable(str((said or {}).get("error_description") or (said or {}).get("error") or ""))
            raise discovery.impossible(
                f"it did not register this site ({answer.status}{': ' if words else ''}{words})", server.issuer
            )
        return identity.registered(said, asked, server.issuer)

    # --- tokens

    def redeem(self, server: Server, client: Client, code: str, *, verifier: str, resource: str) -> Tokens:
        """Raises TokenRefused, OutboundError."""
        uri, style = identity.redirect_uri(server), style_of(server)
        form = requests.code_form(code, redirect_uri=uri, verifier=verifier, resource=resource, style=style)
        return self._tokens(server, client, form)

    def refresh(self, server: Server, client: Client, token: str, *, resource: str) -> Tokens:
        """Raises TokenRefused, OutboundError."""
        return self._tokens(server, client, requests.refresh_form(token, resource=resource))

    def revoke(self, server: Server, client: Client, token: str, hint: str) -> Revoked:
        """RFC 7009."""
        if not server.revoke_url:
            return Revoked.IMPOSSIBLE
        try:
            answer = self._taken_back(server, client, token, hint)
        except TooManyRedirects:  # none is followed
            return Revoked.REFUSED
        except OutboundError as error:
            log.info("a site elsewhere could not be asked to revoke", issuer=server.issuer, reason=error.message)
            return Revoked.AWAY
        if answer.status in _LATER or answer.status >= 500:
            return Revoked.AWAY
        is_done = answer.status in (200, 204) and is_revoked(style_of(server), _object(answer))
        return Revoked.DONE if is_done else Revoked.REFUSED

    def _taken_back(self, server: Server, client: Client, token: str, hint: str) -> Answer:
        url, way = server.revoke_url, style_of(server).revokes
        if way == "bearer":
            return self._send(url, "POST", {"Authorization": f"Bearer {token}", "Accept": "application/json"})
        if way == "github":  # docs.github.com, "Delete an app token"
            headers = {"Authorization": requests.basic(client.id, client.secret), "Content-Type": "application/json"}
            body = msgspec.json.encode({"access_token": token})
            return self._send(url.replace("{client_id}", quote(client.id, safe="")), "DELETE", headers, body)
        named = {"token": token} if way == "json" else {"token": token, "token_type_hint": hint}
        return self._post(url, server, client, named)

    def _tokens(self, server: Server, client: Client, form: Mapping[str, str]) -> Tokens:
        answer = self._post(server.token_url, server, client, form)
        return requests.tokens_of(*answer_read(style_of(server), answer.status, _object(answer)))

    def _post(self, url: str, server: Server, client: Client, form: Mapping[str, str]) -> Answer:
        fields, headers = identity.proof(client, server.issuer)
        style, said = style_of(server), {**form, **fields}
        body = msgspec.json.encode(said) if style.is_json else urlencode(said).encode()
        kind = "application/json" if style.is_json else _FORM
        own = {"Content-Type": kind, "Accept": "application/json", **dict(style.headers)}
        return self._send(url, "POST", {**own, **headers}, body)

    def _send(self, url: str, method: str, headers: Mapping[str, str], content: bytes = b"") -> Answer:
        return self.door.fetch_blocking(
            url, method=method, headers=headers, content=content, max_bytes=MAX_BYTES, seconds=SECONDS, redirects=0
        )


def site_peer() -> Peer:
    return Peer(client_door())


def client_for(peer: Peer, server: Server, known: Client | None) -> Client:
    """In the order of the specification. `known` is kept of an earlier time at the same issuer, or was typed in.

    Raises SignInImpossible where the server knows no way: then its owner has to be given an id there.
    """
    if known is not None:
        return known
    found = identity.document_client(server)
    if found is not None:
        return found
    if server.register_url:
        return peer.register(server)
    raise discovery.SignInImpossible(
        "client_needed",
        gettext(
            "%(host)s does not let programs register themselves. Register this site there, with the address "
            "%(redirect_uri)s, and type in the client id that it gives you."
        )
        % {"host": discovery.host_of(server.issuer), "redirect_uri": identity.redirect_uri(server)},
        400,
    )


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
