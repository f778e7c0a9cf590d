"""What the site of this benchmark has besides its registry, and who looks at it. Runs in that site's environment.

python -m benchmarks.pages.rows: makes the rows if they are not there, and prints a JSON object for `site.py`.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

CALLS = 100_000  # in 30 days, of one deployment
CALLS_OF_OTHERS = 2_000  # of each
TASKS = 5_000  # of one person
BATCH = 5_000
FURTHER = (  # which the walk of named addresses does not have
    ("registry:browse, search", "/registry/?q=github"),
    ("registry:browse, search and filters", "/registry/?q=file+search&package=npm&runs=local"),
    ("registry:browse, updated first", "/registry/?sort=updated"),
    ("registry:browse, nothing found", "/registry/?q=qqqqzzzzxxxx"),
    ("hosting:deployment, 24 h", "/d/alice/time0/?period=24h"),
    ("hosting:deployment, 30 d", "/d/alice/time0/?period=30d"),
    ("documentation:search", "/docs/search?q=token"),
)
WHO = "alice"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    os.environ["SLIPWAY_PART"] = "shell"
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, transaction

    settings.ALLOWED_HOSTS.append("testserver")
    from accounts.models import User
    from hosting.models import Deployment
    from hosting.states import State

    kept = settings.SLIPWAY_HOME / "benchmark-pages.json"
    if not kept.exists():
        with transaction.atomic():  # so that what failed can be tried again
            found = sorted(made())
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        kept.write_text(json.dumps(found))
    # As after a good start, whatever jobs of the site made of packages that were never built.
    Deployment.objects.update(state=State.READY, reason="")
    paths = [*map(tuple, json.loads(kept.read_text())), *FURTHER]
    from django.test import Client

    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username=WHO))
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    queries = {path: count for _, path in paths if (count := counted(client, path)) is not None}
    print(json.dumps({"paths": paths, "queries": queries, "cookie": f"{session.key}={session.value}"}))


def counted(client: Any, path: str) -> int | None:
    """How many queries a page asks; None of what is no page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
        if answer.streaming:
            answer.getvalue()
    is_page = answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
    return len(captured.captured_queries) if is_page else None


def made() -> Iterator[tuple[str, str]]:
    """The rows of the walk, many calls and tasks, and nothing that jobs of the site would run. Gives the paths."""
    from accounts.models import User
    from common import clock
    from hosting.models import Deployment, DeploymentVersion, Task
    from hosting.usage.records import calls_write
    from hosting.usage.tallies import calls_join_days
    from tests.pages.visits import paths, seeded

    values = seeded()
    DeploymentVersion.objects.update(tools=[])  # so that no job looks at what was never built
    deployment = Deployment.objects.get(owner__folded=WHO, folded_name="time0")
    dice = random.Random(5)
    for each in Deployment.objects.all():
        for _ in range(CALLS // BATCH if each == deployment else 1):
            calls_write([_call(dice, str(each.pk)) for _ in range(BATCH if each == deployment else CALLS_OF_OTHERS)])
    calls_join_days()
    alice, now = User.objects.get(username=WHO), clock.now()
    Task.objects.bulk_create(
        (_task(deployment, alice, now - timedelta(seconds=dice.random() * 86_400)) for _ in range(TASKS)), 1000
    )
    Task.objects.exclude(state="ended").update(state="ended", outcome="result", ended_at=now, expires_at=None)
    yield from paths(values)


def _call(dice: random.Random, deployment_id: str) -> Any:
    from hosting.usage.calls import CallRow

    return CallRow(
        deployment_id,
        "",
        time.time() - dice.random() * 30 * 86_400,
        round(dice.lognormvariate(10, 1)),
        "tools/call",
        f"tool_{dice.randrange(12)}",
        "",
        "benchmark",
        "modern",
        200,
        400,
        dice.choices(("ok", "tool_error", "error"), (96, 3, 1))[0],
        dice.random() < 0.02,
    )


def _task(deployment: Any, user: Any, at: Any) -> Any:
    from hosting.models import Task

    return Task(
        deployment=deployment,
        user=user,
        principal=str(user.pk),
        origin=Task.Origin.MODERN,
        revision="2026-07-28",
        tool="work1",
        params="{}",
        state="ended",
        outcome="result",
        created_at=at,
        ended_at=at,
    )


if __name__ == "__main__":
    main()
