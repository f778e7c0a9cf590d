"""What an organization decides about its servers' questions, and the record of what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import Organization
from accounts.permissions import check_may_administer
from common import clock
from common.addresses import HostInvalid, host_pattern
from common.errors import BadInput
from events.actors import SYSTEM, Actor
from events.audit import record
from events.models import AuditEntry
from hosting.fleet.placing import placement_renew
from hosting.models import Deployment, QuestionPolicy
from hosting.runner.seen import QuestionRefused

MOST_HOSTS: Final = 200
REFUSED: Final = "deployment:refuse_question"
_AGAIN_AFTER = timedelta(days=1)  # the same refusal is written down once in this time
_MOST_ROWS = 50  # of one deployment in that time: a server can make up as many as it likes


def question_policy_set(
    *, actor: Actor, organization: Organization, pages: str, hosts: Sequence[str] = ()
) -> QuestionPolicy:
    """Counts with the next call of each of its servers. Raises BadInput."""
    check_may_administer(actor, organization)
    if pages not in QuestionPolicy.Pages.values:
        raise BadInput("pages_unknown", gettext("Choose one of the three."), field="pages")
    fields = {"pages": pages, "hosts": _hosts(hosts)}
    with transaction.atomic():
        policy, _ = QuestionPolicy.objects.update_or_create(organization=organization, defaults=fields)
        for deployment in Deployment.objects.filter(owner__organization=organization):
            placement_renew(deployment)
        record(actor, "question_policy:set", "organization", organization.pk, **fields)
    return policy


def _hosts(texts: Sequence[str]) -> list[str]:
    if len(texts) > MOST_HOSTS:
        raise BadInput(
            "list_too_long", gettext("At most %(most_hosts)s hosts.") % {"most_hosts": MOST_HOSTS}, field="hosts"
        )
    try:
        return list(dict.fromkeys(host_pattern(text) for text in texts))
    except HostInvalid as error:
        raise BadInput(
            "host_invalid", gettext("That is no host: %(error)s.") % {"error": error}, field="hosts"
        ) from error


def refusals_note(deployment_id: UUID, refused: Sequence[QuestionRefused]) -> None:
    """A runner says, again and again, what nobody was shown. Each is written down once a day."""
    since = clock.now() - _AGAIN_AFTER
    known = set(
        AuditEntry.objects.filter(
            subject_type="deployment", subject_id=str(deployment_id), action=REFUSED, at__gt=since
        ).values_list("data__why", flat=True)
    )
    for words in dict.fromkeys(one.words for one in refused):
        if words not in known and len(known) < _MOST_ROWS:
            known.add(words)
            record(SYSTEM, REFUSED, "deployment", deployment_id, why=words)
