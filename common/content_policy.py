"""The site's Content-Security-Policy, widened for one answer."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.http import HttpResponse


def sources_allow(response: HttpResponse, directive: str, sources: Iterable[str]) -> None:
    """Adds to what the directive allows everywhere (CSP 3, 6; django-csp reads an attribute of the answer)."""
    allowed = {**getattr(response, "_csp_update", {}), directive: list(sources)}
    response._csp_update = allowed  # type: ignore[attr-defined]  # it has no other way


def forms_allow(response: HttpResponse, targets: Iterable[str]) -> None:
    """Forms of this page may lead there: Chromium applies form-action to where their answer redirects, too (CSP 3,
    6.4.1)."""
    sources_allow(response, "form-action", targets)


def source_of(url: str) -> str:
    """Where it leads, as a source; none of those holds an IPv6 address (CSP 3, 2.3.1), so for one it is the scheme."""
    parts = urlsplit(url)
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"
