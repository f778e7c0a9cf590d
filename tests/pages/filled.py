"""What makes pages full that are empty on a new site, and the states in which pages look another way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.selectors import organization_get
from common import clock
from events.actors import OPERATOR
from hosting.credentials.eliciting import credentials_put
from hosting.credentials.personal import personal_set
from hosting.kinds.declared import Declared, to_json
from hosting.models import DataFolder, Deployment, Elicitation, Runner, Task, TaskLine, TaskResult
from hosting.states import State
from hosting.tasks.states import Outcome
from hosting.tasks.states import State as TaskState
from oauth.models import EnterpriseIdentity, TrustedIdp
from oauth.outbound.flow import site_peer
from oauth.outbound.providers import Wanted, provider_put
from tests.factories import actor_of
from tests.hosting.consent import browser
from tests.pages.visit import Visit

KEY = "env:API_KEY"
_REASONS = {
    State.FAILED: "It ended with exit code 1 before it answered. Look at its output under Logs.",
    State.BUILDING: "Installing 12 packages",
}
_FORM = {
    "method": "elicitation/create",
    "params": {
        "message": "Which floor, and may the door be opened?",
        "requestedSchema": {
            "type": "object",
            "properties": {
                "floor": {"type": "string", "enum": ["ground", "first"], "enumNames": ["Ground floor", "First floor"]},
                "open": {"type": "boolean", "title": "Open the door"},
            },
            "required": ["floor"],
        },
    },
}
_RESULT = {
    "content": [{"type": "text", "text": "# Done\n\nThree rows were changed."}],
    "structuredContent": {"rows": [{"id": 1, "name": "Bern"}, {"id": 2, "name": "Basel"}], "more": False},
}
_TASKS: list[dict[str, Any]] = [
    {"state": TaskState.LACKING},
    {"state": TaskState.WORKING, "progress": {"progress": 3, "total": 9, "message": "Row 3"}},
    {"state": TaskState.INPUT_REQUIRED, "questions": {"q1": _FORM}},
    *({"state": TaskState.ENDED, "outcome": outcome} for outcome in Outcome),
]
_REFUSED = {
    "/servers/new": {"kind": "package", "reference": "pypi:", "name": "Not a name!"},
    "/d/alice/time0/settings/running": {"section": "limits", "memory_bytes": "many"},
}


def fill(alice: User, others: list[User], deployments: list[Deployment]) -> str:
    """Rows for the pages of what waits, credentials, providers, data folders and identity; as many as there are
    deployments. Gives the id of a page that asks Alice for a key."""
    runner = Runner.objects.get(placements__deployment=deployments[0])  # which a running site has more of
    declared = to_json([Declared(name="API_KEY", where="env", is_required=True, is_secret=True)])
    for number, (made, user) in enumerate(zip(deployments, others, strict=True)):
        made.versions.update(declared=declared)
        personal_set(actor=actor_of(alice), deployment=_again(made), keys=[KEY])
        credentials_put(actor=actor_of(alice), deployment=_again(made), values={KEY: "not-a-key-of-anything"})
        ends = clock.now() + timedelta(minutes=10)
        page = Elicitation.objects.create(user=alice, client_id="c1", deployment=made, expires_at=ends)
        DataFolder.objects.create(
            deployment=deployments[0], key=f"{number:064x}", user=user, runner=runner, size_bytes=10**number
        )
        wanted = Wanted(name=f"forge{number}", title=f"Forge {number}", kind="github", client_id="x", client_secret="y")
        for subject_id in (None, deployments[0].pk):
            provider_put(site_peer(), actor=OPERATOR, subject_id=subject_id, wanted=wanted)
    idp = TrustedIdp.objects.create(
        organization=organization_get("acme0"),
        issuer="https://login.example.org/realms/people",
        jwks_uri="https://login.example.org/realms/people/keys",
        email_domains=["example.org"],
    )
    EnterpriseIdentity.objects.bulk_create(
        EnterpriseIdentity(idp=idp, subject=f"00u-{user.username}", user=user) for user in others
    )
    Deployment.objects.filter(pk=deployments[0].pk).update(has_data_folder=True)
    return page.pk


def _again(deployment: Deployment) -> Deployment:
    return Deployment.objects.select_related("owner", "current_version").get(pk=deployment.pk)


def states(alice: User, member: User) -> Iterator[Visit]:
    """Deployments and tasks in each state, forms that were refused, and what somebody sees who may call and not
    manage. The rows are those of `seeded`."""
    own, other = browser(alice), browser(member)
    for number, state in enumerate(State, start=2):
        Deployment.objects.filter(folded_name=f"time{number}").update(state=state, reason=_REASONS.get(state, ""))
        yield _kept("alice", own, f"/d/alice/time{number}/")
    for task in _tasks(alice):
        yield _kept("alice", own, f"/tasks/{task.pk}/")
    for tab in ("", "tools", "playground", "tasks", "data", "access", "settings"):
        yield _kept(member.username, other, f"/d/alice/time0/{tab}")
    for path, said in _REFUSED.items():
        yield _kept("alice", own, path, said)


def _kept(who: str, client: Client, path: str, said: Mapping[str, str] | None = None) -> Visit:
    answer = client.get(path) if said is None else client.post(path, said)
    assert said is None or answer.status_code == 400, path
    shown = path if said is None else f"{path}/refused"
    return Visit(who, path, shown, answer.status_code, dict(answer.headers), {}, (), answer.content)


def _tasks(alice: User) -> Iterator[Task]:
    """One of each way that a task can be in, made of those that there are."""
    found = list(Task.objects.filter(user=alice).order_by("created_at", "pk")[: len(_TASKS)])
    for task, fields in zip(found, _TASKS, strict=True):
        ended_at = clock.now() if "outcome" in fields else None
        Task.objects.filter(pk=task.pk).update(started_at=task.created_at, ended_at=ended_at, **fields)
        TaskLine.objects.create(task=task, seq=1, level="warning", text="It takes longer than it did.")
        if fields.get("outcome") in (Outcome.RESULT, Outcome.TOOL_ERROR):
            TaskResult.objects.create(task=task, body=json.dumps(_RESULT).encode())
        yield task
