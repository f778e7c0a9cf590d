"""Pages about deployments. Each parses, calls one service or a few selectors, and renders."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.selectors import names_owned_by
from common.errors import AppError, Conflict
from common.http import add_error
from events.actors import Actor, person
from hosting import output, selectors, services
from hosting.forms import HostForm
from hosting.permissions import may_manage
from hosting.routing import route_of
from hosting.states import State

HOME_ROWS = 5


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    rows = list(selectors.deployments_of(user)[:HOME_ROWS]) if isinstance(user, User) else []
    return render(request, "home.html", {"deployments": rows})


@never_cache
@login_required
@require_safe
def my_servers(request: HttpRequest) -> HttpResponse:
    return render(request, "hosting/my_servers.html", {"deployments": list(selectors.deployments_of(_user(request)))})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = HostForm(request.POST if request.method == "POST" else None, owners=names_owned_by(_user(request)))
    if request.method == "POST" and form.is_valid():
        try:
            deployment = services.deployment_create(actor=_actor(request), **form.cleaned_data)
        except AppError as error:
            add_error(form, error)
        else:
            return redirect("hosting:deployment", deployment.owner.folded, deployment.folded_name)
    return render(request, "hosting/new.html", {"form": form}, status=400 if form.is_bound else 200)


@never_cache
@login_required
@require_safe
def deployment(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Output, build logs and members are the owner's; who may only call it sees what it is and how to connect."""
    actor = _actor(request)
    found = selectors.deployment_seen_by(actor, owner, name)
    can_manage = may_manage(actor, found)
    route = route_of(found)
    tools = found.current_version.tools if found.current_version else None
    context: dict[str, Any] = {
        "deployment": found,
        "mcp_url": route.resource,
        "can_manage": can_manage,
        "is_owner": can_manage,
        "tools": [_tool(tool) for tool in tools or []],
        "tools_known": tools is not None,
        "instances": list(selectors.instances_of(found)),
        "build": {"text": found.reason, "fraction": None} if found.state in (State.QUEUED, State.BUILDING) else None,
        "token_command": f"./manage.py issue_token --user {_user(request).username} --deployment {found.label}",
        "versions": list(selectors.versions_of(found)) if can_manage else [],
        "members": selectors.members_of(found) if can_manage else [],
        "output": output.tail(route) if can_manage else [],
    }
    return render(request, "hosting/deployment.html", context)


@login_required
@require_POST
def start(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    return _act(request, owner, name, services.deployment_start)


@login_required
@require_POST
def stop(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    return _act(request, owner, name, services.deployment_stop)


@login_required
@require_POST
def restart(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    return _act(request, owner, name, services.deployment_restart)


@login_required
@require_POST
def delete(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """The form repeats the server's name, so that no stray click deletes one."""
    actor = _actor(request)
    found = selectors.deployment_managed_by(actor, owner, name)
    if request.POST.get("confirm", "").strip() != found.name:
        messages.error(request, f"Write {found.name} to delete this server. Nothing was deleted.")
        return redirect("hosting:deployment", found.owner.folded, found.folded_name)
    services.deployment_delete(actor=actor, deployment=found)
    messages.success(request, f"{found.label} was deleted.")
    return redirect("hosting:my_servers")


def _act(request: HttpRequest, owner: str, name: str, service: Callable[..., None]) -> HttpResponse:
    actor = _actor(request)
    found = selectors.deployment_managed_by(actor, owner, name)
    try:
        service(actor=actor, deployment=found)
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("hosting:deployment", found.owner.folded, found.folded_name)


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    return {**tool, "schema_json": json.dumps(tool.get("inputSchema", {}), indent=2, ensure_ascii=False)}


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user


def _actor(request: HttpRequest) -> Actor:
    return person(_user(request).pk)
