"""A server whose token each user brings by connecting an account of the Forge."""

from __future__ import annotations

from accounts.models import User
from events.actors import OPERATOR
from hosting.credentials.accounts import Chosen, accounts_set
from hosting.credentials.personal import personal_for
from hosting.models import Deployment
from oauth.models import Connection
from tests.hosting import consent
from tests.oauth.elsewhere import FakeAuthorizationServer

KEY = "env:FORGE_TOKEN"


def choose(deployment: Deployment, *scopes: str, chosen: dict[str, Chosen] | None = None) -> None:
    """The Forge's account with these scopes, or what is chosen instead."""
    wanted = {KEY: Chosen("forge", scopes)} if chosen is None else chosen
    accounts_set(actor=OPERATOR, deployment=deployment, chosen=wanted, is_own=False)
    deployment.refresh_from_db()


def connect(deployment: Deployment, user: User, forge: FakeAuthorizationServer) -> Connection:
    consent.connect(deployment, user, KEY, forge, iss=None)
    return Connection.objects.get(user=user)


def token_of(deployment: Deployment, user: User) -> str:
    return personal_for(deployment.pk, user.pk).personal.env.get("FORGE_TOKEN", "")
