"""Identity providers that others wrote, each a process of its own over TLS, and a browser without a screen for them."""

from __future__ import annotations

import html
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
from django.conf import settings
from uv import find_uv_bin

from tests.clients import packages
from tests.oauth.flow import CALLBACK

SCRIPTS = Path(__file__).parent / "scripts"
CANAILLE = "pytest-iam==0.3.0"  # brings canaille
DESK = "desk"  # the program that wants to call a server for its person
CALLBACK_HERE = "/accounts/oidc/openid/login/callback/"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
_FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<inside>.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<(?:input|button)\b[^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


@dataclass(frozen=True)
class Settings:
    """What both providers are told. `clients` by id: secret, redirect URI, and where the secret is sent."""

    pem: str
    site: str = settings.SLIPWAY_URL
    client_there: str = "desk-here"
    people: dict[str, str] = field(default_factory=lambda: {"ann": "ann's password", "bob": "bob's password"})
    admitted: list[str] = field(default_factory=lambda: ["ann"])
    clients: dict[str, list[str]] = field(
        default_factory=lambda: {
            "slipway": ["slipway's secret", settings.SLIPWAY_URL + CALLBACK_HERE, "client_secret_post"],
            DESK: ["desk's secret", CALLBACK, "client_secret_basic"],
        }
    )


@dataclass(frozen=True)
class Idp:
    name: str
    issuer: str
    settings: Settings
    trusted: Path  # PEM of the authority behind its certificate

    @property
    def vouches_for_addresses(self) -> bool:
        return "oidc-provider" in self.name

    @property
    def port(self) -> int:
        return urlsplit(self.issuer).port or 443

    def browser(self) -> httpx2.Client:
        return httpx2.Client(verify=ssl.create_default_context(cafile=str(self.trusted)), timeout=30)

    def found(self, browser: httpx2.Client) -> dict[str, Any]:
        said: dict[str, Any] = browser.get(f"{self.issuer}/.well-known/openid-configuration").json()
        return said

    def sign_in(self, browser: httpx2.Client, url: str, name: str, back_to: str) -> str:
        """Follows the provider's pages as `name` does; the address at which it sends them back."""
        filled = {"login": name, "password": self.settings.people[name], "answer": "accept"}
        answer = browser.get(url)
        for _ in range(20):
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(back_to):
                    return url
                answer = browser.get(url)
                continue
            assert answer.status_code == 200, answer.text
            action, sent = _form(answer.text, filled)
            answer = browser.post(urljoin(str(answer.url), action), data=sent)
        raise AssertionError(f"{self.issuer} shows page after page, the last one: {answer.text}")

    def id_token(self, name: str) -> str:
        """Of somebody who signed in to the desk program."""
        secret, callback, _ = self.settings.clients[DESK]
        with self.browser() as browser:
            found = self.found(browser)
            asked = {"response_type": "code", "client_id": DESK, "redirect_uri": callback, "scope": "openid email",
                     "state": "s", "nonce": "n"}  # fmt: skip
            back = self.sign_in(browser, f"{found['authorization_endpoint']}?{urlencode(asked)}", name, callback)
            sent = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(back).query)["code"][0],
                    "redirect_uri": callback}  # fmt: skip
            said = browser.post(found["token_endpoint"], data=sent, auth=(DESK, secret))
        assert said.status_code == 200, said.text
        token: str = said.json()["id_token"]
        return token

    def exchange(self, id_token: str, resource: str, audience: str = "") -> httpx2.Response:
        """An ID token for an ID-JAG."""
        sent = {
            "grant_type": EXCHANGE, "requested_token_type": f"{TOKEN_TYPE}id-jag", "subject_token": id_token,
            "subject_token_type": f"{TOKEN_TYPE}id_token", "audience": audience or settings.SLIPWAY_URL,
            "resource": resource,
        }  # fmt: skip
        with self.browser() as browser:
            return browser.post(
                self.found(browser)["token_endpoint"], data=sent, auth=(DESK, self.settings.clients[DESK][0])
            )


def canaille(told: str) -> list[str]:
    return [
        find_uv_bin(), "run", "--quiet", "--isolated", "--no-project", "--with", CANAILLE,
        "python", str(SCRIPTS / "canaille_idp.py"), told,
    ]  # fmt: skip


def oidc_provider(told: str) -> list[str]:
    """The script lies beside its packages for a moment, since Node looks for them from where a module is."""
    script = packages.folder() / "oidc_provider.mjs"
    shutil.copyfile(SCRIPTS / "oidc_provider.mjs", script)
    return packages.node(str(script), told)


BY_NAME = {"canaille": canaille, "oidc-provider": oidc_provider}


@contextmanager
def running(name: str, pem: Path, trusted: Path) -> Iterator[Idp]:
    told = Settings(str(pem))
    process = subprocess.Popen(
        BY_NAME[name](json.dumps(asdict(told))),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=packages.environment(),
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("https://"), f"{name} ended instead of starting"
        yield Idp(name, issuer, told, trusted)
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def _form(page: str, filled: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Where the form with one of our fields goes, and what it sends: its own values, and ours."""
    for found in _FORM.finditer(page):
        tags = [_attributes(tag) for tag in _FIELD.findall(found["inside"])]
        names = {tag["name"] for tag in tags if "name" in tag}
        if names & (filled.keys() | {"prompt"}):
            hidden = {tag["name"]: tag.get("value", "") for tag in tags if tag.get("type") == "hidden"}
            ours = {name: value for name, value in filled.items() if name in names}
            return _attributes(found["attributes"]).get("action", ""), {**hidden, **ours}
    raise AssertionError(f"no form to fill in: {page}")


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
