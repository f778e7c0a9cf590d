"""One function for each kind of proof: from what was sent to who that is. Each blocks and raises ProofRefused.

`issue` then makes the registry token. All of them are called from threads (registry/api/auth.py).
"""

from __future__ import annotations

from django.conf import settings

from common import clock
from common.outbound import site_door
from events.actors import ANONYMOUS, person
from events.audit import record
from registry import permissions
from registry.permissions import Permission
from registry.proofs import (
    blocks,
    dns,
    domains,
    github,
    id_tokens,
    issuers,
    keys,
    publishers,
    signed_times,
    single_use,
    site,
    tokens,
    well_known,
)
from registry.proofs import identity as kinds
from registry.proofs.errors import ProofRefused
from registry.proofs.identity import Identity
from registry.proofs.tokens import Token

OLD_AUDIENCE = "mcp-registry"  # of every registry, before mcp-publisher asked for the address of one
ANONYMOUS_NAMESPACE = "io.modelcontextprotocol.anonymous"


def issue(identity: Identity) -> Token:
    """The token, and a line in the audit log. Raises NamespaceBlocked."""
    granted = blocks.without_blocked(identity.permissions)
    allowed = Identity(identity.method, identity.subject, granted, identity.user_id)
    made = tokens.mint(allowed, key=keys.signing_key(), site=settings.SLIPWAY_URL, now=clock.now().timestamp())
    record(
        person(identity.user_id) if identity.user_id else ANONYMOUS,
        "registry_token:issue",
        "registry_identity",
        identity.verified_by,
        permissions=[each.as_claim() for each in granted],
    )
    return made


def by_github_token(token: str) -> Identity:
    """Of GitHub; or of this site's own API, so that `mcp-publisher login github --token …` takes those too."""
    if site.is_site_token(token):
        return site.ask(token)
    proven = github.ask(token, api=settings.REGISTRY_GITHUB_API, door=site_door())
    held = [each for each in proven.accounts if blocks.is_holder(github_namespace(each.login), each.id)]
    if not held:
        raise _another_holder(proven.user.login)
    return Identity(kinds.GITHUB, proven.user.login, tuple(_github_permission(each.login) for each in held))


def by_github_actions(token: str) -> Identity:
    """Of a workflow at GitHub; another issuer's token is taken for what `by_oidc` says of it, since the official
    command sends all ID tokens here."""
    issuer = id_tokens.issuer_of(token)
    if issuer != settings.REGISTRY_GITHUB_ISSUER:
        return by_oidc(token)
    audiences = [settings.SLIPWAY_URL, *([OLD_AUDIENCE] if settings.REGISTRY_GITHUB_OLD_AUDIENCE else [])]
    claims = issuers.verify(token, issuer=issuer, audiences=audiences, now=clock.now().timestamp(), door=site_door())
    owner, number = claims.get("repository_owner"), str(claims.get("repository_owner_id", ""))
    if not isinstance(owner, str) or not github.is_name(owner):
        raise ProofRefused("The ID token does not say whose repository it was made for.")
    if not number.isascii() or not number.isdigit():
        raise ProofRefused("The ID token has no repository_owner_id.")
    if not blocks.is_holder(github_namespace(owner), int(number)):
        raise _another_holder(owner)
    return Identity(kinds.GITHUB_ACTIONS, owner, (_github_permission(owner),))


def by_oidc(token: str) -> Identity:
    """Of the trusted publishers that the operator configured: all whose claims the token has."""
    issuer = id_tokens.issuer_of(token)
    known = publishers.of_issuer(issuer)
    if not known:
        raise ProofRefused("The ID token's issuer is not trusted here. An operator can trust it: trust_publisher.")
    audiences = {publishers.audience_of(each) for each in known}
    claims = issuers.verify(
        token, issuer=issuer, audiences=sorted(audiences), now=clock.now().timestamp(), door=site_door()
    )
    named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    fitting = [each for each in known if publishers.audience_of(each) in named and publishers.fits(claims, each.claims)]
    if not fitting:
        raise ProofRefused("The ID token is genuine, but lacks the claims that a trusted publisher here must have.")
    labels = ", ".join(each.label for each in fitting)
    return Identity(kinds.OIDC, labels[:150], publishers.granted(fitting))


def by_dns(domain: str, timestamp: str, signature: str) -> Identity:
    return _by_key(kinds.DNS, domain, timestamp, signature)


def by_http(domain: str, timestamp: str, signature: str) -> Identity:
    return _by_key(kinds.HTTP, domain, timestamp, signature)


def by_nothing() -> Identity:
    """For trying things out, where the operator allows it; production doesn't start with it."""
    everything = permissions.namespace(ANONYMOUS_NAMESPACE)
    return Identity(kinds.NONE, "anonymous", (Permission("publish", everything), Permission("edit", everything)))


def github_namespace(login: str) -> str:
    return f"{settings.REGISTRY_GITHUB_NAMESPACE}.{login}"


def _another_holder(login: str) -> ProofRefused:
    """GitHub gives a name anew that its holder left; what was published under it stays with whom it was."""
    return ProofRefused(
        f"The namespace {github_namespace(login)} was proven by another GitHub account, which has been renamed or "
        "deleted since. If it is yours by right, ask the operator of this site to release it."
    )


def _github_permission(login: str) -> Permission:
    return permissions.publish(permissions.namespace(github_namespace(login)))


def _by_key(method: str, domain: str, timestamp: str, signature: str) -> Identity:
    """What costs nothing is checked first, and the signature is used up last, when it is known to be genuine."""
    domains.check(domain, github=settings.REGISTRY_GITHUB_NAMESPACE)
    signed = signed_times.read(timestamp, signature, now=clock.now())
    if method == kinds.DNS:
        published = dns.published_keys(domain, servers=settings.SLIPWAY_DNS_SERVERS)
    else:
        published = well_known.published_keys(domain, door=site_door())
    single_use.use(signed_times.verified_by(signed, published))
    return Identity(method, domain, domains.granted(domain, with_subdomains=method == kinds.DNS))
