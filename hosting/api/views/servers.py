"""The registry's search, ranked as on its pages."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.views import ApiView, operation
from hosting.api.serializers.servers import ServerQuery, ServersSerializer, search_of
from hosting.api.views.deployment import query_of
from registry.search.finding import find


class ServersView(ApiView):
    scopes = ("deployments:read", "deployments:write")

    @operation(
        "searchServers",
        "Servers of the registry, best matches first",
        tag="Registry",
        query=ServerQuery,
        response=ServersSerializer,
        description="Ranked, with facets. /v0.1/servers finds by the same words in order of names, for everybody.",
    )
    def get(self, request: Request) -> Response:
        search = search_of(query_of(request, ServerQuery))
        found = find(search)
        shown = {
            "items": found.rows,
            "total": found.total,
            "next": search.page + 1 if found.has_more else None,
            "counts": found.counts,
            "corrected": found.corrected,
            "is_widened": found.is_widened,
        }
        return Response(ServersSerializer(shown).data)
