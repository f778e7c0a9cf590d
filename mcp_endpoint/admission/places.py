"""The paths under which endpoints are found, and what is said there to who may not come in: metadata and challenges."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from mcp_endpoint.admission.auth import Challenge
from mcp_endpoint.directory import Key
from mcp_endpoint.wire import cors
from mcp_endpoint.wire import jsonrpc as j
from mcp_endpoint.wire.answer import Answer
from mcp_endpoint.wire.protected_resource import document, metadata_url, parse_path

_PATHS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint's path, taken apart once. Names are folded, since tokens compare the resource byte for byte."""

    key: Key
    resource: str
    metadata_url: str


class Places:
    """All of the site. `site_url` has no slash at its end. What was taken apart once is remembered."""

    def __init__(self, site_url: str) -> None:
        self._site_url = site_url
        self._known: dict[str, Place] = {}

    def find(self, path: str) -> Place | None:
        place = self._known.get(path)
        if place is None:
            key = parse_path(path)
            if key is None:
                return None
            if len(self._known) >= _PATHS:
                self._known.clear()
            folded = path.lower()
            place = Place(key, self._site_url + folded, metadata_url(self._site_url, folded))
            self._known[path] = place
        return place

    async def metadata(self, answer: Answer, method: str, path: str) -> None:
        """Public, and for pages of every origin: a browser client begins here."""
        if method == "OPTIONS":
            await answer.empty(204, cors.open_preflight())
        elif parse_path(path) is None:
            await answer.json(404, j.failure(b"", j.INVALID_REQUEST, "Not found"))
        else:
            await answer.json(200, document(self._site_url, path.lower()), [(b"access-control-allow-origin", b"*")])


async def tell_challenge(answer: Answer, place: Place, challenge: Challenge, request_id: bytes = b"") -> None:
    header = (b"www-authenticate", challenge.header(place.metadata_url))
    # Clients that know no challenge (TypeScript SDK 1.x without a provider, mcpc) see nothing but this text.
    message = f"{HTTPStatus(challenge.status).phrase}: {challenge.description}"
    # JSON-RPC 2.0, section 5: null where the id was not read. The Python SDK drops a body without the member.
    body = j.failure(request_id or b"null", j.INVALID_REQUEST, message)
    await answer.json(challenge.status, body, [header])
