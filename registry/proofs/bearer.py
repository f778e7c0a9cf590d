"""Who a request to the registry's API acts for: the bearer of a registry token, or of one of the site's API tokens."""

from __future__ import annotations

from django.conf import settings

from common import clock
from registry.proofs import blocks, keys, site, tokens
from registry.proofs.identity import Identity


def identify(value: str) -> Identity:
    """Reads the database. Raises ProofRefused, and NamespaceBlocked for whom a block left nothing."""
    if site.is_site_token(value):
        found = site.ask(value)
    else:
        now = clock.now().timestamp()
        found = tokens.verify(value, keys=keys.verifying_keys(), site=settings.SLIPWAY_URL, now=now)
    return Identity(found.method, found.subject, blocks.without_blocked(found.permissions), found.user_id)
