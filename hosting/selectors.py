"""Reading deployments for pages, commands and the live feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext

from accounts import names as account_names
from accounts.models import Name, User
from accounts.permissions import member_ids
from common import clock
from common.errors import NotFound
from events.actors import Actor
from events.models import AuditEntry
from hosting import names
from hosting.access.permissions import may_manage, may_see, unknown
from hosting.models import Deployment, DeploymentVersion, Instance, Runner, Tool
from hosting.states import State
from hosting.tools.definitions import cleaned


def deployments() -> QuerySet[Deployment]:
    """What exists, with what pages show of it."""
    found = Deployment.objects.select_related("owner", "current_version").exclude(state=State.DELETING)
    return found.defer("current_version__build_log")  # long, and of no use but to who looks at that version


def deployment_find(owner: str, name: str, *, is_routed: bool = False) -> Deployment | None:
    """`is_routed` selects what `hosting.routing.route_of` reads, too."""
    found = deployments()
    if is_routed:
        found = found.select_related("current_version__environment", "placement__runner")
    return found.filter(owner__folded=account_names.fold(owner), folded_name=names.fold(name)).first()


def deployment_get(owner: str, name: str, *, is_routed: bool = False) -> Deployment:
    """Raises NotFound. For operators; a person's request goes through `deployment_seen_by`."""
    found = deployment_find(owner, name, is_routed=is_routed)
    if found is None:
        raise unknown()
    return found


def deployment_seen_by(actor: Actor, owner: str, name: str, *, is_routed: bool = False) -> Deployment:
    """Raises NotFound when it isn't there or isn't the actor's to see."""
    found = deployment_get(owner, name, is_routed=is_routed)
    if not may_see(actor, found):
        raise unknown()
    return found


def deployment_managed_by(actor: Actor, owner: str, name: str, *, is_routed: bool = False) -> Deployment:
    """Raises NotFound when it isn't there or isn't the actor's to manage."""
    found = deployment_get(owner, name, is_routed=is_routed)
    if not may_manage(actor, found):
        raise unknown()
    return found


def belongs_to(user: User) -> Q:
    """Owned by the user or an organization of the user's, or shared with the user. Joins: a row may come twice."""
    return Q(owner__user=user) | Q(owner__organization__memberships__user=user) | Q(memberships__user=user)


def deployments_of(user: User) -> QuerySet[Deployment]:
    """All that belongs to the user."""
    return (
        deployments()
        .filter(pk__in=Deployment.objects.filter(belongs_to(user)).values("pk"))
        .order_by("owner__folded", "folded_name")
    )


def name_free(owner: Name, wanted: str) -> str:
    """`wanted`, with a number behind it where the owner has a server of that name. It may be taken meanwhile."""
    begun = names.fold(wanted)
    rows = Deployment.objects.filter(owner=owner, folded_name__startswith=begun)
    taken = set(rows.values_list("folded_name", flat=True))
    if begun not in taken:
        return wanted
    short = wanted[: names.MAX_LENGTH - 5]
    return next(name for number in range(2, len(taken) + 3) if (name := f"{short}-{number}").casefold() not in taken)


def versions_of(deployment: Deployment) -> QuerySet[DeploymentVersion]:
    return deployment.versions.select_related("environment").order_by("-number")


def versions_compared(deployment: Deployment) -> list[tuple[DeploymentVersion, int | None]]:
    """Newest first, each with the number of the first version that runs from the very same environment."""
    first: dict[UUID | None, int] = {None: 0}
    compared = []
    for version in versions_of(deployment).reverse():
        number = first.setdefault(version.environment_id, version.number)
        compared.append((version, number if number not in (0, version.number) else None))
    return compared[::-1]


def version_latest(deployment: Deployment) -> DeploymentVersion | None:
    return versions_of(deployment).first()


def version_numbered(deployment: Deployment, number: int) -> DeploymentVersion:
    """Raises NotFound."""
    version = versions_of(deployment).filter(number=number).first()
    if version is None:
        raise NotFound("version_unknown", gettext("There is no version %(number)s.") % {"number": number})
    return version


def tool_named(deployment: Deployment, name: str) -> Tool:
    """Raises NotFound."""
    tool = deployment.tools.select_related("approved_by").filter(name=cleaned(name)).first()
    if tool is None:
        raise NotFound("tool_unknown", gettext("This server has no such tool."))
    return tool


def instances_of(deployment: Deployment) -> QuerySet[Instance]:
    return deployment.instances.select_related("runner", "version").order_by("started_at")


@dataclass(frozen=True)
class Member:
    """Somebody who may call it while it is private: as owner, or by name."""

    user: User
    role: str  # owner | member


def members_of(deployment: Deployment) -> list[Member]:
    owners = User.objects.filter(pk__in=member_ids(deployment.owner)).order_by("username")
    named = deployment.members.exclude(pk__in=[user.pk for user in owners]).order_by("username")
    return [Member(user, "owner") for user in owners] + [Member(user, "member") for user in named]


def builds_forgotten(queued_before: datetime) -> QuerySet[DeploymentVersion]:
    """Versions whose build should be done or under way: a job may have been lost between commit and broker."""
    waiting = Q(deployment__state__in=[State.QUEUED, State.BUILDING])
    return DeploymentVersion.objects.filter(waiting, built_at=None, failure="", queued_at__lt=queued_before)


def looks_forgotten(queued_before: datetime) -> QuerySet[DeploymentVersion]:
    """Current versions that nobody has ever seen at work, though nothing failed: their first look was lost."""
    deployments = Deployment.objects.filter(state__in=[State.READY, State.RUNNING], current_version__tools__isnull=True)
    return DeploymentVersion.objects.filter(pk__in=deployments.values("current_version"), queued_at__lt=queued_before)


def deployment_ids_at(runner: Runner) -> set[UUID]:
    return set(runner.placements.values_list("deployment_id", flat=True))


def deployed_by(deployment: Deployment) -> dict[int, str]:
    """Who asked for each version, by its number: a person's name, or "operator"."""
    entries = AuditEntry.objects.filter(
        subject_type="deployment", subject_id=str(deployment.pk), action__in=["deployment:create", "deployment:deploy"]
    ).values_list("actor", "data", "action")
    found = {1 if action == "deployment:create" else data.get("version", 0): actor for actor, data, action in entries}
    ids = {actor.removeprefix("user:") for actor in found.values() if actor.startswith("user:")}
    people = {f"user:{user.pk}": user.username for user in User.objects.filter(pk__in=ids)}
    return {number: people.get(actor, actor.partition(":")[0]) for number, actor in found.items()}


def setting_missing(deployment: Deployment) -> str:
    """The setting that the last failed start named, "" when there is none."""
    version = deployment.current_version
    return version.missing if version is not None else ""


@dataclass(frozen=True)
class ToTry:
    """A tool for a first call. `is_bare`: it can be called without arguments."""

    tool: str
    is_bare: bool


def tool_to_try(deployment: Deployment) -> ToTry | None:
    """The first that needs no arguments, else the first; None while nobody knows what the server offers."""
    version = deployment.current_version
    tools = [tool for tool in (version.tools if version else None) or [] if isinstance(tool.get("name"), str)]
    bare = next((tool for tool in tools if not (tool.get("inputSchema") or {}).get("required")), None)
    found = bare or next(iter(tools), None)
    return ToTry(found["name"], found is bare) if found else None


def tools_held(deployment: Deployment) -> int:
    """How many tools wait for approval."""
    if deployment.tool_approval == Deployment.Approval.AUTOMATIC:
        return 0
    return deployment.tools.filter(is_listed=True).exclude(seen_digest=F("approved_digest")).count()


@dataclass(frozen=True)
class Connections:
    """What a deployment's instances did with one host and port, over some days. `octets` go both ways."""

    host: str
    port: int
    connections: int
    refused: int
    octets: int


def connections_of(deployment: Deployment, days: int, most: int = 100) -> list[Connections]:
    """By host, the most used first."""
    since = clock.now().date() - timedelta(days=days - 1)
    rows = (
        deployment.egress_records.filter(day__gte=since)
        .values("host", "port")
        .annotate(made=Sum("connections"), turned_away=Sum("refused"), both_ways=Sum("octets"))
        .order_by("-made", "-turned_away", "host", "port")[:most]
    )
    return [Connections(row["host"], row["port"], row["made"], row["turned_away"], row["both_ways"]) for row in rows]
