"""The fixture `committed` leaves nothing to the tests after it, whatever a test of it made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import DEFAULT_DB_ALIAS, connections

from accounts.models import OneTimeLink
from accounts.services import one_time_link_create, organization_create
from events.actors import OPERATOR
from oauth.api_tokens import api_token_issue
from registry.moderation.services import report_make
from tests.factories import actor_of, make_queued, make_user
from tests.registry import rows
from tests.registry.site import put


@pytest.fixture
def after(db: None) -> Iterator[None]:
    """Asked for before `committed`, so that it ends after it."""
    yield
    assert rows.filled(connections[DEFAULT_DB_ALIAS]) == set()


def test_nothing_is_left(after: None, committed: None) -> None:
    user = make_user()
    organization_create(actor=OPERATOR, name="acme", owner=user)
    one_time_link_create(actor=OPERATOR, purpose=OneTimeLink.Purpose.SIGN_IN, user=user)
    api_token_issue(actor=OPERATOR, user=user, scopes=["registry:publish"], ttl_seconds=60)
    SessionStore().save()
    make_queued(user)
    put("io.example/one")
    report_make(actor=actor_of(user), name="io.example/one", kind="spam", text="It is")
    expected = {"accounts_name", "accounts_membership", "events_auditentry", "oauth_apitoken", "django_session"}
    assert expected | {"hosting_deployment", "registry_report"} < rows.filled(connections[DEFAULT_DB_ALIAS])
