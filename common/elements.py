"""Elements of pages that are too small and too many for a template each. Every template knows these tags."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()


@register.simple_tag(name="icon")
@lru_cache(maxsize=256)  # of names that our templates have; the address of the set is that of this process's files
def sign(name: str, *, spin: bool = False) -> SafeString:
    """One of `static/icons/lucide.svg`, for eyes only: words say the same beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        " icon-spin" if spin else "",
        static("icons/lucide.svg"),
        name,
    )


@register.simple_tag
def badge(label: StrOrPromise, tone: str = "", icon: str = "", tip: StrOrPromise = "") -> SafeString:
    """A short fact. `tone`: accent, good, warn, bad."""
    style = f" badge-{conditional_escape(tone)}" if tone else ""
    told = f' title="{conditional_escape(tip)}"' if tip else ""
    return mark_safe(f'<span class="badge{style}"{told}>{sign(icon) if icon else ""}{conditional_escape(label)}</span>')


@register.simple_tag
def field(bound: BoundField, marks: str = "", is_required: bool = False) -> SafeString:
    """One field with label, help and errors. Where few of a form's fields are required, marks="required" says which,
    and `is_required` where the form itself does not insist; otherwise those are marked that are optional."""
    is_check = bound.widget_type == "checkbox"
    if bound.use_fieldset:
        by = bound.aria_describedby
        start = format_html('<fieldset aria-describedby="{}">', by) if by else mark_safe("<fieldset>")
        body = format_html("{}<legend>{}</legend>{}</fieldset>", start, bound.label, bound)
    elif is_check:
        body = format_html('<label for="{}">{} {}</label>', bound.id_for_label, bound, bound.label)
    elif marks == "required":
        word = gettext("required") if bound.field.required or is_required else ""
        mark = format_html('<span class="field-required" aria-hidden="true">{}</span>', word) if word else ""
        head = format_html('<label for="{}">{}</label>{}', bound.id_for_label, bound.label, mark)
        body = format_html('<div class="field-head">{}</div>{}', head, bound)
    else:
        is_marked = not bound.field.required and "optional" not in bound.label
        mark = format_html(' <span class="field-optional">({})</span>', gettext("optional")) if is_marked else ""
        body = format_html('<label for="{}">{}{}</label>{}', bound.id_for_label, bound.label, mark, bound)
    words = mark_safe(str(bound.help_text))  # ours, with links and code in them
    told = format_html('<div class="field-help" id="{}_helptext">{}</div>', bound.auto_id, words) if words else ""
    return format_html(
        '<div class="field{}">{}{}{}</div>', " field-check" if is_check else "", body, bound.errors or "", told
    )


@register.simple_tag
def code(text: str, label: str = "", wrap: bool = False) -> SafeString:
    """Text to copy; `label` is for screen readers. The button appears only where it works."""
    return format_html(
        '<div class="code{}" data-controller="copy"><pre tabindex="0"{}><code data-copy-source>{}</code></pre>'
        '<button type="button" class="button button-quiet button-icon" data-copy-button data-copied-label="{}"'
        ' aria-label="{}" hidden>{}</button></div>',
        " code-wrap" if wrap else "",
        format_html(' role="group" aria-label="{}"', label) if label else "",
        text,
        gettext("Copied"),
        gettext("Copy: %(label)s") % {"label": label} if label else gettext("Copy"),
        sign("copy"),
    )
