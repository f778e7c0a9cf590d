"""Accounts that ended, whoever and whatever ended them: gone here at once, revoked there until that is done or given up
(RFC 7009), and nothing kept after that."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from accounts.models import Name, User
from accounts.services import organization_create, user_delete
from common import clock
from events.actors import OPERATOR, person
from events.models import AuditEntry
from hosting.credentials.accounts import Chosen
from hosting.credentials.connecting import account_disconnect
from hosting.credentials.personal import brought_for
from hosting.models import Deployment, RunnerPlacement
from hosting.remotes import care as account_care
from hosting.routing import placement_for, route_by_id
from hosting.services import deployment_delete
from oauth.models import Connection, Provider, Revocation
from oauth.outbound import revoking, using
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import provider_remove
from oauth.outbound.rows import sealed_for
from tests.factories import actor_of, make_deployment, make_runner, place
from tests.hosting import consent
from tests.hosting.consent import browser, page_of
from tests.hosting.own_accounts.choosing import KEY, choose, token_of
from tests.oauth.elsewhere import Answer, Asked, FakeAuthorizationServer, as_json

pytestmark = pytest.mark.django_db


def connect(deployment: Deployment, user: User, far: FakeAuthorizationServer) -> tuple[str, str]:
    """The access and the refresh token that came of it."""
    before = set(far.refresh)
    consent.connect(deployment, user, KEY, far, iss=None)
    (refresh,) = far.refresh - before
    return token_of(deployment, user), refresh


def outcomes() -> list[str]:
    rows = AuditEntry.objects.filter(action="account:revoke").order_by("pk")
    return [data["outcome"] for data in rows.values_list("data", flat=True)]


def later() -> None:
    """It is time for the next try."""
    Revocation.objects.update(due_at=clock.now() - timedelta(seconds=1))
    account_care.accounts_tend()


# --- who ends them


def test_disconnecting_ends_it_here_and_revokes_it_there(
    deployment: Deployment, far: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    _, refresh = connect(deployment, bob, far)
    path = f"/credentials/{deployment.pk}/disconnect"
    text = browser(bob).get("/credentials/").content.decode()
    assert "Your account at" in text and path in text
    browser(alice).post(path, {"key": KEY})  # nothing of hers
    assert Connection.objects.get().state == "connected"
    assert browser(bob).post(path, {"key": KEY}).status_code == 302
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    account_care.accounts_tend()
    assert far.revoked == {refresh} and not Connection.objects.exists() and not Revocation.objects.exists()
    for key in ("x" * 5000, "\0", ""):
        assert browser(bob).post(path, {"key": key}).status_code == 302
    assert browser(bob).get(path).status_code == 405


def test_what_the_server_wants_no_more_is_ended(
    deployment: Deployment, provider: Provider, far: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    connect(deployment, alice, far)
    choose(deployment, chosen={})
    assert not route_by_id(deployment.pk).is_personal and not Connection.objects.exists()
    choose(deployment, chosen={KEY: Chosen("forge")})
    connect(deployment, bob, far)
    assert provider_remove(actor=OPERATOR, provider=provider) == 1
    assert brought_for(deployment.pk, bob.pk).missing != () and token_of(deployment, bob) == ""
    assert "is gone" in browser(bob).get(page_of(deployment, bob)).content.decode()
    account_care.accounts_tend()
    assert len(far.revoked) == 2 and not Revocation.objects.exists()


def test_all_accounts_end_with_their_server(
    deployment: Deployment, far: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    tokens = {connect(deployment, alice, far)[1], connect(deployment, bob, far)[1]}
    deployment_delete(actor=actor_of(alice), deployment=deployment)
    assert not Connection.objects.exists()
    Deployment.objects.all().delete()  # as the reconciler does when no runner holds it
    account_care.accounts_tend()
    assert far.revoked == tokens and not Revocation.objects.exists()


def test_a_user_who_is_deleted_leaves_no_token_that_is_good(
    deployment: Deployment, far: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    _, kept = connect(deployment, alice, far)
    access, refresh = connect(deployment, bob, far)
    pk = bob.pk
    user_delete(actor=OPERATOR, user=bob)
    assert Connection.objects.get().user_id == alice.pk
    row = Revocation.objects.get()
    assert row.user_id == pk and all(token.encode() not in bytes(row.sealed) for token in (access, refresh))
    account_care.accounts_tend()
    assert far.revoked == {refresh} and kept in far.refresh and not Revocation.objects.exists()
    entry = AuditEntry.objects.get(action="account:revoke")
    assert entry.data["user"] == str(pk) and entry.data["issuer"] == far.url and entry.data["outcome"] == "revoked"
    said = str(list(AuditEntry.objects.values()))
    assert access not in said and refresh not in said and consent.SECRET not in said


def test_an_organizations_server_loses_the_account_of_who_signed_in_and_is_deleted(
    alice: User, bob: User, far: FakeAuthorizationServer
) -> None:
    """What runs there has the token: it ends with the account."""
    acme = organization_create(actor=OPERATOR, name="acme", owner=alice)
    made = make_deployment(alice, "far")
    Deployment.objects.filter(pk=made.pk).update(owner=Name.objects.get(organization=acme))
    place(made, make_runner())
    server = {"issuer": far.url, "authorize_url": far.url, "token_url": f"{far.url}/token"}
    row = Connection(
        subject_id=made.pk, user=bob, server_url=far.resource, issuer=far.url, client_id="c", client_method="none",
        client_source="given", server={**server, "revoke_url": f"{far.url}/revoke"},
    )  # fmt: skip
    row.sealed = sealed_for(row, {"secret": "", "access": "at-1", "refresh": ""})
    row.save()
    before = RunnerPlacement.objects.get(deployment=made).epoch
    user_delete(actor=OPERATOR, user=bob)
    assert RunnerPlacement.objects.get(deployment=made).epoch > before
    assert AuditEntry.objects.filter(action="deployment:disconnect_account", subject_id=str(made.pk)).exists()
    account_care.accounts_tend()
    assert far.revoked == {"at-1"} and placement_for(made.pk)[1].remote is None


def test_one_that_is_broken_keeps_no_other_from_being_tended(
    deployment: Deployment, far: FakeAuthorizationServer, alice: User, bob: User
) -> None:
    connect(deployment, alice, far)
    _, first = connect(deployment, bob, far)
    now = clock.now()
    Connection.objects.filter(user=alice).update(server={}, refresh_at=now - timedelta(hours=1))
    Connection.objects.filter(user=bob).update(refresh_at=now)
    account_care.accounts_tend()
    assert Connection.objects.get(user=bob).refreshed_at is not None and first not in far.refresh
    deployment_delete(actor=actor_of(alice), deployment=deployment)
    Revocation.objects.filter(user_id=alice.pk).update(due_at=now - timedelta(hours=1))
    account_care.accounts_tend()
    assert [row.user_id for row in Revocation.objects.all()] == [alice.pk] and len(far.revoked) == 1
    Revocation.objects.update(tries=revoking.MAX_TRIES - 1)
    later()
    assert not Revocation.objects.exists() and sorted(outcomes()) == ["given up", "revoked"]


# --- what comes of it


def ended(deployment: Deployment, user: User, far: FakeAuthorizationServer) -> tuple[str, str]:
    tokens = connect(deployment, user, far)
    assert account_disconnect(actor=person(user.pk), deployment_id=deployment.pk, key=KEY)
    return tokens


@pytest.mark.parametrize("status", [503, 429])
def test_a_site_that_is_away_is_asked_again(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User, status: int
) -> None:
    _, refresh = ended(deployment, bob, far)
    far.instead["/revoke"] = lambda _: (status, {}, b"")
    account_care.accounts_tend()
    row = Revocation.objects.get()
    assert row.tries == 1 and row.due_at > clock.now() + timedelta(seconds=30) and outcomes() == []
    account_care.accounts_tend()
    assert far.paths().count("/revoke") == 1, "not before it is due"
    del far.instead["/revoke"]
    later()
    assert far.revoked == {refresh} and not Revocation.objects.exists() and outcomes() == ["revoked"]


def test_it_is_given_up_after_a_day_and_the_token_is_forgotten(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    ended(deployment, bob, far)
    far.instead["/revoke"] = lambda _: (200, {"Content-Length": "10000000"}, b"x" * 10_000_000)  # never read to its end
    Revocation.objects.update(tries=revoking.MAX_TRIES - 2)
    later()
    assert Revocation.objects.get().tries == revoking.MAX_TRIES - 1
    later()
    assert not Revocation.objects.exists() and outcomes() == ["given up"]


def test_a_no_is_final_for_that_token(deployment: Deployment, far: FakeAuthorizationServer, bob: User) -> None:
    access, refresh = ended(deployment, bob, far)
    asked: list[str] = []

    def no(request: Asked) -> Answer:
        asked.append(request.form["token"])
        return as_json({"error": "unsupported_token_type"}, 400)

    far.instead["/revoke"] = no
    account_care.accounts_tend()
    assert asked == [refresh, access] and not Revocation.objects.exists() and outcomes() == ["refused there"]


def test_one_process_makes_a_try(deployment: Deployment, far: FakeAuthorizationServer, bob: User) -> None:
    ended(deployment, bob, far)
    row = Revocation.objects.get()
    inner: list[Any] = []

    def slow(request: Asked) -> Answer:
        inner.append(request)
        return 503, {}, b""

    far.instead["/revoke"] = slow
    revoking.revocation_try(site_peer(), row)
    revoking.revocation_try(site_peer(), row)  # as another process read it
    assert len(inner) == 1


def test_a_token_that_is_renewed_while_its_account_ends_is_revoked_too(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    _, first = connect(deployment, bob, far)
    row = Connection.objects.get()
    Connection.objects.update(refresh_at=clock.now())
    assert using.connections_due() == [row]
    peer = site_peer()

    class Late(type(peer)):  # type: ignore[misc]
        """Whose answer comes when the account has ended."""

        def refresh(self, *arguments: Any, **more: Any) -> Any:
            tokens = super().refresh(*arguments, **more)
            account_disconnect(actor=person(bob.pk), deployment_id=deployment.pk, key=KEY)
            return tokens

    assert not using.connection_refresh(Late(peer.door), row)
    (second,) = far.refresh
    account_care.accounts_tend()
    assert far.revoked == {first, second} and not Revocation.objects.exists()


def test_what_had_ended_before_there_were_revocations_is_revoked_too(
    deployment: Deployment, far: FakeAuthorizationServer, bob: User
) -> None:
    _, refresh = connect(deployment, bob, far)
    with connection.cursor() as cursor:  # as it was; it goes with the test's transaction
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE oauth_connection DROP CONSTRAINT connection_state_known")
    Connection.objects.update(state="ended")
    module = importlib.import_module("oauth.migrations.0008_revocations")
    module.move(MigrationLoader(connection).project_state(("oauth", "0008_revocations")).apps, None)
    assert not Connection.objects.exists()
    account_care.accounts_tend()
    assert far.revoked == {refresh}
