"""Deployments and versions from whatever says what they are made of: a reference, an address, a server.json, an upload.

All of it is one transaction: an upload that nothing came of is not kept, settings that are refused leave no server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Name
from accounts.selectors import name_find
from common.errors import BadInput, NotFound
from events.actors import Actor
from hosting import kinds
from hosting.access.permissions import check_may_manage
from hosting.building.registry_entries import Entry, entry_find
from hosting.building.versions import deployment_update
from hosting.configuration.configuring import deployment_settings_set
from hosting.kinds import server_json
from hosting.kinds.declared import Declared
from hosting.models import Deployment, DeploymentVersion
from hosting.reasons import refusals_in_words
from hosting.services import Access, deployment_create, deployment_deploy
from hosting.store.sources import source_reference, source_store


@dataclass(frozen=True)
class Upload:
    filename: str
    content: bytes


@dataclass(frozen=True)
class Origin:
    """What a version is made of: exactly one of these is given."""

    reference: str = ""
    url: str = ""
    server_json: Mapping[str, Any] | None = None
    upload: Upload | None = None

    def __bool__(self) -> bool:
        return bool(self.reference or self.url or self.server_json is not None or self.upload)


@dataclass(frozen=True)
class _Taken:
    reference: str
    declared: tuple[Declared, ...] | None = None
    title: str = ""
    notices: tuple[str, ...] = ()
    entry: Entry | None = None


def deployment_make(
    *,
    actor: Actor,
    owner: str,
    name: str,
    origin: Origin,
    access: str = Access.PRIVATE,
    title: str = "",
    values: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    arguments: Sequence[str] | None = None,
) -> Deployment:
    """A new deployment under the name of an account, with its settings. Raises what its services raise."""
    held = name_find(owner)
    if held is None:
        raise NotFound("account_unknown", gettext("There is no such account, or it isn't yours to host for."))
    with transaction.atomic():
        taken = _take(actor, held, origin)
        deployment = deployment_create(
            actor=actor,
            owner=held,
            name=name,
            reference=taken.reference,
            access=access,
            title=title or taken.title,
            declared=taken.declared or (),
        )
        _notify(deployment.versions.get(), taken)
        if values or secrets or arguments:
            deployment_settings_set(
                actor=actor, deployment=deployment, values=values, secrets=secrets, arguments=arguments
            )
    return deployment


def version_make(*, actor: Actor, deployment: Deployment, origin: Origin) -> DeploymentVersion:
    """A new version of another origin; of none, the same reference resolved again."""
    check_may_manage(actor, deployment)
    if not origin:
        present = deployment.versions.order_by("-number").first()
        if present is None or not present.registry_name:
            return deployment_update(actor=actor, deployment=deployment)
        origin = Origin(reference=f"registry:{present.registry_name}")
    with transaction.atomic():
        taken = _take(actor, deployment.owner, origin)
        version = deployment_deploy(
            actor=actor, deployment=deployment, reference=taken.reference, declared=taken.declared
        )
        _notify(version, taken)
    return version


def _take(actor: Actor, owner: Name, origin: Origin) -> _Taken:
    given = [origin.reference, origin.url, origin.server_json is not None, origin.upload]
    if sum(map(bool, given)) != 1:
        raise BadInput(
            "origin_unclear",
            gettext("Say what to host by exactly one of reference, url and server_json, or upload a file as source."),
            field="reference",
        )
    if origin.upload is not None:
        upload = origin.upload
        source = source_store(actor=actor, owner=owner, filename=upload.filename, content=upload.content)
        return _Taken(source_reference(source))
    if origin.server_json is not None:
        with refusals_in_words():
            chosen = server_json.choose(origin.server_json)
        return _Taken(chosen.wanted, chosen.declared, chosen.title, chosen.notices)
    if entry := _of_registry(origin.reference):
        chosen = entry.chosen
        return _Taken(chosen.wanted, chosen.declared, chosen.title, chosen.notices, entry)
    return _Taken(f"remote:{origin.url}" if origin.url else origin.reference)


def _notify(version: DeploymentVersion, taken: _Taken) -> None:
    """What of a server.json could not be used is told beside what its build has to say."""
    if taken.notices:
        version.notices = [*version.notices, *taken.notices]
        version.save(update_fields=["notices"])
    if taken.entry is not None:
        taken.entry.note(version)


def _of_registry(reference: str) -> Entry | None:
    """None for what names something else, or nothing: that is told where it is used."""
    if not reference.strip().startswith("registry:"):
        return None
    try:
        with refusals_in_words():
            parsed = kinds.parse(reference)
        return entry_find(parsed)
    except BadInput as error:
        error.field = "reference"
        raise
