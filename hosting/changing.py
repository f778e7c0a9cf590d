"""Several changes at once: all of them or none. Each is a service of its own, which checks, records and publishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from common.errors import BadInput
from events.actors import Actor
from hosting.access.anonymous import anonymous_set
from hosting.access.members import deployment_access_set
from hosting.access.permissions import check_may_manage
from hosting.configuration import configuring
from hosting.configuration.given import declared_for
from hosting.configuration.inputs import Plain, key_of
from hosting.credentials import check_tools, personal
from hosting.kinds.declared import asked
from hosting.models import Deployment
from hosting.services import deployment_locked
from hosting.tools import records as tools

Given = Mapping[str, Any]
_Change = Callable[[Actor, Deployment, Given], None]


def deployment_change(*, actor: Actor, deployment: Deployment, given: Given) -> None:
    """Sets what is named, by the names of the model's fields (`egress` and `limits` as their services take them)."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        for names, change in _CHANGES.items():
            if not given.keys().isdisjoint(names):
                change(actor, locked, given)


def deployment_settings_replace(
    *,
    actor: Actor,
    deployment: Deployment,
    values: Mapping[str, str],
    arguments: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
    removed: Sequence[str] = (),
) -> None:
    """Plain values and arguments are exactly these afterwards. Secrets that aren't named stay: nobody can read them
    to send them again."""
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        keys = {one.name: key_of(one) for one in asked(declared_for(locked))}
        kept = {keys.get(name, name) for name in values}
        gone = [key for key in Plain.from_json(locked.inputs).values if key not in kept]
        configuring.deployment_settings_set(
            actor=actor,
            deployment=deployment,
            values=values,
            secrets=secrets,
            removed=[*removed, *gone],
            arguments=arguments,
        )


def tool_change(
    *,
    actor: Actor,
    deployment: Deployment,
    name: str,
    is_enabled: bool | None = None,
    approved_digest: str | None = None,
    task_support: str | None = None,
) -> None:
    """`approved_digest` is that of the text that was read (tool_approve). None leaves a thing as it is."""
    check_may_manage(actor, deployment)
    if is_enabled is None and approved_digest is None and task_support is None:
        raise BadInput("nothing_to_change", gettext("Name what to change: is_enabled, approve or task_support."))
    with transaction.atomic():
        if approved_digest is not None:
            tools.tool_approve(actor=actor, deployment=deployment, name=name, digest=approved_digest)
        if is_enabled is not None:
            tools.tool_switch(actor=actor, deployment=deployment, name=name, is_enabled=is_enabled)
        if task_support is not None:
            tools.tool_task_support_set(actor=actor, deployment=deployment, name=name, support=task_support)


def _one(service: Callable[..., None], *names: str) -> _Change:
    """A service that takes the fields under their own names."""

    def change(actor: Actor, deployment: Deployment, given: Given) -> None:
        service(actor=actor, deployment=deployment, **{name: given[name] for name in names if name in given})

    return change


def _anonymous(actor: Actor, deployment: Deployment, given: Given) -> None:
    anonymous_set(
        actor=actor,
        deployment=deployment,
        is_on=given.get("is_anonymous", deployment.is_anonymous),
        shares_credentials=given.get("shares_credentials", deployment.shares_credentials),
    )


def _limits(actor: Actor, deployment: Deployment, given: Given) -> None:
    configuring.limits_set(actor=actor, deployment=deployment, chosen=given["limits"])


def _idle(actor: Actor, deployment: Deployment, given: Given) -> None:
    configuring.idle_set(actor=actor, deployment=deployment, seconds=given["idle_seconds"])


def _egress(actor: Actor, deployment: Deployment, given: Given) -> None:
    configuring.egress_set(
        actor=actor,
        deployment=deployment,
        mode=given.get("egress", deployment.egress),
        hosts=given.get("egress_hosts", deployment.egress_hosts),
    )


def _approval(actor: Actor, deployment: Deployment, given: Given) -> None:
    tools.approval_set(actor=actor, deployment=deployment, approval=given["tool_approval"])


def _personal(actor: Actor, deployment: Deployment, given: Given) -> None:
    known = [name for name in given["personal_inputs"] if ":" in name]
    named = personal.keys_of(deployment, [name for name in given["personal_inputs"] if ":" not in name])
    personal.personal_set(actor=actor, deployment=deployment, keys=[*known, *named])


def _files(actor: Actor, deployment: Deployment, given: Given) -> None:
    names = [name.removeprefix("env:") for name in given["file_inputs"]]
    configuring.files_set(actor=actor, deployment=deployment, names=names)


def _check_tool(actor: Actor, deployment: Deployment, given: Given) -> None:
    check_tools.check_tool_set(
        actor=actor,
        deployment=deployment,
        check_tool=given.get("check_tool", deployment.check_tool),
        check_arguments=given.get("check_arguments", deployment.check_arguments),
        check_confirmed=given.get("check_confirmed", deployment.check_confirmed),
    )


_CHANGES: Mapping[tuple[str, ...], _Change] = {
    ("title",): _one(configuring.title_set, "title"),
    ("access",): _one(deployment_access_set, "access"),
    ("is_anonymous", "shares_credentials"): _anonymous,
    ("limits",): _limits,
    ("idle_seconds",): _idle,
    ("egress", "egress_hosts"): _egress,
    ("isolation",): _one(configuring.isolation_set, "isolation"),
    ("has_data_folder",): _one(configuring.data_folder_set, "has_data_folder"),
    ("runs_install_code",): _one(configuring.install_code_set, "runs_install_code"),
    ("has_tasks", "hand_off_seconds", "asks_on_site"): _one(
        configuring.tasks_set, "has_tasks", "hand_off_seconds", "asks_on_site"
    ),
    ("tool_approval",): _approval,
    ("traces_bodies",): _one(configuring.tracing_set, "traces_bodies"),
    ("personal_inputs",): _personal,
    ("file_inputs",): _files,
    ("check_tool", "check_arguments", "check_confirmed"): _check_tool,
}
CHANGEABLE = frozenset(name for names in _CHANGES for name in names)
