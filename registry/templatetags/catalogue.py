"""What pages of the registry need to show a stranger's words."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy

from registry.proofs import identity
from registry.search import facets

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()


class Badge(NamedTuple):
    label: StrOrPromise
    kind: str = ""  # of the style sheet: accent, good, warn
    icon: str = ""


_BADGES = {
    ("package", "npm"): Badge("npm"),
    ("package", "pypi"): Badge("PyPI"),
    ("package", "oci"): Badge(gettext_lazy("container")),
    ("package", "mcpb"): Badge(gettext_lazy("bundle")),
    ("package", "nuget"): Badge("NuGet"),
    ("package", "cargo"): Badge("Cargo"),
    ("runs", "remote"): Badge(gettext_lazy("remote")),
    ("secrets", "needed"): Badge(gettext_lazy("needs secrets"), icon="key-round"),
    ("hosted", "here"): Badge(gettext_lazy("hosted here"), "accent", "server"),
    ("verified", "here"): Badge(gettext_lazy("verified here"), "good", "shield-check"),
    ("status", "deprecated"): Badge(gettext_lazy("deprecated"), "warn", "triangle-alert"),
}
_PROOFS = {
    identity.GITHUB: gettext_lazy("the account %(subject)s at GitHub"),
    identity.GITHUB_ACTIONS: gettext_lazy("a workflow of %(subject)s at GitHub"),
    identity.OIDC: gettext_lazy("a build of %(subject)s"),
    identity.DNS: gettext_lazy("DNS of %(subject)s"),
    identity.HTTP: gettext_lazy("a file at %(subject)s"),
    identity.SITE: gettext_lazy("this site's operator, who gave it to %(subject)s"),
}
_BY_BIT = [(facets.bits([of]), badge) for of, badge in _BADGES.items()]
_SHOWN = sum(bit for bit, _ in _BY_BIT)


@register.filter
def badges(number: int) -> SafeString:
    """What a row of a list shows of a server's facets."""
    return _badges(number & _SHOWN, get_language())


@lru_cache(maxsize=4096)
def _badges(number: int, language: str | None) -> SafeString:
    """Few combinations are common, and a list has dozens of rows."""
    shown = [badge for bit, badge in _BY_BIT if number & bit]
    return render_to_string("registry/_badges.html", {"badges": shown})


@register.filter
def server_page(name: str) -> str:
    """The address of a server's page. A list has dozens of them, and the router takes ten times as long."""
    return f"{_pages()}{quote(name, safe='/')}"


@lru_cache(maxsize=1)
def _pages() -> str:
    return reverse("registry:server", args=["x"]).removesuffix("x")


@register.filter
def cut(text: str, characters: int) -> str:
    """At most so many of them, the last an ellipsis where there were more."""
    return text if len(text) <= characters else f"{text[: characters - 1]}…"


@register.filter
def proof(verified_by: str) -> str:
    """How a namespace was proven, for people: of `dns:example.org`, as registry.proofs.identity writes it."""
    method, _, subject = verified_by.partition(":")
    words = _PROOFS.get(method)
    return words % {"subject": subject} if words and subject else verified_by
