"""Another registry, as far as one that follows it can tell: pages of entries by cursor and `updated_since`."""

from __future__ import annotations

import json
from typing import Any

from tests.registry.fakes.web import Request, Response

PAGE = 2
OFFICIAL = "io.modelcontextprotocol.registry/official"


class FakeRegistry:
    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.asked: list[dict[str, str]] = []
        self.breaks_at = -1  # the number of the request that it answers no more
        self.answers: Response | None = None  # instead of all else

    def answer(self, request: Request) -> Response:
        self.asked.append(request.query)
        if self.answers is not None:
            return self.answers
        if len(self.asked) - 1 == self.breaks_at:
            return Response(502, b"bad gateway")
        if request.path != "/v0.1/servers":
            return Response(404)
        since = request.query.get("updated_since", "")
        found = [one for one in self.entries if one["_meta"][OFFICIAL]["updatedAt"] > since]
        at = int(request.query.get("cursor", "0"))
        page = found[at : at + PAGE]
        more = {"nextCursor": str(at + PAGE)} if at + PAGE < len(found) else {}
        body = {"servers": page, "metadata": {"count": len(page), **more}}
        return Response(200, json.dumps(body).encode(), {"Content-Type": "application/json"})
