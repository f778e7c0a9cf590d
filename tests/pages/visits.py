"""A visit to every named address of the site, with rows that make its lists long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from accounts.services import organization_create
from common import clock
from events.actors import OPERATOR, person
from hosting.access.endpoint_tokens import deployment_token_issue
from hosting.access.members import member_add
from hosting.models import CallHour, CallRecord, Deployment, Task
from hosting.tools.records import tools_seen
from oauth import scopes
from oauth.api_tokens import api_token_issue
from tests.factories import make_deployment, make_runner, make_user, place
from tests.pages.filled import fill
from tests.pages.visit import Visit
from tests.registry.site import put

ROWS = 12  # of each list: more than the queries that a page may ask
_PARAMETER = re.compile(r"\(\?P<(\w+)>")


def visits(who: Sequence[str] = ("alice",), *, language: str = "en") -> list[Visit]:
    """Every address once for each of them, by GET: "alice", who may see all of it, or "", who is not signed in. The
    rows are there afterwards."""
    found = sorted(paths(seeded()))
    return [visit for one in who for visit in visited(one, found, language)]


def visited(who: str, found: Iterable[tuple[str, str]], language: str = "en") -> Iterator[Visit]:
    """By name and path."""
    client = Client(raise_request_exception=False, headers={"accept-language": language})
    if who:
        client.force_login(User.objects.get(username=who))
    for name, path in found:
        yield _visit(who, client, name, path)


def _visit(who: str, client: Client, name: str, path: str) -> Visit:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
        body = answer.getvalue() if answer.streaming else answer.content
    queries = tuple(query["sql"] for query in captured.captured_queries)
    return Visit(who, name, path, answer.status_code, dict(answer.headers), dict(answer.cookies), queries, body)


def paths(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Name and path of every named address. `values` are the parameters by name of an address, its app, or "all"."""
    for name, parameters in _named(get_resolver()):
        own = {**values["all"], **values.get(name.partition(":")[0], {}), **values.get(name, {})}
        try:
            yield name, reverse(name, kwargs={parameter: own[parameter] for parameter in parameters})
        except (KeyError, NoReverseMatch) as error:
            raise AssertionError(f"tests/pages/visits.py has no value for {name}: {error}") from error


def _named(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, list[str]]]:
    """Name and parameters of each pattern that has a name."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            parameters = [*each.pattern.converters, *_PARAMETER.findall(str(each.pattern))]
            for name, inner in _named(each, f"{each.namespace}:" if each.namespace else ""):
                yield f"{space}{name}", [*parameters, *inner]
        elif isinstance(each, URLPattern) and each.name:
            yield f"{space}{each.name}", [*each.pattern.converters, *_PARAMETER.findall(str(each.pattern))]


def seeded(rows: int = ROWS) -> dict[str, dict[str, Any]]:
    """Makes so many rows of each list, two at least; gives what they are called, for `paths`."""
    alice = make_user("alice", is_superuser=True)
    User.objects.filter(pk=alice.pk).update(site_role=User.SiteRole.MODERATOR)
    others = [make_user(f"bob{number}") for number in range(rows)]
    for number in range(rows):
        organization_create(actor=person(alice.pk), name=f"acme{number}", owner=alice)
        put(f"org.example.tools/server{number}")
        put("org.example.tools/weather", f"1.{number}.0")
    deployments = [make_deployment(alice, f"time{number}") for number in range(rows)]
    place(deployments[0], make_runner(last_seen_at=clock.now() - timedelta(days=1)))
    for deployment in deployments[:2]:
        tools_seen(deployment.pk, [_tool(number) for number in range(rows)])
    tasks = [_task(deployments[number % 2], alice, number) for number in range(2 * rows)]
    for other in others:
        member_add(actor=OPERATOR, deployment=deployments[0], user=other)
        api_token_issue(actor=OPERATOR, user=alice, scopes=scopes.API_KNOWN, ttl_seconds=600, note=other.username)
        deployment_token_issue(
            actor=person(alice.pk), user=alice, deployment=deployments[0], scopes=scopes.DEFAULT, ttl_seconds=600
        )
        CallRecord.objects.create(deployment=deployments[0], user=other, method="tools/call", tool="work")
    for hours in range(2 * rows):  # so that there is something to draw
        hour = clock.now() - timedelta(hours=6 * hours)
        CallHour.objects.create(
            deployment=deployments[0], hour=hour, step=80 + hours, calls=9, answered=8, errors=hours % 3, cold_starts=1
        )
    asking = fill(alice, others, deployments)
    return {
        "all": {
            "owner": "alice", "name": "time0", "number": 1, "key": "0" * 32, "tool": "work0", "user": "bob0",
            "token": "x" * 40, "token_id": UUID(int=0), "task_id": str(tasks[0].pk), "deployment_id": deployments[0].pk,
            "elicitation_id": asking, "app_id": "x" * 32, "slug": "architecture", "tab": "versions", "kind": "public",
            "provider_id": "openid", "uidb36": "1", "setting": "env:API_KEY", "organization": "acme0",
            "language": "en",
        },
        "accounts": {"name": "acme0"},
        "oauth": {"name": "acme0"},
        "registry": {"name": "org.example.tools/weather"},
    }  # fmt: skip


def _tool(number: int) -> dict[str, Any]:
    return {"name": f"work{number}", "description": "Works.", "inputSchema": {"type": "object"}}


def _task(deployment: Deployment, user: User, number: int) -> Task:
    return Task.objects.create(
        deployment=deployment,
        version=deployment.current_version,
        user=user,
        principal=str(user.pk),
        client="c1",
        client_info="{}",
        origin=Task.Origin.MODERN,
        revision="2026-07-28",
        tool=f"work{number % ROWS}",
        params="{}",
        ended_at=clock.now() if number % 3 == 0 else None,
    )
