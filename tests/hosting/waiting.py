"""A server to which each user brings a key, and tasks that wait for one."""

from __future__ import annotations

import json
from typing import Any

from accounts.models import User
from hosting.credentials import waiting
from hosting.credentials.personal import personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import Deployment, DeploymentMember, Task
from hosting.tasks.accepting import Wanted
from tests.factories import actor_of, make_deployment

KEY = "env:API_KEY"


def make_asking(owner: User, member: User) -> Deployment:
    declared = to_json([Declared(name="API_KEY", where="env", is_required=True, is_secret=True)])
    made = make_deployment(owner, argv=["run"], declared=declared)
    DeploymentMember.objects.create(deployment=made, user=member)
    personal_set(actor=actor_of(owner), deployment=made, keys=[KEY])
    made.refresh_from_db()
    return made


def wanted(deployment: Deployment, user: User, client: str = "cli", **more: Any) -> Wanted:
    given: dict[str, Any] = {
        "deployment_id": str(deployment.pk),
        "version_id": str(deployment.current_version_id),
        "user_id": user.pk,
        "principal": str(user.pk),
        "client": client,
        "origin": Task.Origin.LEGACY,
        "revision": "2025-11-25",
        "tool": "echo",
        "params": json.dumps({"name": "echo", "arguments": {"text": "x"}}),
        "exchange_owner": f"{user.pk} {client} {deployment.pk}",
        **more,
    }
    return Wanted(**given)


def wait(deployment: Deployment, user: User, client: str = "cli", **more: Any) -> Task:
    return waiting.task_create_waiting(wanted(deployment, user, client, **more), asks_by_url=True)
