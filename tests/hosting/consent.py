"""A person who connects an account: in a browser, on the page that asks, and with the answer of the other site."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from accounts.models import User
from hosting.credentials.eliciting import elicitation_open
from hosting.models import Deployment
from oauth.outbound.providers import Wanted
from tests.oauth.elsewhere import FakeAuthorizationServer

SECRET = "the-sites-own-secret"


def provider_wanted(far: FakeAuthorizationServer, **changed: Any) -> Wanted:
    """The Forge, where this site is `slipway`."""
    far.clients["slipway"] = SECRET
    given = {
        "name": "forge",
        "kind": "typed",
        "title": "The Forge",
        "client_id": "slipway",
        "client_secret": SECRET,
        "scopes": ("repo",),
        "authorize_url": f"{far.url}/authorize",
        "token_url": f"{far.url}/token",
        "revoke_url": f"{far.url}/revoke",
    }
    return Wanted(**{**given, **changed})


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def page_of(deployment: Deployment, user: User) -> str:
    """The path of the page that asks the user of one client for what the deployment needs."""
    found = elicitation_open(user_id=user.pk, client_id="cli", deployment_id=deployment.pk)
    return f"/elicit/{found.pk}"


def digest_of(text: str) -> str:
    """What a page that was read stands for."""
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', text)
    assert found, text
    return found[1]


def agree(client: Client, page: str, key: str) -> str:
    """Reads the page and presses Connect for this setting: where the browser goes."""
    digest = digest_of(client.get(page).content.decode())
    answer = client.post(f"{page}/connect", {"key": key, "digest": digest})
    assert answer.status_code == 302
    return str(answer["Location"])


def asked_of(url: str) -> dict[str, str]:
    """The parameters of a request at the other site."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def callback_of(url: str) -> str:
    """The path of our own address that the answer goes to."""
    return urlsplit(asked_of(url)["redirect_uri"]).path


def connect(
    deployment: Deployment, user: User, key: str, far: FakeAuthorizationServer, **said: str | None
) -> dict[str, str]:
    """All of it, in a browser of its own. `said` changes the answer; what was asked for there."""
    client = browser(user)
    url = agree(client, page_of(deployment, user), key)
    answer = client.get(callback_of(url), far.allow(url, **said))
    assert answer.status_code == 302, answer.content.decode()
    return asked_of(url)
