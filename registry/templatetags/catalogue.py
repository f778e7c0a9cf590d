"""What pages of the registry need to show a stranger's words."""

from __future__ import annotations

from django import template
from django.urls import reverse

register = template.Library()


@register.filter
def server_page(name: str) -> str:
    """The address of a server's page."""
    return reverse("registry:server", args=[name])


@register.simple_tag
def server_tab(name: str, tab: str) -> str:
    return reverse("registry:server_tab", args=[name, tab])


@register.filter
def at_key(values: dict[str, str], key: str) -> str:
    return values.get(key, "")
