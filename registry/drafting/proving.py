"""What the person at the browser has proven, kept in their session for half an hour, and the ways to prove more.

Blocked namespaces are left out when it is used, not when it is proven: a block counts at once.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts.models import User
from common import clock
from events.actors import person
from registry import permissions
from registry.permissions import Permission, allows, namespace_of
from registry.proofs import blocks, challenges, device_flow, domains, exchanges, site
from registry.proofs.errors import NamespaceBlocked, ProofRefused
from registry.proofs.identity import SITE, Identity
from registry.publishing import Publisher

SECONDS = 1800
MAX_KEPT = 10
_PROOFS, _DEVICE = "registry_proofs", "registry_device"
Session = MutableMapping[str, Any]


@dataclass(frozen=True)
class Way:
    """To prove a domain. `record` goes into its TXT records or to the file at `url`."""

    domain: str
    record: str
    url: str


def publisher_for(user: User, session: Session, name: str) -> Publisher | None:
    """With the proof that covers this name; None while there is none."""
    granted = tuple(site.granted_to(user))
    held = [Identity(SITE, user.username, granted, user.pk)] if granted else []
    for identity in [*held, *_kept(session)]:
        try:
            left = blocks.without_blocked(identity.permissions)
        except NamespaceBlocked:
            continue
        if allows(left, "publish", name):
            return Publisher(person(user.pk), identity.verified_by, left)
    return None


def is_github(name: str) -> bool:
    return namespace_of(name).lower().startswith(f"{settings.REGISTRY_GITHUB_NAMESPACE}.".lower())


def ways(user: User, name: str) -> list[Way]:
    """The domains whose proof covers the name, its own first: team.example.org, example.org."""
    labels = namespace_of(name).split(".")
    found = []
    for count in range(len(labels), 1, -1):
        domain = ".".join(reversed(labels[:count]))
        try:
            domains.check(domain, github=settings.REGISTRY_GITHUB_NAMESPACE)
        except ProofRefused:
            continue
        found.append(Way(domain, challenges.record(user.pk, domain), f"https://{domain}{challenges.PATH}"))
    return found[:4]


def by_domain(user: User, session: Session, method: str, domain: str) -> None:
    """Blocks. Raises ProofRefused."""
    prove = {"dns": challenges.by_dns, "http": challenges.by_http}[method]
    _keep(session, prove(user.pk, domain))


def github_begin(session: Session) -> None:
    """Blocks. Raises ProofRefused."""
    made = device_flow.begin()
    session[_DEVICE] = {
        "device_code": made.device_code,
        "user_code": made.user_code[:40],
        "until": clock.now().timestamp() + made.expires_in,
    }


def github_code(session: Session) -> str:
    """What to enter at GitHub, while it counts."""
    found = session.get(_DEVICE) or {}
    return str(found["user_code"]) if found.get("until", 0) > clock.now().timestamp() else ""


def github_finish(user: User, session: Session) -> None:
    """Blocks. Raises ProofRefused."""
    if not github_code(session):
        raise ProofRefused("The code has expired. Begin again.")
    token = device_flow.token(session[_DEVICE]["device_code"])
    if not token:
        raise ProofRefused("The code was not entered at GitHub yet.")
    found = exchanges.by_github_token(token)
    session.pop(_DEVICE, None)
    _keep(session, Identity(found.method, found.subject, found.permissions, user.pk))


def subjects(session: Session) -> list[str]:
    """Who has been proven, for the words on the page: github-at:alice."""
    return [one.verified_by for one in _kept(session)]


def _keep(session: Session, identity: Identity) -> None:
    made = {
        "method": identity.method,
        "subject": identity.subject,
        "permissions": [each.as_claim() for each in identity.permissions],
        "until": clock.now().timestamp() + SECONDS,
    }
    session[_PROOFS] = [made, *session.get(_PROOFS, [])][:MAX_KEPT]


def _kept(session: Session) -> list[Identity]:
    now = clock.now().timestamp()
    return [
        Identity(each["method"], each["subject"], _permissions(each["permissions"]))
        for each in session.get(_PROOFS, [])
        if each["until"] > now
    ]


def _permissions(claims: Any) -> tuple[Permission, ...]:
    return permissions.from_claims(claims)


def namespaces_of(user: User, session: Session) -> list[str]:
    """Those that may be published to without another proof."""
    granted = [*site.granted_to(user), *(each for one in _kept(session) for each in one.permissions)]
    whole = [each.resource[:-2] for each in granted if each.action == "publish" and each.resource.endswith("/*")]
    return list(dict.fromkeys(whole))
