"""Action required: everything that waits for the person, on one page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hosting.views.page import user_of
from hosting.waiting.selectors import waiting_mark, waiting_of


@never_cache
@login_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    rows = waiting_of(user_of(request).pk)
    return render(request, "hosting/waiting.html", {"rows": rows, "stamp": waiting_mark(rows)})
