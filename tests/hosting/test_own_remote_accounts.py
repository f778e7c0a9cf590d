"""Each user signs in to a remote server with an account of their own: nobody else's call goes out with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import User
from common import clock
from common.errors import BadInput
from events.actors import OPERATOR
from events.models import AuditEntry
from hosting.building import builds
from hosting.credentials.accounts import accounts_set
from hosting.credentials.personal import brought_for, personal_for, personal_set
from hosting.fleet.placing import placement_ensure
from hosting.models import Deployment, DeploymentMember
from hosting.remotes import care as account_care
from hosting.routing import OWN_ACCOUNT, placement_for, route_by_id
from hosting.runner.seen import SignInAsked
from oauth.models import Connection
from oauth.outbound.discovery import MAX_SCOPES
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put
from tests.factories import make_queued, make_runner, make_user
from tests.hosting import consent
from tests.hosting.consent import browser, callback_of, digest_of, page_of
from tests.oauth.elsewhere import FakeAuthorizationServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(bob: User, far: FakeAuthorizationServer) -> Deployment:
    made = make_queued(make_user("alice"), "far", reference=f"remote:{far.resource}")
    builds.version_build(made.versions.get().pk)
    DeploymentMember.objects.create(deployment=made, user=bob)
    make_runner()
    placement_ensure(made.pk)
    accounts_set(actor=OPERATOR, deployment=made, chosen={}, is_own=True)
    return Deployment.objects.select_related("owner", "current_version").get(pk=made.pk)


def connect(deployment: Deployment, user: User, far: FakeAuthorizationServer) -> str:
    """What was asked for."""
    asked = consent.connect(deployment, user, OWN_ACCOUNT, far)
    assert asked["resource"] == far.resource
    return asked["scope"]


def bearer(deployment: Deployment, user: User) -> str:
    remote = personal_for(deployment.pk, user.pk).personal.remote
    assert remote is not None and remote.is_own
    return remote.bearer


def test_each_users_token_goes_with_that_users_calls_alone(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    alice = deployment.owner.user
    assert alice is not None and route_by_id(deployment.pk).is_personal
    (lacking,) = brought_for(deployment.pk, bob.pk).missing
    assert lacking.flag == f"account at 127.0.0.1:{far.port}"
    text = browser(bob).get(page_of(deployment, bob)).content.decode()
    assert f"Connect your account at 127.0.0.1:{far.port}" in text and "<code>mcp:read</code>" in text
    assert "/register" not in far.paths()
    assert connect(deployment, bob, far) == "mcp:read"
    assert brought_for(deployment.pk, bob.pk).missing == ()
    token, own = bearer(deployment, bob), personal_for(deployment.pk, bob.pk).personal
    assert token in far.good and own.tokens == [token] and own.masked == []
    used = AuditEntry.objects.filter(action="account:use").first()
    assert used is not None and used.data == {"accounts": {OWN_ACCOUNT: far.url}, "user": str(bob.pk)}
    assert brought_for(deployment.pk, alice.pk).missing != () and bearer(deployment, alice) == ""
    base = placement_for(deployment.pk)[1].remote
    assert base is not None and base.is_own and base.bearer == "", "what is for everybody has nobody's"


def test_the_owners_own_account_is_nobody_elses_either(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    alice = deployment.owner.user
    assert alice is not None
    connect(deployment, alice, far)
    assert bearer(deployment, alice) in far.good and bearer(deployment, bob) == ""
    assert placement_for(deployment.pk)[1].remote.bearer == ""  # type: ignore[union-attr]


def test_what_its_owner_signed_in_with_for_all_is_sent_for_nobody_then(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    alice = deployment.owner.user
    assert alice is not None
    accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=False)
    client, page = browser(alice), "/d/alice/far/account"
    url = client.post(page, {"digest": digest_of(client.get(page).content.decode())})["Location"]
    assert client.get(callback_of(url), far.allow(url)).status_code == 302
    assert placement_for(deployment.pk)[1].remote.bearer in far.good  # type: ignore[union-attr]
    accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=True)
    assert placement_for(deployment.pk)[1].remote.bearer == ""  # type: ignore[union-attr]
    assert bearer(deployment, alice) == "" and bearer(deployment, bob) == ""


def test_a_renewed_token_keeps_the_mark_since_connections_that_run_are_given_it(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, far)
    mark, first = brought_for(deployment.pk, bob.pk).mark, bearer(deployment, bob)
    Connection.objects.update(refresh_at=clock.now())
    account_care.accounts_tend()
    assert brought_for(deployment.pk, bob.pk).mark == mark and bearer(deployment, bob) != first


def test_what_the_server_refuses_is_asked_for_again_with_what_it_wants(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, far)
    mark = brought_for(deployment.pk, bob.pk).mark
    more = 'Bearer error="insufficient_scope", scope="mcp:read files:write"'
    serial = Connection.objects.get().serial
    odd = more.replace("files:write", 'files:write \\"quoted\\" ' + " ".join(map(str, range(500))))
    account_care.account_refused(deployment.pk, SignInAsked(403, odd, serial, str(bob.pk)))
    asked = Connection.objects.get().asked_scopes
    assert len(asked) == MAX_SCOPES and not any('"' in scope for scope in asked)
    account_care.account_refused(deployment.pk, SignInAsked(403, more, serial, str(bob.pk)))
    assert brought_for(deployment.pk, bob.pk).missing != ()
    client, page = browser(bob), page_of(deployment, bob)
    text = client.get(page).content.decode()
    assert "More is wanted than you agreed to: files:write." in text and text.count(">new<") == 1
    client.post(page, {"action": "decline"})
    assert brought_for(deployment.pk, bob.pk).missing == (), "what was agreed to before goes on"
    account_care.account_refused(deployment.pk, SignInAsked(403, more, serial, str(bob.pk)))
    assert connect(deployment, bob, far) == "mcp:read files:write"
    now = brought_for(deployment.pk, bob.pk)
    assert now.missing == () and now.mark == mark, "sessions that stand go on with the new token"


def test_a_token_that_is_refused_is_renewed_once_and_then_given_up(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    connect(deployment, bob, far)
    Connection.objects.update(connected_at=clock.now() - timedelta(minutes=5))
    serial = Connection.objects.get().serial
    account_care.account_refused(deployment.pk, SignInAsked(401, "Bearer", serial, str(bob.pk)))
    account_care.accounts_tend()
    assert Connection.objects.get().serial == serial + 1 and brought_for(deployment.pk, bob.pk).missing == ()
    account_care.account_refused(deployment.pk, SignInAsked(401, "Bearer", serial + 1, str(bob.pk)))
    assert Connection.objects.get().state == "again" and brought_for(deployment.pk, bob.pk).missing != ()
    account_care.account_refused(deployment.pk, SignInAsked(401, "Bearer", 0, str(make_user("eve").pk)))


def test_a_site_that_registers_nobody_needs_a_client_of_the_owners(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    far.metadata["registration_endpoint"] = None
    client, page = browser(bob), page_of(deployment, bob)
    text = client.get(page).content.decode()
    assert "has to register this site there first" in text and "/connect" not in text.partition("<main")[2]
    far.clients["by-hand"] = "s3cret"
    wanted = Wanted(name="far", kind="discovered", issuer=far.url, client_id="by-hand", client_secret="s3cret")
    provider_put(site_peer(), actor=OPERATOR, subject_id=deployment.pk, wanted=wanted)
    connect(deployment, bob, far)
    assert Connection.objects.get().client_id == "by-hand" and bearer(deployment, bob) in far.good


def test_an_address_that_users_type_is_not_signed_in_to(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(personal_accounts={}, personal_inputs=["variable:room"])
    with pytest.raises(BadInput):
        accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=True)
    Deployment.objects.filter(pk=deployment.pk).update(personal_inputs=[])
    accounts_set(actor=OPERATOR, deployment=deployment, chosen={}, is_own=True)
    personal_set(actor=OPERATOR, deployment=deployment, keys=["header:X-Team"])
    deployment.refresh_from_db()
    assert deployment.personal_inputs == ["account:remote", "header:X-Team"]
