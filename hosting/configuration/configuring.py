"""Changing how a deployment runs: settings and secrets, limits, network, isolation. Each is one transaction.

What an instance is started with changes for new instances: the placement gets a new epoch, and what runs meanwhile
finishes its sessions as it began. Values never reach the audit log, only the names of what was set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from common import clock
from common.errors import BadInput
from events.actors import Actor
from events.audit import record
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting import queue
from hosting.access.anonymous import anonymous_end_for_secrets
from hosting.access.permissions import check_may_manage
from hosting.configuration import inputs, limits
from hosting.configuration.egress_policy import hosts_parse
from hosting.configuration.given import declared_for, package_of, version_for
from hosting.configuration.inputs import Plain, Settings
from hosting.credentials import bound
from hosting.fleet.placing import placement_renew
from hosting.kinds.declared import Declared, asked
from hosting.models import Deployment, DeploymentVersion
from hosting.services import deployment_locked, deployment_move
from hosting.states import State
from vault.selectors import characters
from vault.services import Holder, secrets_delete, secrets_put

MAX_TITLE = 100
MAX_HAND_OFF_SECONDS = 3600


class BadSettings(BadInput):
    """`problems` says by key what is wrong; a form shows each at its field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        key, words = next(iter(problems.items()))
        name = inputs.key_parts(key)[1] or key
        super().__init__("settings_invalid", f"{name}: {words}" if name else words, field=key, detail=dict(problems))
        self.problems = dict(problems)


# --- values and secrets


def deployment_settings_set(
    *,
    actor: Actor,
    deployment: Deployment,
    values: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    removed: Collection[str] = (),
    arguments: Sequence[str] | None = None,
) -> None:
    """Sets what is named and leaves the rest. Keys are "where:name" (`inputs.py`), or the name of a declared input.

    A key is plain or secret, never both; what a server declares as secret is sealed however it comes. An empty value
    removes one. Raises BadSettings.
    """
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        declared = declared_for(locked)
        known = {inputs.key_of(one): one for one in asked(declared)}
        keys = {one.name: key for key, one in known.items()}
        plain_new = {keys.get(key, key): value for key, value in (values or {}).items()}
        secret_new = {keys.get(key, key): value for key, value in (secrets or {}).items()}
        for key in [key for key in plain_new if key in known and known[key].is_secret]:
            secret_new[key] = plain_new.pop(key)
        gone = {keys.get(key, key) for key in removed}
        gone |= {key for key, value in {**plain_new, **secret_new}.items() if not value}
        before = Plain.from_json(locked.inputs).values
        # A value that stays is not judged again: a later version may not ask for it any more.
        plain_new = {key: value for key, value in plain_new.items() if value != before.get(key)}
        _check(locked, declared, {**plain_new, **secret_new}, arguments)
        changed = _store(actor, locked, plain_new, secret_new, gone, arguments)
        if not changed:
            return
        DeploymentVersion.objects.filter(deployment=locked, missing__in=_names(changed)).update(missing="")
        anonymous_end_for_secrets(actor=actor, deployment=locked)
        settings_renewed(locked, actor)
        record(
            actor,
            "deployment:set_settings",
            "deployment",
            locked.pk,
            set=sorted(key for key in changed if key not in gone),
            removed=sorted(key for key in changed if key in gone),
        )


def _check(
    deployment: Deployment, declared: Sequence[Declared], given: Mapping[str, str], arguments: Sequence[str] | None
) -> None:
    kept = Plain.from_json(deployment.inputs)
    total = sum(map(len, [*kept.values.values(), *given.values()])) + characters(Holder.deployment(deployment.pk))
    problems = inputs.check(declared, Settings(given, tuple(arguments or ())))
    if len({*kept.values, *kept.sealed_at, *given}) > inputs.MAX_SETTINGS:
        problems[""] = f"A server has at most {inputs.MAX_SETTINGS} settings."
    elif total > inputs.MAX_TOTAL:
        problems[""] = f"All settings together have at most {inputs.MAX_TOTAL} characters."
    if problems:
        raise BadSettings(problems)


def _store(
    actor: Actor,
    locked: Deployment,
    values: Mapping[str, str],
    secrets: Mapping[str, str],
    gone: Collection[str],
    arguments: Sequence[str] | None,
) -> set[str]:
    """Writes the row; gives the keys that changed. A secret that is set again is a change, whatever it was."""
    before = Plain.from_json(locked.inputs)
    touched = {*gone, *values, *secrets}
    kept_values = {key: value for key, value in before.values.items() if key not in touched}
    kept_values |= {key: value for key, value in values.items() if key not in gone}
    set_now = {key: value for key, value in secrets.items() if key not in gone}
    holder, version = Holder.deployment(locked.pk), version_for(locked)
    given = bound.given_by_owner(package_of(version)) if version is not None else {}
    if deleted := touched.intersection(before.sealed_at) - set_now.keys():
        secrets_delete(actor=actor, holder=holder, names=deleted)
    secrets_put(actor=actor, holder=holder, values=set_now, given_to=dict.fromkeys(set_now, given))
    sealed_at = {key: at for key, at in before.sealed_at.items() if key not in deleted}
    sealed_at |= dict.fromkeys(set_now, clock.now().isoformat())
    after = Plain(kept_values, before.arguments if arguments is None else tuple(arguments), sealed_at)
    changed = {key for key in {*before.values, *kept_values} if before.values.get(key) != kept_values.get(key)}
    changed |= {key for key in {*before.sealed_at, *sealed_at} if before.sealed_at.get(key) != sealed_at.get(key)}
    if after.arguments != before.arguments:
        changed.add("arguments")
    if changed:
        Deployment.objects.filter(pk=locked.pk).update(inputs=after.to_json(), changed_at=clock.now())
    return changed


def _names(keys: Iterable[str]) -> list[str]:
    return [name for key in keys for name in (key, inputs.key_parts(key)[1]) if name]


# --- how it runs


def limits_set(*, actor: Actor, deployment: Deployment, chosen: Mapping[str, int | None]) -> None:
    """Of one instance, in bytes and numbers; None takes the site's default. What isn't named keeps its value."""
    kept = limits.check(chosen)

    def fields(locked: Deployment) -> dict[str, Any]:
        rest = {name: value for name, value in locked.limits.items() if name not in chosen}
        return {"limits": {**rest, **kept}}

    _change(actor, deployment, "set_limits", fields, limits=kept)


def idle_set(*, actor: Actor, deployment: Deployment, seconds: int | None) -> None:
    """How long an instance that nobody uses stays; None is the site's default."""
    limits.check_idle(seconds)
    _change(actor, deployment, "set_idle", lambda _: {"idle_seconds": seconds}, idle_seconds=seconds)


def egress_set(*, actor: Actor, deployment: Deployment, mode: str, hosts: Iterable[str] = ()) -> None:
    """What it may reach. The hosts are kept for the day when they are wanted again, whatever the mode is."""
    if mode not in Deployment.Egress.values:
        raise BadInput("egress_unknown", gettext("The network is public, listed hosts only, or none."), field="egress")
    listed = hosts_parse(hosts)
    if mode == Deployment.Egress.LISTED and not listed:
        raise BadInput(
            "hosts_missing", gettext("List at least one host, or choose “No network”."), field="egress_hosts"
        )
    fields = {"egress": mode, "egress_hosts": listed}
    _change(actor, deployment, "set_egress", lambda _: fields, egress=mode, hosts=listed)


def isolation_set(*, actor: Actor, deployment: Deployment, isolation: str) -> None:
    if isolation not in Deployment.Isolation.values:
        raise BadInput("isolation_unknown", gettext("Choose one of the ways to share instances."), field="isolation")
    _change(actor, deployment, "set_isolation", lambda _: {"isolation": isolation}, isolation=isolation)


def data_folder_set(*, actor: Actor, deployment: Deployment, has_data_folder: bool) -> None:
    """What is in the folders stays when they are switched off; deleting them is a step of its own."""
    fields = {"has_data_folder": has_data_folder}
    _change(actor, deployment, "set_data_folder", lambda _: fields, **fields)


def files_set(*, actor: Actor, deployment: Deployment, names: Iterable[str]) -> None:
    """Variables whose value an instance is given as a file, which they name then. Raises BadInput."""
    keys = sorted({f"env:{name}" for name in names})
    if len(keys) > inputs.MAX_SETTINGS:
        raise BadInput(
            "settings_invalid",
            gettext("A server has at most %(max_settings)s settings.") % {"max_settings": inputs.MAX_SETTINGS},
            field="file_inputs",
        )
    for key in keys:
        if problem := inputs.problem_of_name(key):
            raise BadInput("settings_invalid", f"{inputs.key_parts(key)[1]}: {problem}", field="file_inputs")
    _change(actor, deployment, "set_files", lambda _: {"file_inputs": keys}, keys=keys)


def install_code_set(*, actor: Actor, deployment: Deployment, runs_install_code: bool) -> None:
    """Its owner's consent to install scripts and source distributions of this package (`install_consent.py`). It counts
    from the next build on."""
    fields = {"runs_install_code": runs_install_code}
    _change(actor, deployment, "set_install_code", lambda _: fields, renews=False, **fields)


def tracing_set(*, actor: Actor, deployment: Deployment, traces_bodies: bool) -> None:
    """Whether bodies of calls are shown in the owner's log. Callers are told where they consent."""
    fields = {"traces_bodies": traces_bodies}
    _change(actor, deployment, "set_tracing", lambda _: fields, **fields)


def title_set(*, actor: Actor, deployment: Deployment, title: str) -> None:
    """What pages call it; empty: its name."""
    title = title.strip()
    if len(title) > MAX_TITLE or not title.isprintable():
        raise BadInput(
            "title_invalid",
            gettext("A title is one line of at most %(max_title)s characters.") % {"max_title": MAX_TITLE},
            field="title",
        )
    _change(actor, deployment, "set_title", lambda _: {"title": title}, renews=False, title=title)


def tasks_set(
    *,
    actor: Actor,
    deployment: Deployment,
    has_tasks: bool | None = None,
    hand_off_seconds: int | None = None,
    asks_on_site: bool | None = None,
) -> None:
    """Whether its tools may run as tasks, after how long a call becomes one for clients that know none (0: never), and
    whether it does so for a question that its client can't show.

    None leaves it as it is.
    """
    if hand_off_seconds is not None and not 0 <= hand_off_seconds <= MAX_HAND_OFF_SECONDS:
        raise BadInput(
            "hand_off_out_of_range",
            gettext("This is from 0 (never) to %(max_hand_off_seconds)s seconds.")
            % {"max_hand_off_seconds": MAX_HAND_OFF_SECONDS},
            field="hand_off_seconds",
        )
    given = {"has_tasks": has_tasks, "hand_off_seconds": hand_off_seconds, "asks_on_site": asks_on_site}
    fields = {name: value for name, value in given.items() if value is not None}
    before = {name: getattr(deployment, name) for name in given}
    renews = _asks_on_site(**before) != _asks_on_site(**{**before, **fields})  # its servers are told so
    _change(actor, deployment, "set_tasks", lambda _: fields, renews=renews, **fields)


def _asks_on_site(*, has_tasks: bool, hand_off_seconds: int, asks_on_site: bool) -> bool:
    return asks_on_site and has_tasks and hand_off_seconds > 0


def _change(
    actor: Actor,
    deployment: Deployment,
    action: str,
    fields_of: Callable[[Deployment], Mapping[str, Any]],
    *,
    renews: bool = True,
    **data: Any,
) -> None:
    check_may_manage(actor, deployment)
    with transaction.atomic():
        locked = deployment_locked(deployment)
        fields = {name: value for name, value in fields_of(locked).items() if getattr(locked, name) != value}
        if not fields:
            return
        Deployment.objects.filter(pk=locked.pk).update(changed_at=clock.now(), **fields)
        record(actor, f"deployment:{action}", "deployment", locked.pk, **data)
        if renews:
            settings_renewed(locked, actor)
        else:
            publish_on_commit(DeploymentChanged(str(locked.pk)))


def settings_renewed(locked: Deployment, actor: Actor) -> None:
    """New instances are started with what is set now. One that could not start is tried again at once."""
    if locked.current_version_id is None:
        publish_on_commit(DeploymentChanged(str(locked.pk)))
        return
    placement_renew(locked)
    if locked.state == State.FAILED and deployment_move(locked.pk, State.READY, "", actor=actor):
        queue.inspect(locked.pk)
    else:
        publish_on_commit(DeploymentChanged(str(locked.pk)))
