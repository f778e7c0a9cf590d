"""The same from the database: like `mcp_endpoint.lookup`, a crossing to the ORM that is called in threads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from common import clock
from common.errors import AppError
from events.actors import person
from hosting.configuration.given import declared_of
from hosting.credentials import eliciting, personal, waiting
from hosting.credentials.refusals import DECLINED, DISMISSED
from hosting.models import Deployment, DeploymentVersion, Elicitation
from mcp_endpoint.lookup import connection
from mcp_endpoint.personal.persons import Asked, Asking, Brought, Greeting, Page

if TYPE_CHECKING:
    from hosting.runner.control import PlacePersonal


_REFUSALS: Final[dict[str, str]] = {
    Elicitation.State.DECLINED: DECLINED,
    Elicitation.State.CANCELLED: DISMISSED,
}


class OrmPersons:
    """Implements persons.Persons."""

    def brought(self, deployment_id: str, sub: str) -> Brought:
        with connection():
            if not sub:
                return Brought(self._needed(deployment_id))
            found = personal.brought_for(deployment_id, sub)
            return Brought(tuple(one.flag or one.name for one in found.missing), found.mark)

    @staticmethod
    def _needed(deployment_id: str) -> tuple[str, ...]:
        deployment = Deployment.objects.select_related("current_version").get(pk=deployment_id)
        wanted = personal.personal_inputs(deployment, declared_of(deployment.current_version))
        return tuple(one.flag or one.name for one in wanted if personal.is_needed(one))

    def placement(self, deployment_id: str, sub: str) -> PlacePersonal:
        with connection():
            return personal.personal_for(deployment_id, sub)

    def ask(self, deployment_id: str, sub: str, client_id: str, asking: Asking) -> Asked:
        with connection():
            began = clock.now()
            deployment = Deployment.objects.select_related("owner", "current_version").get(pk=deployment_id)
            found = eliciting.elicitation_open(
                user_id=UUID(sub),
                client_id=client_id,
                deployment_id=deployment.pk,
                session=asking.session,
                runner_address=asking.runner,
            )
            words = waiting.asking_words(found.user_id, deployment)
            return Asked(found.pk, eliciting.elicitation_url(found), words, found.created_at < began)

    def page(self, asked_id: str, sub: str) -> Page:
        """One that is unknown, or another user's, is over."""
        with connection():
            found = Elicitation.objects.filter(pk=asked_id, user_id=UUID(sub)).first()
        if found is None or found.is_expired:
            return Page()
        return Page(found.state == Elicitation.State.OPEN, _REFUSALS.get(found.state, ""))

    def decline(self, asked_id: str, sub: str) -> None:
        """What is over already stays so."""
        with connection(), contextlib.suppress(AppError):
            actor = person(UUID(sub))
            found = eliciting.elicitation_of(actor, asked_id)
            if found.state == Elicitation.State.OPEN:
                eliciting.elicitation_decline(actor=actor, elicitation=found)

    def greeting(self, version_id: str) -> Greeting:
        with connection():
            version = DeploymentVersion.objects.filter(pk=version_id).only("tools", "server_info").first()
        if version is None:
            return Greeting()
        tools = None if version.tools is None else msgspec.json.encode(version.tools)
        return Greeting(tools, dict(version.server_info or {}))
