"""What this site's own accounts may publish: the namespaces that its operator gave them or their organizations.

They show it by a token of the site's API with the scope `registry:publish`. `oauth`, which keeps those, is a sibling of
this app; the setting REGISTRY_API_TOKENS names what finds one.
"""

from __future__ import annotations

from typing import Final, Protocol

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.models import Membership, Name, User
from registry import permissions
from registry.models import NamespaceGrant
from registry.permissions import Permission
from registry.proofs.errors import ProofRefused
from registry.proofs.identity import SITE, Identity

PREFIX: Final = "slipway_api_"
PUBLISH_SCOPE: Final = "registry:publish"
EDIT_SCOPE: Final = "registry:edit"
# Of organizations. Members use what it has; who speaks for it is decided by its owners.
PUBLISHING_ROLES: Final = ("owner", "administrator", "publisher")


class ApiToken(Protocol):
    @property
    def user(self) -> User: ...

    def covers(self, scope: str) -> bool: ...


class _Finder(Protocol):
    def __call__(self, value: str) -> ApiToken | None: ...


def is_site_token(value: str) -> bool:
    """Whether it looks like one. Such a token is never shown to anybody else, GitHub included."""
    return value.startswith(PREFIX)


def ask(value: str) -> Identity:
    """Raises ProofRefused."""
    find: _Finder = import_string(settings.REGISTRY_API_TOKENS)
    token = find(value)
    if token is None:
        raise ProofRefused("This API token is unknown, has expired or was revoked. Make one at /account/api-tokens.")
    user = token.user
    granted: tuple[Permission, ...] = ()
    if token.covers(PUBLISH_SCOPE):
        granted += tuple(granted_to(user))
    if token.covers(EDIT_SCOPE) and user.is_superuser:
        granted += (Permission("edit", permissions.EVERYTHING),)
    if not granted and not token.covers(PUBLISH_SCOPE):
        raise ProofRefused(f"This API token lacks the scope {PUBLISH_SCOPE}. Make one that has it.")
    return Identity(SITE, user.username, granted, user.pk)


def granted_to(user: User) -> list[Permission]:
    """By the operator's word."""
    speaks_for = Membership.objects.filter(user=user, role__in=PUBLISHING_ROLES).values("organization_id")
    owners = Name.objects.filter(Q(user=user) | Q(organization_id__in=speaks_for), released_at=None)
    found: list[Permission] = []
    for grant in NamespaceGrant.objects.filter(owner__in=owners):
        found.append(permissions.publish(permissions.namespace(grant.namespace)))
        if grant.with_below:
            found.append(permissions.publish(permissions.below(grant.namespace)))
    return found
