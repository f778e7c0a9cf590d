"""Accounts at other sites, each page in each of its states, under the eyes of axe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from playwright.async_api import Browser

from accounts.models import User
from events.actors import OPERATOR
from hosting.building import builds
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment
from hosting.routing import OWN_ACCOUNT
from oauth.models import Connection, Provider
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put, provider_remove
from tests.factories import make_deployment, make_queued, make_runner, make_user
from tests.hosting import consent
from tests.hosting.consent import agree, browser, callback_of, page_of
from tests.oauth.elsewhere import FakeAuthorizationServer
from tests.pages.test_axe import DESKTOP, PHONE, looked_at
from tests.pages.visit import Visit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.django_db,
]
KEY, LABEL = "env:FORGE_TOKEN", "alice/tracker"


class Walk:
    """Keeps pages as they are now, each under a name of its own, as Alice sees them. She owns everything."""

    def __init__(self, alice: User) -> None:
        self.alice = alice
        self.seen: list[Visit] = []
        self.client = browser(alice)

    def keep(self, name: str, path: str, words: str, said: Mapping[str, str] | None = None) -> None:
        """`words` stand on it: it is the page in that state."""
        answer = self.client.get(path, said or {})
        assert words in answer.content.decode(), (name, answer.content.decode())
        visit = Visit("alice", name, f"/{name}", answer.status_code, dict(answer.headers), {}, (), answer.content)
        self.seen.append(visit)


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Visit]]:
    cache.clear()
    with FakeAuthorizationServer() as far, django_db_blocker.unblock(), transaction.atomic():
        reach = {"SLIPWAY_EGRESS_PRIVATE": ["127.0.0.0/8"], "SLIPWAY_EGRESS_PORTS": [far.port]}
        with override_settings(**reach):
            walk = Walk(make_user("alice", is_superuser=True))
            make_runner()
            _of_third_parties(far, walk)
            _of_a_remote_server(far, walk)
        transaction.set_rollback(True)
    yield walk.seen


def _of_third_parties(far: FakeAuthorizationServer, walk: Walk) -> None:
    deployment = make_deployment(walk.alice, "tracker", argv=["run"])
    walk.keep("providers-none", "/providers/", "None yet")
    far.clients["slipway"] = "s3cret"
    given: dict[str, Any] = {"client_id": "slipway", "client_secret": "s3cret"}
    typed = {**given, "kind": "typed", "authorize_url": f"{far.url}/authorize", "token_url": f"{far.url}/token"}
    for wanted in (
        Wanted(name="forge", title="The Forge", scopes=("repo", "read:user"), **typed),
        Wanted(name="github", kind="github", scopes=("read:user",), **given),
        Wanted(name="notion", kind="notion", **given),
        Wanted(name="slack", kind="slack", **given),
    ):
        provider_put(site_peer(), actor=OPERATOR, subject_id=None, wanted=wanted)
    own = Wanted(name="mine", title="A forge of our own", **typed)
    provider_put(site_peer(), actor=OPERATOR, subject_id=deployment.pk, wanted=own)
    walk.keep("providers", "/providers/", "The Forge")
    walk.keep("provider-changed", "/providers/", "Change The Forge", {"name": "forge"})
    walk.keep("providers-of-a-server", "/d/alice/tracker/providers", "A forge of our own")

    chosen = {"env:NOTION_TOKEN": Chosen("notion"), "env:SLACK_TOKEN": Chosen("slack")}
    _choose(deployment, {KEY: Chosen("forge", ("repo",)), **chosen})
    provider_remove(actor=OPERATOR, provider=Provider.objects.get(name="slack"))
    page = page_of(deployment, walk.alice)
    walk.keep("connect", page, "Connect your account at The Forge")
    walk.keep("settings", "/d/alice/tracker/settings/users", "Accounts of each user")
    url = agree(walk.client, page, KEY)
    said = far.allow(url, code=None, iss=None, error="access_denied")
    walk.keep("refused", callback_of(url), "Not connected", said)
    walk.keep("unknown", callback_of(url), "Not connected", {"state": "x"})
    consent.connect(deployment, walk.alice, KEY, far, iss=None)
    walk.keep("connected-one-of-three", page, "is connected")
    _choose(deployment, {KEY: Chosen("forge", ("repo", "admin:org"))})
    walk.keep("connect-more", page, "More is wanted than you agreed to")
    Connection.objects.update(state=Connection.State.AGAIN, reason="127.0.0.1 does not renew it any more")
    walk.keep("connect-again", page, "It needs you again")
    walk.keep("credentials-again", "/credentials/", "It needs you again")
    walk.keep("waiting", "/waiting/", f"{LABEL} asks for credentials of yours")
    Connection.objects.update(state=Connection.State.CONNECTED, reason="")
    _choose(deployment, {KEY: Chosen("mine", ("repo",))})
    walk.keep("connect-another", page, "wants another account now")
    consent.connect(deployment, walk.alice, KEY, far, iss=None)
    walk.keep("credentials", "/credentials/", "Your account at")


def _choose(deployment: Deployment, chosen: dict[str, Chosen]) -> None:
    accounts_set(actor=OPERATOR, deployment=deployment, chosen=chosen, is_own=False)
    deployment.refresh_from_db()


def _of_a_remote_server(far: FakeAuthorizationServer, walk: Walk) -> None:
    deployment = make_queued(walk.alice, "far", reference=f"remote:{far.resource}")
    builds.version_build(deployment.versions.get().pk)
    placement_ensure(deployment.pk)
    path = "/d/alice/far/account"
    walk.keep("sign-in", path, "has people sign in at")
    Connection.objects.filter(subject_id=deployment.pk).delete()
    accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=True)
    deployment = Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)
    page = page_of(deployment, walk.alice)
    walk.keep("each-signs-in", page, "Connect your account at")
    far.metadata["registration_endpoint"] = None
    walk.keep("sign-in-by-hand", path, "does not let programs register themselves")
    walk.keep("each-signs-in-not-yet", page, "has to register this site there first")
    far.metadata["issuer"] = "https://honest.example"
    walk.keep("sign-in-impossible", path, "Nobody can sign in there now")
    walk.keep("each-signs-in-impossible", page, "An account that can’t be connected now")
    far.metadata.clear()
    consent.connect(deployment, walk.alice, OWN_ACCOUNT, far)
    walk.keep("each-signed-in", page, "is connected")


async def test_axe_finds_nothing_wrong(chromium: Browser, pages: list[Visit]) -> None:
    assert await looked_at(chromium, pages, viewport=DESKTOP) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nor_on_a_phone(chromium: Browser, pages: list[Visit], scheme: str) -> None:
    assert await looked_at(chromium, pages, viewport=PHONE, color_scheme=scheme) == {}


async def test_nor_in_the_dark(chromium: Browser, pages: list[Visit]) -> None:
    assert await looked_at(chromium, pages, viewport=DESKTOP, color_scheme="dark") == {}
