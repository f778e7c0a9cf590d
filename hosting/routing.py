"""From a URL's owner and name to where its calls go. Plain synchronous reads; callers cache them.

A Route is what the MCP endpoint needs for one call and nothing that changes with each call. `placement_for` is what a
runner needs to take a deployment over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts import names as account_names
from accounts.permissions import member_ids
from common.errors import NotFound, Unavailable
from hosting import names
from hosting.configuration import inputs, limits
from hosting.configuration.given import declared_of, settings_of
from hosting.fleet import owner_shares
from hosting.kinds.declared import Declared
from hosting.models import Deployment, DeploymentVersion, Environment, Runner, RunnerPlacement, Tool
from hosting.questions.rules import pages_of
from hosting.quotas import quotas
from hosting.runner.placement import Egress, Placement, Remote
from hosting.states import CALLABLE, State
from hosting.tools import names as tool_names
from hosting.tools.definitions import ToolPolicy
from hosting.tools.policies import policy_kept
from oauth.outbound.connections import Own
from oauth.outbound.flow import site_peer
from oauth.outbound.using import bearer_for

OPEN = ToolPolicy()
OWN_ACCOUNT = "account:remote"  # in personal_inputs and personal_accounts: each user signs in to the remote server


@dataclass(frozen=True)
class Route:
    """`runner_address` is "" while nothing is placed; `version_id` is "" while nothing is built."""

    deployment_id: str
    version_id: str
    owner: str  # as shown
    name: str  # as shown
    access: str  # private | public
    member_ids: frozenset[str]  # users who may call it while it is private
    state: str
    reason: str
    epoch: int
    runner_address: str
    resource: str  # the full URL of the endpoint: the audience of its tokens
    isolation: str  # session | principal | shared
    is_personal: bool = field(default=False, kw_only=True)  # each user brings values (hosting.credentials)
    policy: ToolPolicy = OPEN  # which of its tools may be seen and called
    generation: int = 0  # grows with every version and setting
    is_anonymous: bool = False  # callable without an account, and by everybody who has one
    has_tasks: bool = False  # every tool may run as a task
    task_support: Mapping[str, str] = field(default_factory=dict)  # tool -> optional | required | forbidden
    may_run_again: frozenset[str] = frozenset()  # tools whose task may run a second time where its call was lost
    names_taken: frozenset[str] = frozenset()  # of tool_names.OF_TASKS: what the server has a tool of its own under
    hand_off_seconds: int = 0  # then a call is handed to a task, for clients that know none; 0: never
    serves_meanwhile: bool = False  # while another version is built: this one is whole

    @property
    def is_callable(self) -> bool:
        """Built, and wanted to run. Not callable: `state` and `reason` say why."""
        if self.state in CALLABLE:
            return bool(self.version_id)
        return self.serves_meanwhile and self.state in (State.QUEUED, State.BUILDING)


def resource_url(owner: str, name: str) -> str:
    """The one spelling of a deployment's URL, whose letters are folded: tokens compare it byte for byte."""
    return f"{settings.SLIPWAY_URL}/mcp/{account_names.fold(owner)}/{names.fold(name)}"


def route_for(owner: str, name: str) -> Route | None:
    """None when there is no such deployment, or none any more."""
    deployment = (
        routed()
        .filter(owner__folded=account_names.fold(owner), folded_name=names.fold(name))
        .exclude(state=State.DELETING)
        .first()
    )
    return route_of(deployment) if deployment else None


def route_by_id(deployment_id: UUID | str) -> Route:
    """Raises NotFound."""
    deployment = routed().filter(pk=deployment_id).exclude(state=State.DELETING).first()
    if deployment is None:
        raise NotFound("deployment_unknown", "There is no such server.")
    return route_of(deployment)


def routed() -> QuerySet[Deployment]:
    return Deployment.objects.select_related("owner", "current_version__environment", "placement__runner")


def _is_whole(version: DeploymentVersion | None) -> bool:
    """Not one that is itself being built again: as of its release day, or because its environment was taken away."""
    if version is None or version.built_at is None or not version.is_ready:
        return False
    return version.environment is None or version.environment.state == Environment.Status.READY


def route_of(deployment: Deployment) -> Route:
    rules = task_rules_of(deployment.pk) if deployment.has_tasks else TaskRules()
    version = deployment.current_version
    placement = _placement(deployment)
    runner = placement.runner if placement else None
    is_live = runner is not None and runner.state == Runner.Status.LIVE
    members = member_ids(deployment.owner) | frozenset(deployment.members.values_list("id", flat=True))
    return Route(
        deployment_id=str(deployment.id),
        version_id=str(version.id) if version and version.is_ready else "",
        owner=deployment.owner.display,
        name=deployment.name,
        access=deployment.access,
        member_ids=frozenset(map(str, members)),
        state=deployment.state,
        reason=deployment.reason,
        epoch=placement.epoch if placement else 0,
        runner_address=runner.address if runner and is_live else "",
        resource=resource_url(deployment.owner.folded, deployment.folded_name),
        isolation=_isolation(deployment),
        is_personal=bool(deployment.personal_inputs),
        policy=policy_kept(deployment),
        has_tasks=deployment.has_tasks,
        is_anonymous=deployment.is_anonymous,
        task_support=rules.support,
        may_run_again=rules.may_run_again,
        names_taken=rules.names_taken,
        hand_off_seconds=deployment.hand_off_seconds if deployment.has_tasks else 0,
        serves_meanwhile=_is_whole(version),
        generation=placement.generation if placement else 0,
    )


def placement_for(deployment_id: UUID | str) -> tuple[str, Placement]:
    """The runner's address, and what it is to be given. Raises NotFound, Unavailable when it can't be called, or
    Conflict when its secrets can't be opened."""
    deployment = routed().filter(pk=deployment_id).exclude(state=State.DELETING).first()
    if deployment is None:
        raise NotFound("deployment_unknown", "There is no such server.")
    route = route_of(deployment)
    if not route.is_callable:
        raise not_callable(route)
    if not route.runner_address:
        raise Unavailable("not_placed", f"{deployment.label} isn't placed on a runner at this moment. Try again.")
    version = deployment.current_version
    assert version is not None
    chosen, runner = limits.limits_of(deployment.limits), deployment.placement.runner
    assert runner is not None  # it has an address
    share = owner_shares.share_take(deployment.owner, runner, quotas.memory_of(deployment.kind, deployment.limits))
    given = settings_of(deployment)
    declared = declared_of(version)
    argv, env = inputs.command_of(version.argv, version.env, declared, given)
    files = inputs.files_of(declared, given, deployment.file_inputs)
    remote = remote_of(deployment, version, declared, given)
    return route.runner_address, Placement(
        deployment=route.deployment_id,
        label=deployment.label,
        version=route.version_id,
        epoch=route.epoch,
        argv=argv,
        env={name: value for name, value in env.items() if name not in files},
        files=files,
        masked=given.masked,
        read_only=list(version.read_only),
        limits=chosen,
        isolation=route.isolation,
        idle_seconds=limits.idle_seconds_of(deployment.idle_seconds),
        era=version.era,
        egress=_egress(deployment),
        remote=remote,
        data_folder=deployment.has_data_folder,
        drain_seconds=settings.SLIPWAY_DRAIN_SECONDS,
        owner=deployment.owner.folded,
        owner_instances=share.instances,
        owner_memory_bytes=share.memory_bytes,
        share_serial=share.serial,
        generation=route.generation,
        asks_on_site=deployment.asks_on_site and route.hand_off_seconds > 0,
        pages=pages_of(deployment, remote.url if remote is not None else ""),
        # Nobody can tell whose a message is at an instance for all, and anonymous callers have consented to nothing.
        trace_bodies=deployment.traces_bodies and not (deployment.is_anonymous and deployment.isolation == "shared"),
    )


def remote_of(
    deployment: Deployment,
    version: DeploymentVersion,
    declared: tuple[Declared, ...],
    given: inputs.Settings,
    user_id: UUID | None = None,
) -> Remote | None:
    """Where a remote server is, and what of its owner's goes there: headers and token. Where each user signs in there,
    the token is that user's, and there is none without one."""
    if not version.remote:
        return None
    url = inputs.url_of(version.remote["url"], declared, given)
    is_own = OWN_ACCOUNT in deployment.personal_accounts
    bearer = None
    if user_id is not None or not is_own:
        own = Own(user_id, OWN_ACCOUNT) if is_own and user_id is not None else None
        bearer = bearer_for(site_peer(), deployment.pk, url, own)
    return Remote(
        url=url,
        transport=version.remote.get("transport", ""),
        headers={**version.remote.get("headers", {}), **inputs.headers_of(declared, given)},
        bearer=bearer.token if bearer is not None else "",
        serial=bearer.serial if bearer is not None else 0,
        is_own=is_own,
    )


def _isolation(deployment: Deployment) -> str:
    """What one user brings must serve nobody else."""
    is_mixed = deployment.isolation == Deployment.Isolation.SHARED and deployment.personal_inputs
    return str(Deployment.Isolation.PRINCIPAL if is_mixed else deployment.isolation)


def _egress(deployment: Deployment) -> Egress:
    """What its owner chose, as long as the quota lasts."""
    mode = Deployment.Egress.NONE if quotas.is_egress_spent(deployment.owner) else deployment.egress
    return Egress(str(mode), list(deployment.egress_hosts))


@dataclass(frozen=True)
class TaskRules:
    """What a deployment's tools, and their owner, say of tasks. Whatever `support` does not name may run as one."""

    support: Mapping[str, str] = field(default_factory=dict)
    may_run_again: frozenset[str] = frozenset()
    names_taken: frozenset[str] = frozenset()


def task_rules_of(deployment_id: UUID) -> TaskRules:
    said = ~Q(task_support="") | Q(may_run_again=True) | Q(name__in=tool_names.OF_TASKS)
    rows = list(Tool.objects.filter(said, deployment_id=deployment_id))
    return TaskRules(
        support={row.name: row.task_support for row in rows if row.task_support},
        may_run_again=frozenset(row.name for row in rows if row.may_run_again and row.is_repeatable),
        names_taken=frozenset(row.name for row in rows if row.name in tool_names.OF_TASKS),
    )


def not_callable(route: Route) -> Unavailable:
    """Why a call can't be taken, in words for the caller."""
    label = f"{route.owner}/{route.name}"
    match route.state:
        case State.QUEUED | State.BUILDING:
            return Unavailable("building", f"{label} is still being built: {route.reason or 'queued'}.", retry_after=5)
        case State.STOPPED:
            return Unavailable("stopped", f"{label} was stopped by its owner.", retry_after=60)
        case _:
            return Unavailable("failed", f"{label} can't run: {route.reason or 'it was never built'}", retry_after=60)


def _placement(deployment: Deployment) -> RunnerPlacement | None:
    try:
        return deployment.placement
    except RunnerPlacement.DoesNotExist:
        return None
