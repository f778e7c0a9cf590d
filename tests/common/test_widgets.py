from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from common.widgets import DRAWN, Renderer

_CHOICES = [
    ("", gettext_lazy("None")),
    (1, 12_345),
    ('a"b', "<script>"),
    ("group <1>", [("x", mark_safe("<b>bold</b>")), ("y & z", "Y")]),
]
_SHOWN = {"class": 'wide "one"', "data-x": "<&>'", "hidden": True, "disabled": False, "maxlength": 12_345}


class _All(forms.Form):
    """A widget of every kind that is drawn, and one that is not."""

    text = forms.CharField(help_text="Of <b>this</b>")
    email = forms.EmailField(required=False)
    url = forms.URLField(required=False, assume_scheme="https")
    number = forms.IntegerField(min_value=0, max_value=100_000, widget=forms.NumberInput(attrs=_SHOWN))
    password = forms.CharField(widget=forms.PasswordInput(render_value=True))
    hidden = forms.CharField(widget=forms.HiddenInput)
    file = forms.FileField(widget=forms.FileInput)
    day = forms.DateField(required=False)
    moment = forms.DateTimeField(required=False)
    time = forms.TimeField(required=False)
    area = forms.CharField(widget=forms.Textarea(attrs=_SHOWN))
    box = forms.BooleanField(required=False)
    one = forms.ChoiceField(choices=_CHOICES, widget=forms.Select(attrs=_SHOWN))
    many = forms.MultipleChoiceField(choices=_CHOICES, widget=forms.SelectMultiple)
    radio = forms.ChoiceField(choices=_CHOICES, widget=forms.RadioSelect(attrs={"class": "row"}))
    boxes = forms.MultipleChoiceField(choices=_CHOICES, required=False, widget=forms.CheckboxSelectMultiple)
    picture = forms.FileField(required=False, widget=forms.ClearableFileInput)


_NASTY = "\"><script>alert(1)</script>\n&amp; 'é"
_GIVEN: dict[str, Any] = {
    "empty": None,
    "nothing": {},
    "nasty": dict.fromkeys(_All.base_fields, _NASTY),
    "lists": {**dict.fromkeys(_All.base_fields, "2026-11-22"), "many": ["1", "y & z"], "boxes": ['a"b'], "box": "on"},
    "safe": {"text": format_html("<i>{}</i>", _NASTY), "area": mark_safe("<i>x</i>"), "number": 12_345, "one": 1},
}


@pytest.mark.parametrize("auto_id", ["id_%s", False])
@pytest.mark.parametrize("given", _GIVEN)
def test_widgets_and_errors_are_what_djangos_templates_make(given: str, auto_id: str | bool) -> None:
    for arguments in ({"data": _GIVEN[given]}, {"initial": _GIVEN[given]}):
        drawn, rendered = (
            _All(**arguments, auto_id=auto_id, renderer=renderer) for renderer in (Renderer(), DjangoTemplates())
        )
        for name in _All.base_fields:
            assert _folded(drawn[name]) == _folded(rendered[name])
            assert _folded(drawn[name].errors) == _folded(rendered[name].errors)
            assert list(map(_folded, drawn[name])) == list(map(_folded, rendered[name]))


def _folded(shown: object) -> str:
    """Templates that end with a line break leave it between the tags, where it says nothing."""
    return re.sub(r"(?<=>)\n+(?=[ <])", "", str(shown)).replace("> ", ">")


def test_every_widget_that_is_drawn_was_compared() -> None:
    form = _All()
    shown = {field.field.widget.template_name for field in form} | {
        str(one.template_name) for field in form for one in field.subwidgets
    }
    assert set(DRAWN) <= shown | {"django/forms/widgets/text.html"}
