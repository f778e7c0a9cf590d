"""The page Credentials of somebody whose organization has many servers: what is on it costs the same number of queries
for one as for twelve, and is the same as for each of them alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Organization, User
from accounts.permissions import roles_of
from accounts.services import organization_create
from events.actors import OPERATOR
from hosting.access.permissions import callable_by, may_call
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.overview import credentials_of, credentials_page
from hosting.credentials.personal import given_now
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember
from hosting.states import State
from tests.factories import actor_of, make_deployment, make_user
from tests.hosting.consent import browser
from vault.services import Holder, secrets_put

pytestmark = pytest.mark.django_db
KEY, SHARED, TOKEN, VALUE = "env:API_KEY", "env:SHARED", "env:TOKEN", "hunter2-hunter2"
DECLARED = [Declared(name=key.partition(":")[2], where="env", is_required=True) for key in (KEY, SHARED, TOKEN)]


@pytest.fixture
def acme(alice: User) -> Organization:
    return organization_create(actor=actor_of(alice), name="acme", owner=alice)


def servers(acme: Organization, user: User, numbers: range) -> Iterator[Deployment]:
    """Each has a value of the user's, one of the organization's that waits, and an account."""
    for number in numbers:
        made = make_deployment(user, f"server{number}", declared=to_json(DECLARED))
        Deployment.objects.filter(pk=made.pk).update(
            owner=acme.name, personal_inputs=[KEY, SHARED, TOKEN], personal_accounts={TOKEN: {"provider": "gone"}}
        )
        found = Deployment.objects.select_related("owner", "current_version").get(pk=made.pk)
        credentials_put(actor=actor_of(user), deployment=found, values={KEY: VALUE})
        given = {**given_now(found), SHARED: {"package": "pypi:other"}}
        holder = Holder.organization(acme.pk, found.pk)
        secrets_put(actor=OPERATOR, holder=holder, values={SHARED: VALUE}, given_to=given)
        yield found


def test_the_number_of_queries_does_not_grow_with_the_servers(acme: Organization, alice: User) -> None:
    client, numbers = browser(alice), {}
    for many in (range(1), range(1, 12)):
        list(servers(acme, alice, many))
        with CaptureQueriesContext(connection) as captured:
            text = client.get("/credentials/").content.decode()
        numbers[many.stop] = len(captured)
        assert text.count("is not what it was when these were stored") == many.stop
        assert text.count("The provider that this server named is gone") >= many.stop
    assert numbers[12] == numbers[1], [query["sql"] for query in captured.captured_queries]


def test_many_are_shown_as_each_is_alone(acme: Organization, alice: User) -> None:
    bob = make_user("bob")
    Membership.objects.create(organization=acme, user=bob, role=Membership.Role.MEMBER)
    list(servers(acme, alice, range(3)))
    for user, confirms in ((alice, True), (bob, False)):
        together = credentials_page(actor_of(user))
        assert together == [credentials_of(actor_of(user), row.deployment) for row in together] and len(together) == 3
        assert all(bool(row.suspended.waiting) is confirms for row in together)


def test_who_may_call_many_is_who_may_call_each(acme: Organization, alice: User) -> None:
    made = [make_deployment(alice, name) for name in ("own", "organizations", "public", "gone", "named")]
    own, organizations, public, gone, named = made
    Deployment.objects.filter(pk__in=[organizations.pk, gone.pk]).update(owner=acme.name)
    Deployment.objects.filter(pk=public.pk).update(access=Deployment.Access.PUBLIC)
    Deployment.objects.filter(pk=gone.pk).update(state=State.DELETING)
    people = [alice, make_user("stranger")]
    for role in Membership.Role.values:
        if role != Membership.Role.OWNER:
            people.append(make_user(f"a-{role}"))
            Membership.objects.create(organization=acme, user=people[-1], role=role)
    DeploymentMember.objects.create(deployment=named, user=people[1])
    deployments = list(Deployment.objects.select_related("owner"))
    for person in people:
        expected = {each.pk for each in deployments if may_call(actor_of(person), each)}
        assert sorted(each.pk for each in callable_by(person.pk)) == sorted(expected), person
    assert callable_by(people[1].pk).count() == 2


def test_a_switched_off_account_has_no_roles(acme: Organization, alice: User) -> None:
    assert roles_of(alice.pk) == {acme.pk: "owner"}
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert roles_of(alice.pk) == {}
