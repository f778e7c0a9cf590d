"""A client in the page of a deployment, and the POST that gives it a token. All else the page's own modules do."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import reverse

from common.content_policy import sources_allow
from common.errors import AppError
from hosting.access.permissions import may_call
from hosting.playground import apart
from hosting.playground.apps import MAX_BYTES, app_keep, app_take
from hosting.playground.tokens import playground_token_issue
from hosting.tools.names import OF_TASKS
from hosting.views.page import Page, page_view, user_of


@page_view(managed=False, methods=("GET", "HEAD"), is_routed=True)
def playground_page(page: Page) -> HttpResponse:
    """Who may look at it and not call it is told so, as is everybody while it is stopped or being built."""
    response = page.show(
        "playground",
        "playground",
        can_call=may_call(page.actor, page.deployment),
        is_callable=page.route.is_callable,
        expected=_expected(page),
        # as a path: the page may only connect to its own origin, whichever of the site's names that has
        endpoint_path=urlsplit(page.mcp_url).path,
    )
    # Recordings of a result come as blobs that the page makes itself. An app's frame can't leave its place either.
    sources_allow(response, "media-src", ["blob:"])
    sources_allow(response, "frame-src", [settings.APPS_URL.origin + apart.FOLDER if settings.APPS_URL else "'self'"])
    return response


def _expected(page: Page) -> list[dict[str, str]]:
    """The tools that a client will most likely be shown, each with its words in a list: until it says so itself."""
    rows = [row for row in page.deployment.tools.all() if row.is_listed and row.is_enabled and not row.is_held]
    found = [
        {"name": row.name, "about": str(row.seen.get("title") or row.seen.get("description") or "")} for row in rows
    ]
    return [*found, *({"name": name, "about": ""} for name in OF_TASKS if found and page.deployment.has_tasks)]


@page_view(managed=False, methods=("POST",))
def token(page: Page) -> HttpResponse:
    """{"token", "seconds"}, or {"code", "message"} with the status of the refusal."""
    try:
        issued = playground_token_issue(actor=page.actor, user=user_of(page.request), deployment=page.deployment)
    except AppError as error:
        return _refused(error)
    return JsonResponse({"token": issued.value, "seconds": issued.seconds})


@page_view(managed=False, methods=("POST",))
def app(page: Page) -> HttpResponse:
    """Keeps the HTML of an app for a moment: {"address"} for its frame, or {"code", "message"}."""
    body = page.request.read(MAX_BYTES + 1)  # in place of `body`, which has a limit for forms
    try:
        app_id = app_keep(
            actor=page.actor,
            deployment=page.deployment,
            body=body,
            allowed=settings.SLIPWAY_APP_HOSTS,
            framed_by=_framing_origins() if settings.APPS_URL else (),
        )
    except AppError as error:
        return _refused(error)
    if settings.APPS_URL:
        return JsonResponse({"address": f"{settings.APPS_URL.origin}{apart.FOLDER}{app_id}"})
    found = page.deployment
    return JsonResponse(
        {"address": reverse("hosting:playground_frame", args=[found.owner.display, found.name, app_id])}
    )


def _framing_origins() -> list[str]:
    """Ours, under each name; but for IPv6 addresses, which no source expression can name (CSP 3, 2.3.1)."""
    return [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "[" not in origin]


@page_view(managed=False, methods=("GET",))
def frame(page: Page, app_id: str) -> HttpResponse:
    """An app, in a frame of the Playground and nowhere else."""
    found = app_take(actor=page.actor, deployment=page.deployment, app_id=app_id)
    response = HttpResponse(found.html)
    response["Content-Security-Policy"] = found.policy
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _refused(error: AppError) -> JsonResponse:
    return JsonResponse({"code": error.code, "message": error.message}, status=error.status)
