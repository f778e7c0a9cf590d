"""A domain proven from a page: the person puts a text that only this site could have asked for where its holder can.

No key is involved: a key record would also count at other registries, and whoever made its private half could publish
there. The text is bound to account and domain, so that nobody can use the record of somebody else.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext

from common.outbound import HostUnreachable, OutboundError, site_door
from registry.proofs import dns, domains
from registry.proofs.errors import ProofRefused, ProofUnavailable
from registry.proofs.identity import DNS, HTTP, Identity

PREFIX: Final = "slipway-proof="
PATH: Final = "/.well-known/slipway-proof"
SECONDS: Final = 10.0
MAX_BYTES: Final = 4096


def record(user_id: UUID, domain: str) -> str:
    """What has to be published."""
    words = f"registry challenge\0{settings.SLIPWAY_URL}\0{user_id}\0{domain.lower()}"
    digest = hmac.digest(settings.SECRET_KEY.encode(), words.encode(), "sha256")
    return PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def by_dns(user_id: UUID, domain: str) -> Identity:
    """A TXT record of the domain itself. Blocks. Raises ProofRefused."""
    domains.check(domain, github=settings.REGISTRY_GITHUB_NAMESPACE)
    found = dns.texts(domain, servers=settings.SLIPWAY_DNS_SERVERS)
    _check(found, record(user_id, domain), gettext("the TXT records of %(domain)s") % {"domain": domain})
    return Identity(DNS, domain, domains.granted(domain, with_subdomains=True), user_id)


def by_http(user_id: UUID, domain: str) -> Identity:
    """A file of the domain's web server. Blocks. Raises ProofRefused. A redirect is no answer."""
    domains.check(domain, github=settings.REGISTRY_GITHUB_NAMESPACE)
    url = f"https://{domain}{PATH}"
    try:
        answer = site_door().fetch_blocking(url, max_bytes=MAX_BYTES, seconds=SECONDS, redirects=0)
    except HostUnreachable as error:
        raise ProofUnavailable(
            gettext("%(url)s could not be fetched. %(message)s") % {"url": url, "message": error.message}
        ) from error
    except OutboundError as error:
        raise ProofRefused(
            gettext("%(url)s is not fetched. %(message)s") % {"url": url, "message": error.message}
        ) from error
    if answer.status != 200:
        raise ProofRefused(
            gettext("%(url)s answered with status %(status)s; it must be 200, without a redirect.")
            % {"url": url, "status": answer.status}
        )
    _check(answer.content.decode("utf-8", "replace").splitlines(), record(user_id, domain), url)
    return Identity(HTTP, domain, domains.granted(domain, with_subdomains=False), user_id)


def _check(found: Iterable[str], wanted: str, where: str) -> None:
    texts = [text.strip() for text in found]
    if any(hmac.compare_digest(text.encode(), wanted.encode()) for text in texts):
        return
    others = any(text.startswith(PREFIX) for text in texts)
    if others:
        words = gettext("What was found in %(where)s has the text of another account or site.")
    else:
        words = gettext("What was found in %(where)s does not have the text yet.")
    later = gettext("A new record may take some minutes to be seen everywhere.")
    raise ProofRefused(f"{words % {'where': where}} {later}")
