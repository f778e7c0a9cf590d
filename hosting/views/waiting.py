"""Action required: everything that waits for the person, on one page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hosting.views.page import user_of
from hosting.waiting.selectors import waiting_of, waiting_seen


@never_cache
@login_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    user = user_of(request)
    context = {"rows": waiting_of(user.pk), "stamp": waiting_seen(user.pk)[1]}
    return render(request, "hosting/waiting.html", context)
