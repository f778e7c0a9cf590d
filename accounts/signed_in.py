"""Who is signed in still."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session

from accounts.models import User

SignedIn = tuple[UUID, str]
"""A user's id and the key of their session; "" where there is none, which asks for the user alone."""


def signed_in_of(scope: Mapping[str, Any]) -> SignedIn | None:
    """Of a websocket behind Channels' AuthMiddlewareStack; None for a visitor."""
    user, session = scope.get("user"), scope.get("session")
    if user is None or not user.is_authenticated:
        return None
    return user.pk, (session.session_key if session is not None else "") or ""


def still_signed_in(those: Collection[SignedIn]) -> set[SignedIn]:
    """Without those who have been switched off or have signed out, in two queries however many they are."""
    users = {user_id for user_id, _ in those}
    active = set(User.objects.filter(pk__in=users, is_active=True).values_list("pk", flat=True))
    keys = {key for _, key in those if key}
    kept = set(Session.objects.filter(pk__in=keys).values_list("pk", flat=True)) | {""}
    return {(user_id, key) for user_id, key in those if user_id in active and key in kept}
