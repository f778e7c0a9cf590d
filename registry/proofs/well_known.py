"""Keys on the web page of a domain: https://DOMAIN/.well-known/mcp-registry-auth, fetched through the guarded door."""

from __future__ import annotations

from common.outbound import Door, HostUnreachable, OutboundError
from registry.proofs import records
from registry.proofs.errors import ProofRefused, ProofUnavailable
from registry.proofs.records import PublicKey

PATH = "/.well-known/mcp-registry-auth"
SECONDS = 10.0
MAX_BYTES = 4096


def published_keys(domain: str, *, door: Door) -> list[PublicKey]:
    """Blocks. Raises ProofRefused. A redirect is no answer: whoever may set one need not hold the domain."""
    url = f"https://{domain}{PATH}"
    try:
        answer = door.fetch_blocking(
            url, headers={"Accept": "text/plain"}, max_bytes=MAX_BYTES, seconds=SECONDS, redirects=0
        )
    except HostUnreachable as error:
        raise ProofUnavailable(f"{url} could not be fetched. {error.message}") from error
    except OutboundError as error:
        raise ProofRefused(f"{url} is not fetched. {error.message}") from error
    if answer.status != 200:
        raise ProofRefused(f"{url} answered with status {answer.status}; it must be 200, without a redirect.")
    return records.keys([answer.content.decode("utf-8", "replace")])
