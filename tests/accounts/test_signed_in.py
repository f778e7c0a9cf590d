"""Who is signed in still, asked for many at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from accounts.signed_in import still_signed_in
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    key = client.session.session_key
    assert key is not None
    return key


def test_those_who_left_or_were_switched_off_are_not(django_assert_num_queries: Any) -> None:
    alice, bob, carol = (make_user(name) for name in ("alice", "bob", "carol"))
    here, elsewhere, bobs, left, carols = (session_of(user) for user in (alice, alice, bob, bob, carol))
    Session.objects.get(pk=left).delete()
    User.objects.filter(pk=carol.pk).update(is_active=False)
    good = {(alice.pk, here), (alice.pk, elsewhere), (alice.pk, ""), (bob.pk, bobs)}
    bad = {(carol.pk, carols), (carol.pk, ""), (bob.pk, left), (alice.pk, "made-up"), (uuid4(), "")}
    with django_assert_num_queries(2):
        assert still_signed_in(good | bad) == good
