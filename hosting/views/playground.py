"""A client in the page of a deployment, and the POST that gives it a token. All else the page's own modules do."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpResponse, JsonResponse

from common.errors import AppError
from hosting.permissions import may_call
from hosting.playground.tokens import playground_token_issue
from hosting.views.page import Page, page_view, user_of


@page_view(managed=False, methods=("GET", "HEAD"))
def playground_page(page: Page) -> HttpResponse:
    """Who may look at it and not call it is told so, as is everybody while it is stopped or being built."""
    response = page.show(
        "playground",
        "playground",
        can_call=may_call(page.actor, page.deployment),
        is_callable=page.route.is_callable,
        # as a path: the page may only connect to its own origin, whichever of the site's names that has
        endpoint_path=urlsplit(page.mcp_url).path,
    )
    # Recordings of a result come as blobs that the page makes itself.
    response._csp_update = {"media-src": ["blob:"]}  # type: ignore[attr-defined]
    return response


@page_view(managed=False, methods=("POST",))
def token(page: Page) -> HttpResponse:
    """{"token", "seconds"}, or {"code", "message"} with the status of the refusal."""
    try:
        issued = playground_token_issue(actor=page.actor, user=user_of(page.request), deployment=page.deployment)
    except AppError as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=error.status)
    return JsonResponse({"token": issued.value, "seconds": issued.seconds})
