"""Who has proved something, how, and what that permits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from registry.permissions import Permission

GITHUB = "github-at"
GITHUB_ACTIONS = "github-oidc"
OIDC = "oidc"
DNS = "dns"
HTTP = "http"
NONE = "none"
SITE = "site"  # a token of this site's own API


@dataclass(frozen=True)
class Identity:
    """`method` is one of the above; `subject` is what it names: a login, a repository's owner, a domain, a user."""

    method: str
    subject: str
    permissions: tuple[Permission, ...]
    user_id: UUID | None = None  # of this site, where one is known

    @property
    def verified_by(self) -> str:
        """For people, beside a server's name: dns:example.org."""
        return f"{self.method}:{self.subject}"[:200]
