"""A program and its person at the authorization server: requests over Django's own test client, answers taken apart."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from common import clock
from events.actors import OPERATOR
from hosting.models import Deployment
from hosting.routing import resource_url
from oauth import claims, keys, selectors
from oauth.clients.metadata import CODE, NONE, REFRESH
from oauth.clients.services import client_create
from oauth.models import Application

CALLBACK = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DIGEST = re.compile(r'name="digest" value="([^"]*)"')


def resource_of(deployment: Deployment) -> str:
    return resource_url(deployment.owner.folded, deployment.folded_name)


def make_client(name: str = "Robo", **fields: Any) -> Application:
    given = {"redirect_uris": [CALLBACK], "grants": [CODE, REFRESH], "method": NONE, **fields}
    return client_create(actor=OPERATOR, name=name, **given)[0]


def verify(value: str, audience: str) -> claims.Claims:
    now = clock.now().timestamp()
    return claims.verify(value, key=keys.known_keys(), issuer=settings.SLIPWAY_URL, audience=audience, now=now)


def revoked(value: str, audience: str) -> bool:
    return verify(value, audience).jti in selectors.revoked_jtis()


@dataclass
class Flow:
    """`person` is signed in. Fields are what the program sends; a test changes one and sees what comes."""

    user: User
    client_id: str
    resource: str = ""
    redirect_uri: str = CALLBACK
    scope: str = "mcp:read mcp:call"
    state: str = "xyz"
    secret: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    person: Client = field(default_factory=Client)
    program: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def __post_init__(self) -> None:
        self.person.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")

    @property
    def asked(self) -> dict[str, Any]:
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": self.resource,
            **self.extra,
        }
        return {name: value for name, value in asked.items() if value}

    def ask(self) -> HttpResponse:
        return self.person.get("/oauth/authorize", self.asked)  # type: ignore[return-value]

    def decide(self, decision: str = "allow", scopes: list[str] | None = None, **fields: str) -> HttpResponse:
        """Presses the button of the page that `ask` shows."""
        page = self.ask()
        found = DIGEST.search(page.content.decode())
        sent = {
            "decision": decision,
            "digest": found[1] if found else "",
            "scope": self.scope.split() if scopes is None else scopes,
            **fields,
        }
        return self.person.post(f"/oauth/authorize?{page.wsgi_request.META['QUERY_STRING']}", sent)  # type: ignore

    def code(self) -> str:
        answer = self.decide()
        assert answer.status_code == 302, answer.content.decode()
        return answered(answer)["code"]

    def token(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        sent = {"client_id": self.client_id, **fields}
        if self.secret:
            sent["client_secret"] = self.secret
        return token(self.program, sent)

    def redeem(self, code: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        sent = {"code": code, "redirect_uri": self.redirect_uri, "code_verifier": VERIFIER, "resource": self.resource}
        kept = {name: value for name, value in {**sent, **fields}.items() if value}
        return self.token(grant_type="authorization_code", **kept)

    def connect(self) -> dict[str, Any]:
        status, tokens = self.redeem(self.code())
        assert status == 200, tokens
        return tokens

    def refresh(self, refresh_token: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **fields)


def token(program: Client, sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    from urllib.parse import urlencode

    body = urlencode(sent, doseq=True)
    answer = program.post("/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()


def answered(response: HttpResponse) -> dict[str, str]:
    """The parameters of a redirect back to the program; `iss` is checked, since each has to have it."""
    found = {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}
    assert found.pop("iss") == settings.SLIPWAY_URL
    return found
