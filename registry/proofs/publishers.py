"""Trusted publishers: which of them an ID token belongs to, and what they may. The rule itself is pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from common.errors import BadInput, Conflict, NotFound
from events.actors import Actor
from events.audit import record
from registry.models import TrustedPublisher
from registry.permissions import Permission

MAX_CLAIMS = 20


def fits(claims: Mapping[str, Any], required: Mapping[str, Any]) -> bool:
    """Whether all required claims are there, each as the value or one of the values, exactly."""
    return all(name in claims and _is_one_of(claims[name], wanted) for name, wanted in required.items())


def _is_one_of(value: object, wanted: object) -> bool:
    allowed = wanted if isinstance(wanted, list) else [wanted]
    # 1 is no True: claims come from JSON
    return any(type(value) is type(each) and value == each for each in allowed)


def of_issuer(issuer: str) -> list[TrustedPublisher]:
    return list(TrustedPublisher.objects.filter(issuer=issuer))


def audience_of(publisher: TrustedPublisher) -> str:
    return publisher.audience or settings.SLIPWAY_URL


def granted(publishers: Iterable[TrustedPublisher]) -> tuple[Permission, ...]:
    return tuple(
        Permission("edit" if each.action == "edit" else "publish", resource)
        for each in publishers
        for resource in each.resources
    )


def publisher_trust(
    *,
    actor: Actor,
    label: str,
    issuer: str,
    resources: list[str],
    claims: Mapping[str, Any],
    audience: str = "",
    action: str = "publish",
) -> TrustedPublisher:
    """Only operators call this: what they trust can publish in anybody's name."""
    parts = urlsplit(issuer)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise BadInput("issuer_invalid", gettext("An issuer is an https address, without query."), field="issuer")
    if not resources or not all(map(_is_pattern, resources)):
        raise BadInput(
            "resources_invalid",
            gettext("Name patterns of server names, such as org.example/* or org.example.*"),
            field="allow",
        )
    if not claims or len(claims) > MAX_CLAIMS:
        raise BadInput(
            "claims_missing",
            gettext(
                "Name at least one claim that a token must have: without any, everybody with an account at the "
                "issuer could publish."
            ),
            field="claim",
        )
    with transaction.atomic():
        if TrustedPublisher.objects.filter(label=label).exists():
            raise Conflict(
                "publisher_exists",
                gettext("There is a trusted publisher “%(label)s” already. Remove it first.") % {"label": label},
            )
        made = TrustedPublisher.objects.create(
            label=label, issuer=issuer, audience=audience, claims=dict(claims), action=action, resources=resources
        )
        said = {"issuer": issuer, "audience": audience, "claims": dict(claims), "may": action, "names": resources}
        record(actor, "trusted_publisher:add", "trusted_publisher", made.pk, label=label, **said)
    return made


def publisher_distrust(*, actor: Actor, label: str) -> UUID:
    """Tokens that it was given last five minutes more at most."""
    with transaction.atomic():
        found = TrustedPublisher.objects.filter(label=label).first()
        if found is None:
            raise NotFound(
                "publisher_unknown", gettext("There is no trusted publisher “%(label)s”.") % {"label": label}
            )
        key = found.pk
        found.delete()
        record(actor, "trusted_publisher:remove", "trusted_publisher", key, label=label)
    return key


def _is_pattern(text: str) -> bool:
    body = text.removesuffix("*")
    return text == "*" or (bool(body) and "*" not in body and ("/" in body or text.endswith(".*")) and " " not in body)
