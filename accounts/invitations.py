"""Invitations: one-time links that can be copied, so that no mail server is needed. To an organization, to the site, or
to both at once."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from accounts.models import Invitation, Membership, Organization, User
from accounts.permissions import check_may_administer, is_operator, may_invite
from accounts.services import user_create
from common import clock, ids
from common.errors import AppError, BadInput, Conflict, Forbidden, NotFound
from events.actors import ANONYMOUS, Actor, person
from events.audit import record

PATH: Final = "/invite/"
LIFETIME: Final = timedelta(days=7)
MOST_OPEN: Final = 200  # of one organization, or of one person's
Role = Membership.Role
SiteRole = User.SiteRole


def invitation_create(
    *,
    actor: Actor,
    organization: Organization | None = None,
    role: str = "",
    site_role: str = SiteRole.MEMBER,
    note: str = "",
    email: str = "",
) -> str:
    """The full URL, shown once. Whether it also makes an account is decided now, by who invites."""
    makes_account = settings.SLIPWAY_SIGN_UP != "closed" and (may_invite(actor) or settings.SLIPWAY_SIGN_UP == "open")
    if organization is None:
        role = ""
        _check_site(actor, site_role, makes_account)
    else:
        _check_role(check_may_administer(actor, organization), role)
        site_role = SiteRole.MEMBER
    token = ids.random_token(160)
    with transaction.atomic():
        others = invitations_open(actor=actor, organization=organization)
        if others.exclude(invited_by=None, email__gt="").count() >= MOST_OPEN:  # strangers' own don't count
            raise Conflict(
                "invitations_too_many",
                gettext("%(most_open)s invitations are open. Revoke some first.") % {"most_open": MOST_OPEN},
            )
        made = Invitation.objects.create(
            digest=_digest(token),
            organization=organization,
            role=role,
            makes_account=makes_account,
            site_role=site_role,
            note=note.strip()[:200],
            email=email,
            invited_by_id=actor.user_id,
            expires_at=clock.now() + LIFETIME,
        )
        subject = ("organization", organization.pk) if organization is not None else ("invitation", made.pk)
        record(
            actor,
            "invitation:create",
            *subject,
            invitation=str(made.pk),
            role=role,
            site_role=site_role,
            note=made.note,
        )
    return f"{settings.SLIPWAY_URL}{PATH}{token}"


def invitation_for_address(email: str) -> str:
    """The full URL for somebody who asked for an account by themselves: only where the address was admitted. Ends
    earlier ones for it."""
    token, now = ids.random_token(160), clock.now()
    with transaction.atomic():
        Invitation.objects.filter(_usable(), email=email, invited_by=None).update(revoked_at=now)
        made = Invitation.objects.create(
            digest=_digest(token), makes_account=True, email=email, expires_at=now + LIFETIME, note="by mail"
        )
        record(ANONYMOUS, "invitation:create", "invitation", made.pk, invitation=str(made.pk), note=made.note)
    return f"{settings.SLIPWAY_URL}{PATH}{token}"


def invitations_open(*, actor: Actor, organization: Organization | None) -> QuerySet[Invitation]:
    """Of the organization; or to the site: all for operators, one's own for others."""
    found = Invitation.objects.filter(_usable(), organization=organization).select_related("invited_by")
    if organization is None and not is_operator(actor):
        found = found.filter(invited_by_id=actor.user_id) if actor.user_id else found.none()
    return found


def invitation_revoke(*, actor: Actor, invitation_id: UUID, organization: Organization | None = None) -> None:
    """Raises NotFound, Forbidden."""
    if organization is not None:
        check_may_administer(actor, organization)
    with transaction.atomic():
        found = invitations_open(actor=actor, organization=organization).filter(pk=invitation_id)
        if not Invitation.objects.filter(pk__in=found.values("pk")).update(revoked_at=clock.now()):
            raise NotFound("invitation_unknown", gettext("There is no such open invitation."))
        subject = ("organization", organization.pk) if organization is not None else ("invitation", invitation_id)
        record(actor, "invitation:revoke", *subject, invitation=str(invitation_id))


def invitation_find(token: str) -> Invitation:
    """The usable invitation of this token, for its page. Raises NotFound."""
    found = (
        Invitation.objects.select_related("organization__name", "invited_by")
        .filter(_usable(), digest=_digest(token))
        .first()
    )
    if found is None:
        raise _gone()
    return found


def invitation_accept(*, token: str, user: User) -> Organization:
    """By somebody who has an account. Raises NotFound, Conflict; a refused one stays unused."""
    with transaction.atomic():
        found = _use(token, user)
        if found.organization is None:
            raise Conflict("account_exists", gettext("You have an account on this site already."))
        _enter(found, user)
    return found.organization


def invitation_join(*, token: str, name: str, password: str) -> User:
    """By somebody who has none. All or nothing: a refused name or password leaves the invitation unused."""
    found = invitation_find(token)
    if not found.makes_account:
        raise Forbidden("account_needed", gettext("This invitation is for people who have an account here already."))
    with transaction.atomic():
        inviter = Actor("user", found.invited_by_id) if found.invited_by_id else Actor("anonymous")
        user = user_create(actor=inviter, name=name, password=password)
        if found.site_role != user.site_role:
            User.objects.filter(pk=user.pk).update(site_role=found.site_role)
            user.site_role = found.site_role
        if found.email:
            if EmailAddress.objects.filter(email__iexact=found.email, verified=True).exists():
                raise Conflict(
                    "address_taken", gettext("There is an account with this address already. Sign in with it.")
                )
            User.objects.filter(pk=user.pk).update(email=found.email)
            EmailAddress.objects.create(user=user, email=found.email, verified=True, primary=True)
        found = _use(token, user)
        if found.organization is not None:
            _enter(found, user)
    return user


def _use(token: str, user: User) -> Invitation:
    """Of two uses at once one succeeds."""
    if user.service_of_id is not None:
        raise Forbidden("service_account", gettext("An account of a program accepts no invitations."))
    used = Invitation.objects.filter(_usable(), digest=_digest(token)).update(used_at=clock.now(), used_by=user)
    if not used:
        raise _gone()
    found = Invitation.objects.select_related("organization").get(digest=_digest(token))
    record(person(user.pk), "invitation:use", "invitation", found.pk)
    return found


def _enter(invitation: Invitation, user: User) -> None:
    assert invitation.organization is not None
    try:
        with transaction.atomic():
            Membership.objects.create(organization=invitation.organization, user=user, role=invitation.role)
    except IntegrityError:
        raise Conflict("member_already", gettext("You are in this organization already.")) from None
    record(
        person(user.pk),
        "membership:add",
        "organization",
        invitation.organization.pk,
        user=str(user.pk),
        after=invitation.role,
        invitation=str(invitation.pk),
    )


def _check_role(mine: str, role: str) -> None:
    if role not in Role.values:
        raise BadInput("role_unknown", gettext("Choose one of the roles."), field="role")
    if role == Role.OWNER and mine != Role.OWNER:
        raise Forbidden("owners_only", gettext("Only an owner of the organization can invite another one."))


def _check_site(actor: Actor, site_role: str, makes_account: bool) -> None:
    """Nobody hands out more than they have: moderators are made by operators only."""
    if not may_invite(actor):
        raise Forbidden("may_not_invite", gettext("Publishers, moderators and operators of this site invite people."))
    if not makes_account:
        raise Forbidden("sign_up_closed", gettext("On this site accounts are made by its operator, from a shell."))
    if site_role not in SiteRole.values:
        raise BadInput("role_unknown", gettext("Choose one of the roles."), field="site_role")
    if site_role != SiteRole.MEMBER and not is_operator(actor):
        raise Forbidden("operators_only", gettext("Only an operator of this site can do this."))


def _usable() -> Q:
    return Q(used_at=None, revoked_at=None, expires_at__gt=clock.now())


def _gone() -> AppError:
    return NotFound(
        "invitation_gone", gettext("This invitation has been used, revoked or has expired. Ask for a new one.")
    )


def _digest(token: str) -> str:
    """A plain hash suffices: the token has 160 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
