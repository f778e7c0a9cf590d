"""The steps by which each client is connected to a deployment.

They are the same for all deployments but for three words, and are a third of a page's time: so they are rendered once
for each language, with marks where those words go. A token is put into steps that are rendered for it alone.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Final

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from hosting.models import Deployment

register = template.Library()

_TEMPLATE: Final = "hosting/_clients.html"
# Of Unicode's private use, and nothing that HTML would write in another way.
_OWNER, _NAME, _URL = "\ue001", "\ue002", "\ue003"


@register.simple_tag
def client_steps(deployment: Deployment, mcp_url: str, issued: str = "") -> SafeString:
    owner, name = deployment.owner.display, deployment.name
    if issued:
        return _rendered(owner, name, mcp_url, issued)
    text = _steps(get_language())
    for mark, word in ((_OWNER, owner), (_NAME, name), (_URL, mcp_url)):
        text = text.replace(mark, escape(word))
    return mark_safe(text)


@lru_cache(maxsize=64)
def _steps(_language: str | None) -> str:
    return str(_rendered(_OWNER, _NAME, _URL, ""))


def _rendered(owner: str, name: str, mcp_url: str, issued: str) -> SafeString:
    deployment = {"owner": {"display": owner}, "name": name}
    return render_to_string(_TEMPLATE, {"deployment": deployment, "mcp_url": mcp_url, "issued": issued})
