"""The page behind a one-time link."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services
from accounts.forms import FirstAdministratorForm, SetPasswordForm
from accounts.models import OneTimeLink
from common.errors import AppError, NotFound
from common.http import add_error


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Looking at the link leaves it unused, since mail and chat programs look at links too; the form uses it."""
    try:
        link = services.one_time_link_find(token)
    except NotFound as error:
        return origin_only(render(request, "accounts/join.html", {"problem": error.message}, status=error.status))
    form_class = FirstAdministratorForm if link.purpose == OneTimeLink.Purpose.FIRST_ADMIN else SetPasswordForm
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.one_time_link_use(token=token, **form.cleaned_data)
        except NotFound as error:
            return origin_only(render(request, "accounts/join.html", {"problem": error.message}, status=error.status))
        except AppError as error:
            add_error(form, error)
        else:
            logout(request)  # whoever was signed in in this browser
            response: HttpResponse = perform_login(request, user, email_verification="none")
            return origin_only(response)
    context = {"form": form, "purpose": link.purpose, "link_user": link.user}
    status = 400 if form.is_bound else 200
    return origin_only(render(request, "accounts/join.html", context, status=status))


def origin_only(response: HttpResponse) -> HttpResponse:
    """The address itself is the secret, so no Referer carries its path. With `no-referrer` browsers would also send
    `Origin: null` with the form (Fetch, "append a request Origin header"), which the CSRF check refuses."""
    response["Referrer-Policy"] = "strict-origin"
    return response
