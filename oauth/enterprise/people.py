"""Who somebody of an identity provider is here: by the provider's subject; by address only where an organization has
shown that the domain is its own; made anew only where it said so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError

from accounts import names
from accounts.models import User
from accounts.services import user_create
from common import ids
from common.errors import AppError
from events.actors import SYSTEM
from oauth.enterprise.trust import identity_link
from oauth.models import EnterpriseIdentity, TrustedIdp


def identity_user(idp: TrustedIdp, body: Mapping[str, Any]) -> User | None:
    """The active account of a verified assertion's subject; None where there is none and none may be made."""
    subject = str(body["sub"])
    known = EnterpriseIdentity.objects.select_related("user").filter(idp=idp, subject=subject).first()
    if known is not None:
        return known.user if known.user.is_active else None
    user = _by_address(idp, body)
    if user is None and idp.creates_users:
        user = _made(body)
    if user is None or not user.is_active:
        return None
    try:
        identity_link(actor=SYSTEM, idp=idp, subject=subject, user=user)
    except IntegrityError:  # at the same moment, by another process
        return EnterpriseIdentity.objects.select_related("user").get(idp=idp, subject=subject).user
    return user


def _by_address(idp: TrustedIdp, body: Mapping[str, Any]) -> User | None:
    address = body.get("email")
    if not isinstance(address, str) or body.get("email_verified") is False:
        return None
    domain = address.rpartition("@")[2].lower()
    if not domain or domain not in idp.email_domains:
        return None
    found = list(EmailAddress.objects.filter(email__iexact=address, verified=True).select_related("user")[:2])
    return found[0].user if len(found) == 1 else None


def _made(body: Mapping[str, Any]) -> User | None:
    """Without a password: whom the provider knows signs in there."""
    wanted = body.get("preferred_username") or str(body.get("email") or "").partition("@")[0] or "member"
    plain = re.sub(r"[^a-z0-9]+", "-", str(wanted).lower()).strip("-")[: names.MAX_LENGTH - 7].strip("-") or "member"
    for name in (plain, f"{plain}-{ids.new_id()[-6:]}"):
        try:
            return user_create(actor=SYSTEM, name=name)
        except AppError:
            continue
    return None
