"""What the pages of one deployment share: who looks at it, its head, and its tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from common.errors import AppError
from events.actors import Actor, person
from hosting import selectors
from hosting.access.permissions import may_manage
from hosting.credentials import personal
from hosting.models import Deployment
from hosting.remotes import accounts as remote_accounts
from hosting.routing import Route, resource_url, route_of
from hosting.states import State

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Page:
    """One deployment as somebody who may see it looks at it."""

    request: HttpRequest
    deployment: Deployment
    actor: Actor
    can_manage: bool

    @cached_property
    def route(self) -> Route:
        """Few pages need it (`is_routed`), and it takes four queries."""
        return route_of(self.deployment)

    @property
    def mcp_url(self) -> str:
        return resource_url(self.deployment.owner.folded, self.deployment.folded_name)

    def show(self, template: str, tab: str, *, status: int = 200, **context: Any) -> HttpResponse:
        found, viewer = self.deployment, user_of(self.request).pk
        has_account = self.can_manage and found.kind == "remote"
        account = remote_accounts.account_of(found) if has_account else None
        is_building = found.state in (State.QUEUED, State.BUILDING)
        return render(
            self.request,
            f"hosting/{template}.html",
            {
                "deployment": found,
                "mcp_url": self.mcp_url,
                "can_manage": self.can_manage,
                "tab": tab,
                "has_brought": found.is_for_its_users and personal.brought_by(viewer, found).is_enough,
                "build": {"text": found.reason, "fraction": None} if is_building else None,
                "missing_setting": selectors.setting_missing(found) if self.can_manage else "",
                "has_account": has_account,
                "account": account,
                "account_problem": remote_accounts.account_problem(found, account) if has_account else "",
                "held_count": selectors.tools_held(found) if self.can_manage else 0,
                **context,
            },
            status=status,
        )

    def back(self, name: str, fragment: str = "") -> HttpResponse:
        """To one of the deployment's pages, after a change."""
        response = redirect(f"hosting:{name}", self.deployment.owner.folded, self.deployment.folded_name)
        if fragment:
            response["Location"] += f"#{fragment}"
        return response

    def attempt(self, service: Callable[..., object], done: str = "", **arguments: Any) -> bool:
        """Runs a service as the person who asks; its refusal, or what was done, is told on the next page."""
        try:
            service(actor=self.actor, deployment=self.deployment, **arguments)
        except AppError as error:
            if error.status == 404 and error.code == "deployment_unknown":
                raise
            messages.error(self.request, error.message)
            return False
        if done:
            messages.success(self.request, done)
        return True


def page_view(
    *, managed: bool, methods: tuple[str, ...] = ("GET", "HEAD", "POST"), is_routed: bool = False
) -> Callable[[View], View]:
    """A view of (page) instead of (request, owner, name): for who may see, or only for who may manage.

    `is_routed` is for those that read `page.route`.
    """

    def decorate(view: View) -> View:
        @never_cache
        @login_required
        @require_http_methods(list(methods))
        def wrapped(request: HttpRequest, owner: str, name: str, **rest: Any) -> HttpResponseBase:
            actor = actor_of(request)
            find = selectors.deployment_managed_by if managed else selectors.deployment_seen_by
            found = find(actor, owner, name, is_routed=is_routed)
            return view(Page(request, found, actor, managed or may_manage(actor, found)), **rest)

        return wrapped

    return decorate


def user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    return person(user_of(request).pk)
