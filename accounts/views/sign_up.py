"""The page on which somebody with an address at the right domain asks for an account."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import SignUpForm
from accounts.sign_up import by_mail, sign_up_ask
from common.errors import AppError
from common.http import add_error
from common.limits import TooMany, address_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if not by_mail():
        raise Http404
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = SignUpForm(request.POST if request.method == "POST" else None)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            sign_up_ask(email=form.cleaned_data["email"], address=address_of(request))
        except TooMany:
            raise
        except AppError as error:
            add_error(form, error)
            status = error.status
        else:
            return render(request, "accounts/sign_up.html", {"is_sent": True})
    context = {"form": form, "domains": settings.SLIPWAY_SIGN_UP_DOMAINS}
    return render(request, "accounts/sign_up.html", context, status=status)
