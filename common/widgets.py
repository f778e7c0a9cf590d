"""Widgets of forms, drawn without a template each: what Django's own templates say, in a fraction of their time.

A page of settings has dozens, and each would be a template that includes another one. Of a page's whole processor time
that is 9 % for a deployment's settings and 14 % for who may use it (November 2026, with and without by turns). What is
not here (a widget of another kind, a form as a whole) is Django's template as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.formats import localize

Widget = Mapping[str, Any]  # as `Widget.get_context` makes it


class Renderer(DjangoTemplates):
    """The site's `FORM_RENDERER`."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        if template_name == _ERRORS:
            return _errors(context)
        if draw := DRAWN.get(template_name):
            return draw(context["widget"])
        return super().render(template_name, context, request)


def _text(value: object) -> str:
    """As `{{ value }}` says it."""
    if hasattr(value, "__html__"):
        return str(value.__html__())
    return escape(str(localize(value)))


def _as_is(value: object) -> str:
    """As `{{ value|stringformat:'s' }}` says it: a number has no separators in an attribute."""
    return str(value.__html__()) if hasattr(value, "__html__") else escape(str(value))


def _attributes(widget: Widget) -> str:
    return "".join(
        f" {_text(name)}" if value is True else f' {_text(name)}="{_as_is(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _input(widget: Widget) -> str:
    value = widget["value"]
    given = "" if value is None else f' value="{_as_is(value)}"'
    return f'<input type="{_text(widget["type"])}" name="{_text(widget["name"])}"{given}{_attributes(widget)}>'


def _textarea(widget: Widget) -> str:
    value = _text(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{_text(widget["name"])}"{_attributes(widget)}>\n{value}</textarea>'


def _select(widget: Widget) -> str:
    parts = [f'<select name="{_text(widget["name"])}"{_attributes(widget)}>']
    for group, options, _index in widget["optgroups"]:
        parts += [f'\n  <optgroup label="{_text(group)}">' if group else ""]
        parts += [f"\n  {DRAWN[option['template_name']](option)}" for option in options]
        parts += ["\n  </optgroup>" if group else ""]
    return f"{''.join(parts)}\n</select>"


def _option(widget: Widget) -> str:
    return f'<option value="{_as_is(widget["value"])}"{_attributes(widget)}>{_text(widget["label"])}</option>'


def _choices(widget: Widget) -> str:
    """Radio buttons, or boxes to tick."""
    attributes = widget["attrs"]
    named = "".join(f' {name}="{_text(attributes[name])}"' for name in ("id", "class") if attributes.get(name))
    parts = [f"<div{named}>"]
    for group, options, _index in widget["optgroups"]:
        parts += [f"\n  <div><label>{_text(group)}</label>" if group else ""]
        parts += [f"<div>\n    {DRAWN[option['template_name']](option)}</div>" for option in options]
        parts += ["\n  </div>" if group else ""]
    return f"{''.join(parts)}\n</div>"


def _choice(widget: Widget) -> str:
    if not widget.get("wrap_label"):
        return _input(widget)
    id_ = widget["attrs"].get("id")
    named = f' for="{_text(id_)}"' if id_ else ""
    return f"<label{named}>{_input(widget)} {_text(widget['label'])}</label>"


def _errors(context: Mapping[str, Any]) -> str:
    errors = context["errors"]
    if not errors:
        return ""
    named = f' id="{_text(errors.field_id)}_error"' if errors.field_id else ""
    items = "".join(f"<li>{_text(one)}</li>" for one in errors)
    return f'<ul class="{_text(context["error_class"])}"{named}>{items}</ul>'


_ERRORS: Final = "django/forms/errors/list/default.html"
_INPUTS = ("checkbox", "date", "datetime", "email", "file", "hidden", "number", "password", "text", "time", "url")
DRAWN: Final[dict[str, Callable[[Widget], str]]] = {
    f"django/forms/widgets/{name}.html": draw
    for name, draw in {
        **dict.fromkeys(_INPUTS, _input),
        "textarea": _textarea,
        "select": _select,
        "select_option": _option,
        "radio": _choices,
        "checkbox_select": _choices,
        "radio_option": _choice,
        "checkbox_option": _choice,
    }.items()
}
