"""Signing up by an address at one of the operator's domains: a link is mailed there, and whoever has it makes the
account. Nothing is made before, and the page says the same to everybody."""

from __future__ import annotations

import smtplib
from typing import Final

import structlog
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext

from accounts.invitations import invitation_for_address
from common import limits
from common.errors import BadInput, Forbidden, Unavailable

log = structlog.get_logger(__name__)

HOUR: Final = 3600
FROM_ONE: Final = 10  # mails an hour, asked for from one address on the network
TO_ONE: Final = 3
ALTOGETHER: Final = 300


def by_mail() -> bool:
    """Whether this site lets anybody in who reads mail at one of its domains."""
    return settings.SLIPWAY_SIGN_UP == "domain" and settings.SLIPWAY_HAS_MAIL


def is_admitted(email: str) -> bool:
    name, at, domain = email.rpartition("@")
    return bool(name and at) and domain.lower() in settings.SLIPWAY_SIGN_UP_DOMAINS


def sign_up_ask(*, email: str, address: str) -> None:
    """`address` is where the request came from. Raises Forbidden, BadInput, TooMany, Unavailable."""
    if not by_mail():
        raise Forbidden("sign_up_closed", gettext("On this site nobody signs up by mail."))
    email = email.strip().lower()
    if not is_admitted(email):
        domains = ", ".join(settings.SLIPWAY_SIGN_UP_DOMAINS)
        raise BadInput(
            "domain_unknown",
            gettext("This site is for addresses at %(domains)s.") % {"domains": domains},
            field="email",
        )
    for what, who, most in (("from", address, FROM_ONE), ("to", email, TO_ONE), ("all", "", ALTOGETHER)):
        limits.count(f"sign_up:{what}", who, limit=most, seconds=HOUR)
    known = EmailAddress.objects.filter(email__iexact=email, verified=True).select_related("user").first()
    context = {
        "site": settings.SLIPWAY_URL,
        "user": known.user if known is not None else None,
        "url": invitation_for_address(email) if known is None else "",
    }
    try:
        send_mail(gettext("Your account"), render_to_string("accounts/mail/sign_up.txt", context), None, [email])
    except (OSError, smtplib.SMTPException) as error:
        log.warning("mail could not be sent", error=type(error).__name__)
        raise Unavailable("mail_unsent", gettext("The mail could not be sent. Try again later.")) from error
