"""Django's `{% url %}`, which works an address out once and remembers it.

A page has dozens of links, most of them in its head and tabs, and Django walks the site's list of addresses for each.
Every template has this tag in the place of Django's. A namespace is there once here, so that an address does not depend
on which application shows it; nor does it on the language.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django import template
from django.conf import settings
from django.template import defaulttags
from django.template.base import Parser, Token
from django.template.context import Context
from django.urls import NoReverseMatch, get_urlconf, reverse
from django.utils.html import conditional_escape

MOST: Final = 4096  # addresses that are remembered; those asked for last

register = template.Library()


@lru_cache(maxsize=MOST)
def _address(urlconf: str, name: str, args: tuple[str, ...], kwargs: tuple[tuple[str, str], ...]) -> str:
    return reverse(name, urlconf, args, dict(kwargs))


class LinkNode(defaulttags.URLNode):
    def render(self, context: Context) -> str:
        args = tuple([str(arg.resolve(context)) for arg in self.args])
        kwargs = tuple([(key, str(value.resolve(context))) for key, value in self.kwargs.items()])
        try:
            address = _address(get_urlconf(settings.ROOT_URLCONF), self.view_name.resolve(context), args, kwargs)
        except NoReverseMatch:
            if self.asvar is None:
                raise
            address = ""
        if self.asvar:
            context[self.asvar] = address
            return ""
        return conditional_escape(address) if context.autoescape else address


@register.tag
def url(parser: Parser, token: Token) -> LinkNode:
    node = defaulttags.url(parser, token)
    return LinkNode(node.view_name, node.args, node.kwargs, node.asvar)
