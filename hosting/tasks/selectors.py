"""Reading tasks for people: one's own, and of a deployment for its owner without what was said in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, TextField, Value, When
from django.utils.translation import gettext

from accounts.models import Membership, Name
from accounts.permissions import CALLING
from common.errors import NotFound
from events.actors import Actor
from hosting.access.permissions import may_manage, unknown
from hosting.models import Deployment, DeploymentMember, Task, TaskLine
from hosting.states import State as DeploymentState
from hosting.tasks.bodies import body_of
from hosting.tasks.states import ASKING, OPEN, Outcome, State

PAGE = 30
LINES = 500
ID_LENGTH = 64

_O = Outcome
FILTERS: dict[str, Q] = {
    "working": Q(state__in=sorted(OPEN - ASKING)),
    "input_required": Q(state__in=sorted(ASKING)),
    "done": Q(state=State.ENDED, outcome=_O.RESULT),
    "failed": Q(state=State.ENDED, outcome__in=[_O.TOOL_ERROR, _O.ERROR, _O.LOST]),
    "cancelled": Q(state=State.ENDED, outcome=_O.CANCELLED),
}


def task_unknown() -> NotFound:
    return NotFound("task_unknown", gettext("There is no such task, or it isn't yours."))


def tasks_of(actor: Actor) -> QuerySet[Task]:
    """The actor's own tasks; of nobody's and others' there are none. Every page, feed and API reads through this."""
    if actor.user_id is None:
        return Task.objects.none()
    return Task.objects.filter(user_id=actor.user_id)


def task_of_person(actor: Actor, task_id: str) -> Task:
    """The actor's own task. Raises NotFound, for another's as for none: one query, one error."""
    found = None
    if len(task_id) <= ID_LENGTH and "\0" not in task_id:
        rows = tasks_of(actor).select_related("deployment__owner", "version", "runner")
        found = rows.filter(pk=task_id).first()
    if found is None:
        raise task_unknown()
    return found


@dataclass(frozen=True)
class TaskPage:
    """Newest first. `next` goes in as `after` for the older ones, "" when there are none."""

    tasks: list[Task]
    next: str


def tasks_page(
    actor: Actor, *, state: str = "", deployment_id: UUID | None = None, after: str = "", limit: int = PAGE
) -> TaskPage:
    """The actor's own tasks. An unknown `state` and a broken `after` count as none."""
    rows = tasks_of(actor).select_related("deployment__owner").defer("params", "questions", "capabilities")
    if deployment_id is not None:
        rows = rows.filter(deployment_id=deployment_id)
    if state in FILTERS:
        rows = rows.filter(FILTERS[state])
    found, following = _page(rows, after, limit)
    return TaskPage(found, following)


def deployments_with_tasks(actor: Actor) -> list[Deployment]:
    """The servers that a filter of the actor's tasks may name."""
    mine = tasks_of(actor).filter(deployment_id=OuterRef("pk"))
    return list(Deployment.objects.filter(Exists(mine)).select_related("owner").order_by("owner__folded", "name"))


@dataclass(frozen=True)
class TaskHead:
    """What a deployment's owner sees of a task: that it ran, not what was said. `who` is "" for nobody known."""

    tool: str
    who: str
    state: str
    outcome: str
    created_at: datetime
    ended_at: datetime | None
    attempts: int

    @property
    def is_ended(self) -> bool:
        return self.state == State.ENDED


def task_heads(
    actor: Actor, deployment: Deployment, *, state: str = "", after: str = "", limit: int = PAGE
) -> tuple[list[TaskHead], str]:
    """All callers' tasks of a deployment. Raises NotFound for who doesn't manage it."""
    if not may_manage(actor, deployment):
        raise unknown()
    columns = ("tool", "state", "outcome", "created_at", "ended_at", "attempts", "user")
    rows = Task.objects.filter(deployment=deployment).select_related("user").only(*columns, "user__username")
    if state in FILTERS:
        rows = rows.filter(FILTERS[state])
    found, following = _page(rows, after, limit)
    heads = [
        TaskHead(
            tool=task.tool,
            who=task.user.username if task.user is not None else "",
            state=task.state,
            outcome=task.outcome,
            created_at=task.created_at,
            ended_at=task.ended_at,
            attempts=task.attempts,
        )
        for task in found
    ]
    return heads, following


def result_of(task: Task) -> bytes:
    """Raw JSON of the result or the error, b"" where there is none. `task` has come from `task_of_person`."""
    return body_of(task.id)


def lines_of(task: Task) -> list[TaskLine]:
    """The last lines, oldest first."""
    return list(task.lines.order_by("-attempt", "-seq")[:LINES])[::-1]


def lines_after(task_id: str, after: str, limit: int = LINES) -> list[TaskLine]:
    """Lines behind a position ("attempt.seq", as `position_of` gives it), oldest first. A broken one counts as none."""
    rows = TaskLine.objects.filter(task_id=task_id)
    attempt, _, seq = after.partition(".")
    if attempt.isascii() and attempt.isdigit() and seq.isascii() and seq.isdigit() and len(after) < 30:
        rows = rows.filter(Q(attempt=int(attempt), seq__gt=int(seq)) | Q(attempt__gt=int(attempt)))
    return list(rows.order_by("attempt", "seq")[:limit])


def position_of(line: TaskLine) -> str:
    return f"{line.attempt}.{line.seq}"


def _page(rows: QuerySet[Task], after: str, limit: int) -> tuple[list[Task], str]:
    at, _, task_id = after.partition("~")
    try:
        parsed = datetime.fromisoformat(at) if len(after) < 120 and "\0" not in after else None
    except ValueError:
        parsed = None
    if parsed is not None and parsed.tzinfo is not None:
        rows = rows.filter(Q(created_at__lt=parsed) | Q(created_at=parsed, pk__lt=task_id))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return found, f"{found[-1].created_at.isoformat()}~{found[-1].pk}" if more else ""


def tasks_without_access(limit: int) -> list[tuple[Task, str]]:
    """Open tasks whose user may no longer call their server, or whose server is not to run; each with the reason."""
    shared = DeploymentMember.objects.filter(deployment=OuterRef("deployment"), user=OuterRef("user"))
    owners = Membership.objects.filter(
        organization=OuterRef("deployment__owner__organization"),
        user=OuterRef("user"),
        user__is_active=True,
        role__in=CALLING,
    )
    is_off = Q(user__is_active=False)
    is_stopped = Q(deployment__wanted=Deployment.Wanted.STOPPED) | Q(deployment__state=DeploymentState.DELETING)
    owner = Name.objects.filter(pk=OuterRef("deployment__owner"), user=OuterRef("user"))
    is_private = Q(deployment__access=Deployment.Access.PRIVATE, deployment__is_anonymous=False, user__isnull=False)
    is_foreign = is_private & ~Exists(owner) & ~Exists(owners) & ~Exists(shared)
    is_uninvited = Q(user=None, deployment__is_anonymous=False)
    rows = (
        Task.objects.filter(state__in=sorted(OPEN))
        .filter(is_off | is_stopped | is_foreign | is_uninvited)
        .annotate(
            why=Case(
                When(is_stopped, then=Value("Its server was stopped or deleted.")),
                When(is_off, then=Value("The account of its user is switched off.")),
                default=Value("Its user may no longer call this server."),
                output_field=TextField(),
            )
        )
    )
    return [(task, task.why) for task in rows[:limit]]


def stamp_of(actor: Actor) -> str:
    """Another one whenever any of the actor's tasks has changed or gone."""
    found = tasks_of(actor).aggregate(count=Count("pk"), last=Max("updated_at"))
    return f"{found['count']}-{found['last'].timestamp() if found['last'] else 0}"
