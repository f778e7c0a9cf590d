"""Publishing in two steps: describe the server, then prove the namespace and publish.

The draft lies in the person's session, so that they may go to GitHub or to their DNS meanwhile. Every button works
without JavaScript; with it, what is wrong and the server.json follow what is typed (controllers/check.js).
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from common.errors import AppError, BadInput
from registry.api.indexes import indexes
from registry.drafting import proving
from registry.drafting.checking import Wrong, wrongs
from registry.drafting.documents import document_of
from registry.drafting.forms import Draft
from registry.proofs import device_flow
from registry.publishing import version_publish
from registry.views.page import server_url

DRAFT = "registry_draft"
MAX_DRAFT = 64 * 1024  # characters


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest) -> HttpResponse:
    """The description. `action` is check (show what is wrong), another (one more setting), next, or clear."""
    action = request.POST.get("action", "") if request.method == "POST" else ""
    if action == "clear":
        request.session.pop(DRAFT, None)
        return redirect("registry:publish")
    given = request.POST if request.method == "POST" else _kept(request)
    if given is not None and action == "another":
        given = Draft.with_another_setting(given)
    draft = Draft(given, initial={"name": _suggested(request)})
    document: dict[str, Any] = {}
    found: list[Wrong] = []
    if given is not None and draft.is_sane():
        document = document_of(draft.values, draft.rows)
        found = draft.told(wrongs(document, indexes()))
        if request.method == "POST":
            _keep(request, given)
    is_fine = bool(document) and not any(one.is_error for one in found)
    if action == "next" and is_fine:
        return redirect("registry:publish_prove")
    draft.needed_mark()
    return render(
        request,
        "registry/publish.html",
        {
            "draft": draft,
            "document": json.dumps(document, indent=2, ensure_ascii=False) if document else "",
            "wrongs": found,
            "is_checked": given is not None,
            "is_fine": is_fine,
            "opened": draft.opened({one.field for one in found}),
        },
        status=400 if action == "next" or (given is not None and not document) else 200,
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponse:
    """The proof, step by step, and the button that publishes."""
    document = _document(request)
    if document is None:
        messages.info(request, gettext("Describe the server first."))
        return redirect("registry:publish")
    problem: AppError | None = None
    if request.method == "POST":
        try:
            if (done := _act(request, document)) is not None:
                return done
        except AppError as error:
            problem = error
    return _page(request, document, problem)


def _act(request: HttpRequest, document: dict[str, Any]) -> HttpResponse | None:
    """None shows the page again. Raises AppError."""
    user, session, action = _user(request), request.session, request.POST.get("action", "")
    if action == "publish":
        publisher = proving.publisher_for(user, session, document["name"])
        if publisher is None:
            raise BadInput(
                "namespace_unproven", gettext("Prove the namespace first: the proof may have expired meanwhile.")
            )
        made = version_publish(publisher=publisher, document=document)
        session.pop(DRAFT, None)
        messages.success(
            request,
            gettext("%(name)s %(version)s is published. This is its page.")
            % {"name": made.name, "version": made.version},
        )
        return redirect(server_url(made.name))
    if action == "github":
        proving.github_begin(session)
    elif action == "github_done":
        proving.github_finish(user, session)
    elif action in ("dns", "http"):
        domain = request.POST.get("domain", "")
        if domain not in [way.domain for way in proving.ways(user, document["name"])]:
            raise BadInput(
                "domain_unknown", gettext("This domain does not stand for the namespace. Load the page anew.")
            )
        proving.by_domain(user, session, action, domain)
    else:
        raise BadInput("action_unknown", gettext("This button is not known here. Load the page anew."))
    return redirect("registry:publish_prove")


def _page(request: HttpRequest, document: dict[str, Any], problem: AppError | None) -> HttpResponse:
    user, name = _user(request), document["name"]
    publisher = proving.publisher_for(user, request.session, name)
    context = {
        "name": name,
        "version": document["version"],
        "namespace": name.partition("/")[0],
        "document": json.dumps(document, indent=2, ensure_ascii=False),
        "publisher": publisher,
        "has_package": "packages" in document,
        "subjects": proving.subjects(request.session),
        "is_github": proving.is_github(name),
        "may_device": device_flow.is_on(),
        "code": proving.github_code(request.session),
        "device_url": f"{settings.REGISTRY_GITHUB_URL}/login/device",
        "ways": proving.ways(user, name),
        "site_url": settings.SLIPWAY_URL,
        "problem": problem,
        "review_url": reverse("registry:review", args=[name]) if problem and problem.code == "publish_held" else "",
    }
    return render(request, "registry/publish_prove.html", context, status=problem.status if problem else 200)


def _document(request: HttpRequest) -> dict[str, Any] | None:
    """Of the draft, when it may be published as far as can be told without asking."""
    draft = Draft(_kept(request))
    if not draft.about.is_bound or not draft.is_sane():
        return None
    document = document_of(draft.values, draft.rows)
    return None if any(one.is_error for one in wrongs(document, indexes())) else document


def _kept(request: HttpRequest) -> QueryDict | None:
    text = request.session.get(DRAFT)
    return QueryDict(text) if text else None


def _keep(request: HttpRequest, given: QueryDict) -> None:
    kept = given.copy()
    for name in ("csrfmiddlewaretoken", "action"):
        kept.pop(name, None)
    text = kept.urlencode()
    if len(text) <= MAX_DRAFT and request.session.get(DRAFT) != text:
        request.session[DRAFT] = text


def _suggested(request: HttpRequest) -> str:
    """The beginning of a name, where the person has a namespace already."""
    granted = proving.namespaces_of(_user(request), request.session)
    return f"{granted[0]}/" if granted else ""


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user
