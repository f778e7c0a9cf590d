"""alice signs her server in elsewhere."""

from __future__ import annotations

from django.test import Client

from hosting.models import Deployment
from hosting.routing import placement_for
from oauth.models import Connection
from tests.hosting.consent import callback_of, digest_of
from tests.oauth.elsewhere import FakeAuthorizationServer

PAGE = "/d/alice/far/account"


def agree(alices: Client, **more: str) -> str:
    """Reads the page and presses its button: where the browser goes."""
    page = alices.get(PAGE)
    assert page.status_code == 200
    answer = alices.post(PAGE, {"digest": digest_of(page.content.decode()), **more})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def connect(alices: Client, far: FakeAuthorizationServer) -> Connection:
    url = agree(alices)
    answer = alices.get(callback_of(url), far.allow(url))
    assert answer.status_code == 302, answer.content.decode()
    return Connection.objects.get()


def bearer(deployment: Deployment) -> str:
    remote = placement_for(deployment.pk)[1].remote
    assert remote is not None
    return remote.bearer


def refused(alices: Client, path: str, said: dict[str, str], status: int = 400) -> str:
    answer = alices.get(path, said)
    page = answer.content.decode()
    assert answer.status_code == status, page
    assert "Not connected" in page
    return page
