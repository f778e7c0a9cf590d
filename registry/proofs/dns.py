"""Keys in the TXT records of a domain itself. Nothing below it counts, or who holds a part would hold it all."""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.resolver

from common.outbound.names import resolver
from registry.proofs import records
from registry.proofs.errors import ProofRefused, ProofUnavailable
from registry.proofs.records import PublicKey

SECONDS = 5.0
HINT_SECONDS = 2.0
# Where people put the record who know DKIM. Looked at only to tell them.
WRONG_SELECTORS = ("_mcp-auth", "_mcp-registry")


def published_keys(domain: str, *, servers: Sequence[str] = ()) -> list[PublicKey]:
    """Blocks, for 5 seconds at most and some for a hint. Raises ProofRefused."""
    texts = _txt(domain, servers, SECONDS)
    if not any(map(records.is_record, texts)) and (place := _misplaced(domain, servers)):
        raise ProofRefused(
            f"There is no MCPv1 record at {domain}, but one at {place}. It has to be a TXT record of {domain} itself."
        )
    return records.keys(texts)


def texts(domain: str, *, servers: Sequence[str] = ()) -> list[str]:
    """All TXT records of a domain itself. Blocks. Raises ProofUnavailable."""
    return _txt(domain, servers, SECONDS)


def _txt(name: str, servers: Sequence[str], seconds: float) -> list[str]:
    """The TXT records of a name, their parts joined. Raises ProofUnavailable."""
    try:
        answer = resolver(servers).resolve(f"{name}.", "TXT", search=False, lifetime=seconds)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise ProofUnavailable(f"The TXT records of {name} could not be looked up. Try again shortly.") from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def _misplaced(domain: str, servers: Sequence[str]) -> str:
    for selector in WRONG_SELECTORS:
        try:
            found = _txt(f"{selector}.{domain}", servers, HINT_SECONDS)
        except ProofUnavailable:
            return ""
        if any(map(records.is_record, found)):
            return f"{selector}.{domain}"
    return ""
