"""A person at a browser without a screen: signs in, reads the consent page, decides. Over plain HTTP."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from tests.stack import SECONDS, Stack

CALLBACK = "http://127.0.0.1:33418/callback"  # nobody listens: the answer is read from the redirect
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """`unticked` are scopes that this person does not allow; `pages` are the consent pages seen."""

    site: Stack
    name: str
    unticked: set[str] = field(default_factory=set)
    pages: list[str] = field(default_factory=list)
    decision: str = "allow"

    def __post_init__(self) -> None:
        self.http = httpx2.Client(base_url=self.site.url, follow_redirects=False, timeout=SECONDS)

    def __enter__(self) -> Person:
        return self.sign_in()

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def sign_in(self) -> Person:
        link = self.site.manage("sign_in_link", "--user", self.name).stdout.strip()
        page = self.http.get(link)
        answer = self.http.post(link, data={**fields_of(page.text), "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return self

    def visit(self, url: str) -> dict[str, str]:
        """Decides about an authorization request; what the program is told."""
        told = urlsplit(self.decide(url))
        return {name: values[0] for name, values in parse_qs(told.query).items()}

    def decide(self, url: str) -> str:
        """The same; the address at which the program is told."""
        page = self.http.get(url)
        if page.status_code == 200:
            self.pages.append(page.text)
            scopes = list(re.findall(r'name="scope" value="([^"]+)"', page.text))
            sent: dict[str, Any] = {
                **fields_of(page.text),
                "decision": self.decision,
                "scope": [scope for scope in scopes if scope not in self.unticked],
            }
            page = self.http.post(url, data=sent)
        assert page.status_code == 302, page.text
        return str(page.headers["location"])

    def press(self, path: str, **sent: str) -> None:
        """A button of a page: its form's hidden fields, and these."""
        page = self.http.get(path)
        answer = self.http.post(urljoin(path, ""), data={**fields_of(page.text), **sent})
        assert answer.status_code == 302, answer.text


@dataclass
class Storage:
    """What a program keeps. Implements the SDK's TokenStorage."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def provider(url: str, person: Person, storage: Storage, document: str | None = None) -> OAuthClientProvider:
    """The SDK's own flow, with this person at the browser."""
    answers: list[dict[str, str]] = []

    async def redirect(authorization_url: str) -> None:
        answers.append(person.visit(authorization_url))

    async def callback() -> AuthorizationCodeResult:
        said = answers.pop()
        return AuthorizationCodeResult(code=said.get("code", ""), state=said.get("state"), iss=said.get("iss"))

    metadata = OAuthClientMetadata.model_validate(
        {
            "client_name": "Test program",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
    )
    return OAuthClientProvider(url, metadata, storage, redirect, callback, client_metadata_url=document)


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of a page's last form that has a CSRF token."""
    found: dict[str, str] = {}
    for tag in _INPUT.findall(page):
        attributes = dict(_ATTRIBUTE.findall(tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found[attributes["name"]] = html.unescape(attributes.get("value", ""))
    return found
