"""What all pages of one organization share: whose it is, what the person is there, and its tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Organization, User
from accounts.permissions import ADMINISTERING, role_in
from accounts.selectors import organization_get
from common.errors import AppError, NotFound
from events.actors import Actor, person


@dataclass(frozen=True)
class OrganizationPage:
    request: HttpRequest
    organization: Organization
    user: User
    role: str

    @property
    def actor(self) -> Actor:
        return person(self.user.pk)

    @property
    def is_administered(self) -> bool:
        return self.role in ADMINISTERING

    @property
    def action(self) -> str:
        """The button or form that was sent, "" where the page is only looked at."""
        return self.request.POST.get("action", "") if self.request.method == "POST" else ""

    def show(self, template: str, tab: str, *, status: int = 200, **context: Any) -> HttpResponse:
        shared = {
            "organization": self.organization,
            "name": self.organization.name.display,
            "role": self.role,
            "can_administer": self.is_administered,
            "tab": tab,
        }
        return render(self.request, f"organizations/{template}.html", {**shared, **context}, status=status)

    def attempt(self, do: Callable[..., Any], words: str, **fields: Any) -> bool:
        """Says what came of it, above the next page."""
        try:
            do(actor=self.actor, organization=self.organization, **fields)
        except AppError as error:
            messages.error(self.request, error.message)
            return False
        messages.success(self.request, words)
        return True

    def back(self, view: str) -> HttpResponse:
        return redirect(view, self.organization.name.display)


PageView = Callable[[OrganizationPage], HttpResponse]


def organization_page(*, administered: bool = True) -> Callable[[PageView], Callable[[HttpRequest, str], HttpResponse]]:
    """For members; for administrators where `administered`. To others the organization isn't there."""

    def decorate(view: PageView) -> Callable[[HttpRequest, str], HttpResponse]:
        @never_cache
        @login_required
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def answer(request: HttpRequest, name: str) -> HttpResponse:
            assert isinstance(request.user, User)  # login_required
            organization = organization_get(name)
            role = role_in(person(request.user.pk), organization)
            if not role or (administered and role not in ADMINISTERING):
                raise NotFound(
                    "organization_unknown",
                    gettext("There is no organization named “%(name)s”, or it isn't yours.") % {"name": name},
                )
            return view(OrganizationPage(request, organization, request.user, role))

        return answer

    return decorate
