"""What pages of the registry need to show a stranger's words."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from django import template
from django.urls import reverse
from django.utils.translation import gettext_lazy

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
_BY_BIT = [(facets.bits([of]), badge) for of, badge in _BADGES.items()]


@register.filter
@lru_cache(maxsize=4096)
def badges(number: int) -> tuple[Badge, ...]:
    """What a row of a list shows of a server's facets."""
    return tuple(badge for bit, badge in _BY_BIT if number & bit)


@register.filter
def server_page(name: str) -> str:
    """The address of a server's page."""
    return reverse("registry:server", args=[name])


@register.filter
def at_key(values: dict[str, str], key: str) -> str:
    return values.get(key, "")
