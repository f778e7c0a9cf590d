"""What moderators do, and what people report. Every decision leaves its row in the audit."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from accounts.permissions import is_operator
from common import clock
from common.errors import BadInput, Conflict, Forbidden, NotFound
from events.actors import Actor
from events.audit import record
from registry.models import HeldName, Report, Server
from registry.taking_down import server_restore, server_take_down

OPEN_REPORTS_EACH = 20


def may_moderate(actor: Actor) -> bool:
    """Operators at a shell, and accounts that are operators or moderators of the site."""
    if is_operator(actor):
        return True
    moderators = User.objects.filter(site_role=User.SiteRole.MODERATOR, is_active=True)
    return actor.user_id is not None and moderators.filter(pk=actor.user_id).exists()


def report_make(*, actor: Actor, name: str, kind: str, text: str) -> Report:
    """Raises NotFound, BadInput, Conflict."""
    server = Server.objects.filter(name=name).first()
    if server is None:
        raise NotFound("server_unknown", gettext("There is no server of this name in this registry."))
    if kind not in Report.Kind.values:
        raise BadInput("kind_unknown", gettext("Choose what is wrong with it."), field="kind")
    mine = Report.objects.filter(reporter_id=actor.user_id, closed_at=None)
    if mine.filter(server=server).exists():
        raise Conflict("reported_already", gettext("You reported this server already. An operator will look at it."))
    if mine.count() >= OPEN_REPORTS_EACH:
        raise Conflict(
            "too_many_reports",
            gettext("%(open_reports_each)s of your reports are still open. Wait for an answer.")
            % {"open_reports_each": OPEN_REPORTS_EACH},
        )
    with transaction.atomic():
        made = Report.objects.create(server=server, reporter_id=actor.user_id, kind=kind, text=text[:2000])
        record(actor, "server:report", "server", server.pk, name=name, kind=kind)
    return made


def report_close(*, actor: Actor, report_id: int, outcome: str) -> None:
    """Raises Forbidden, NotFound."""
    _check(actor)
    with transaction.atomic():
        if not Report.objects.filter(pk=report_id, closed_at=None).update(
            closed_at=clock.now(), outcome=outcome.strip()[:500]
        ):
            raise NotFound("report_unknown", gettext("This report is closed already, or never was."))
        record(actor, "report:close", "report", report_id, outcome=outcome.strip()[:500])


def name_decide(*, actor: Actor, name: str, is_allowed: bool, note: str = "") -> None:
    """A decision may be changed later. Raises Forbidden, NotFound."""
    _check(actor)
    state = HeldName.State.ALLOWED if is_allowed else HeldName.State.REFUSED
    with transaction.atomic():
        if not HeldName.objects.filter(name=name).update(state=state, note=note.strip()[:500], decided_at=clock.now()):
            raise NotFound("name_not_held", gettext("Nobody wanted to publish this name."))
        record(actor, "name:allow" if is_allowed else "name:refuse", "name", name, note=note.strip()[:500])


def take_down(*, actor: Actor, name: str, reason: str) -> None:
    """Closes what was reported about it. Raises Forbidden, BadInput, and what taking down raises."""
    _check(actor)
    if not reason.strip():
        raise BadInput(
            "reason_missing", gettext("Say why: everybody who looks for this server reads it."), field="reason"
        )
    with transaction.atomic():
        server = server_take_down(actor=actor, name=name.strip(), reason=reason)
        open_reports = Report.objects.filter(server=server, closed_at=None)
        open_reports.update(closed_at=clock.now(), outcome="The server was taken down.")


def restore(*, actor: Actor, name: str) -> None:
    """Raises Forbidden, and what restoring raises."""
    _check(actor)
    server_restore(actor=actor, name=name)


def _check(actor: Actor) -> None:
    if not may_moderate(actor):
        raise Forbidden("not_a_moderator", gettext("Only operators of this site may decide this."))
