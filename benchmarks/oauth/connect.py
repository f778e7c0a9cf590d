"""A program's whole connection (consent given, code redeemed) and its refreshes, with few and with many tokens stored.

`python -m benchmarks.oauth.connect [--tokens 1000000]`: one process, Django's own test client, a database of its own;
beside the same number of requests for a page that only signs in.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.registry.loaded import django_site

if TYPE_CHECKING:
    from tests.oauth.flow import Flow

EACH = 30
ROUNDS = 3
BATCH = 5000


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--tokens", type=int, default=1_000_000)
    tokens = asked.parse_args().tokens
    with django_site():
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["*"]
        logging.disable(logging.INFO)
        flow = _flow()
        before = _measure(flow)
        _fill(flow, tokens)
        after = _measure(flow)
    for name in before:
        few, many = before[name], after[name]
        print(f"{name:24} {few * 1e3:7.2f} ms  with {tokens:,} tokens {many * 1e3:7.2f} ms  ratio {many / few:5.2f}")
    print(f"connection to plain page: {before['authorize and token'] / before['plain page']:.1f}")


def _flow() -> Flow:
    from tests.factories import make_deployment, make_user
    from tests.oauth.flow import Flow, make_client, resource_of

    deployment = make_deployment(make_user())
    assert deployment.owner.user is not None
    return Flow(deployment.owner.user, make_client().client_id, resource_of(deployment))


def _measure(flow: Flow) -> dict[str, float]:
    from oauth.selectors import revoked_jtis

    refresh = [flow.connect()["refresh_token"]]

    def renew() -> None:
        status, answer = flow.refresh(refresh[0])
        assert status == 200, answer
        refresh[0] = answer["refresh_token"]

    return {
        "authorize and token": _each(flow.connect, EACH),
        "refresh": _each(renew, EACH),
        "plain page": _each(lambda: flow.person.get("/account/apps"), EACH),
        "list of revoked tokens": _each(revoked_jtis, EACH),
    }


def _each(do: Callable[[], object], count: int) -> float:
    """Seconds of one, median of rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            do()
        taken.append((time.perf_counter() - began) / count)
    return statistics.median(taken)


def _fill(flow: Flow, count: int) -> None:
    """Tokens as others have them: of a hundred users, half of them expired."""
    from django.db import connection

    from common import clock
    from oauth.models import AccessToken, Application
    from tests.factories import make_user

    users = [make_user(f"user-{number}") for number in range(100)]
    application = Application.objects.get(client_id=flow.client_id)
    now = clock.now()
    for start in range(0, count, BATCH):
        AccessToken.objects.bulk_create(
            AccessToken(
                user=users[number % 100],
                application=application,
                scope="mcp:read mcp:call",
                expires=now + timedelta(seconds=600 if number % 2 else -600),
                token="",
                token_checksum=uuid.uuid4().hex + uuid.uuid4().hex,
                jti=uuid.uuid4().hex,
                resource=[flow.resource],
            )
            for number in range(start, min(start + BATCH, count))
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
