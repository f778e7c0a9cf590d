"""Elements of pages that are too small and too many for a template each. Every template knows these tags."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)  # of names that our templates have; the address of the set is that of this process's files
def icon(name: str, *, spin: bool = False) -> SafeString:
    """One of `static/icons/lucide.svg`, for eyes only: words say the same beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        " icon-spin" if spin else "",
        static("icons/lucide.svg"),
        name,
    )
