"""A form for what a server asks: fields from the flat JSON Schema of an elicitation (2025-11-25 client/elicitation).

Strings with formats and lengths, numbers, booleans, single choices and several (SEP-1330), with defaults (SEP-1034).
`pattern` is not enforced: it is a regular expression of somebody else's, and the server checks what it gets anyway.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext

from hosting.tools.invisible import shown

MAX_FIELDS = 100
MAX_TEXT = 100_000
_LONG = 200  # a text that may be longer gets more than one line

Schema = Mapping[str, Any]


class ElicitationForm(forms.Form):
    """Fields are named f0, f1 … whatever the server calls its properties; `content` has the server's names."""

    def __init__(self, schema: Schema, data: Any = None, *, prefix: str = "") -> None:
        super().__init__(data, auto_id=f"{prefix}_%s", use_required_attribute=True)
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        required = required if isinstance(required, list) else []
        self._names: dict[str, str] = {}
        for number, (name, definition) in enumerate(list(properties.items())[:MAX_FIELDS]):
            definition = definition if isinstance(definition, dict) else {}
            field = _field(definition, is_required=name in required)
            field.label = shown(str(definition.get("title") or name))[:200]
            field.help_text = escape(shown(str(definition.get("description") or ""))[:2000])
            self.fields[f"f{number}"] = field
            self._names[f"f{number}"] = name

    def content(self) -> dict[str, Any]:
        """What was filled in, by the server's names. What was left empty isn't there."""
        found = {}
        for field, name in self._names.items():
            value = self.cleaned_data.get(field)
            if value is None or value == "" or (value == [] and not self.fields[field].required):
                continue
            found[name] = value
        return found


# --- fields


def _field(definition: Schema, *, is_required: bool) -> forms.Field:
    kind = definition.get("type")
    if kind == "string" or "enum" in definition or "oneOf" in definition:
        choices = _choices(definition)
        return _choice(definition, choices, is_required) if choices else _text(definition, is_required)
    if kind == "array" and (choices := _choices(_of(definition.get("items")))):
        return _several(definition, choices, is_required)
    makers: dict[str, Callable[[Schema, bool], forms.Field]] = {
        "number": _number,
        "integer": _number,
        "boolean": _boolean,
    }
    return makers.get(str(kind), _anything)(definition, is_required)


def _choices(definition: Schema) -> list[tuple[str, str]]:
    """(value, words): titled by `oneOf` or `anyOf`, by the older `enumNames`, or by themselves."""
    for name in ("oneOf", "anyOf"):
        titled = definition.get(name)
        if isinstance(titled, list):
            found = [each for each in titled if isinstance(each, dict) and isinstance(each.get("const"), str)]
            return [(each["const"], shown(str(each.get("title") or each["const"]))) for each in found]
    values = definition.get("enum")
    if not isinstance(values, list):
        return []
    names = definition.get("enumNames")
    names = names if isinstance(names, list) else []
    plain = [value for value in values if isinstance(value, str)]
    return [(value, shown(str(names[i] if i < len(names) else value))) for i, value in enumerate(plain)]


def _choice(definition: Schema, choices: list[tuple[str, str]], is_required: bool) -> forms.Field:
    default = definition.get("default")
    initial = default if default in [value for value, _ in choices] else None
    if len(choices) <= 5 and is_required:
        return forms.ChoiceField(choices=choices, initial=initial, widget=forms.RadioSelect)
    return forms.ChoiceField(choices=[("", "–"), *choices], initial=initial, required=is_required)


class _Several(forms.MultipleChoiceField):
    def __init__(self, *, least: int, most: int | None, **more: Any) -> None:
        super().__init__(**more)
        self._least, self._most = least, most

    def validate(self, value: Any) -> None:
        super().validate(value)
        if (value or self.required) and len(value) < self._least:
            raise forms.ValidationError(gettext("Choose at least %(least)s.") % {"least": self._least})
        if self._most is not None and len(value) > self._most:
            raise forms.ValidationError(gettext("Choose at most %(most)s.") % {"most": self._most})


def _several(definition: Schema, choices: list[tuple[str, str]], is_required: bool) -> forms.Field:
    known = {value for value, _ in choices}
    default = definition.get("default")
    return _Several(
        least=_count(definition, "minItems") or 0,
        most=_count(definition, "maxItems"),
        choices=choices,
        initial=[value for value in default if value in known] if isinstance(default, list) else None,
        # Required means that the list is there, not that something is in it.
        required=is_required and bool(_count(definition, "minItems")),
        widget=forms.CheckboxSelectMultiple,
    )


def _text(definition: Schema, is_required: bool) -> forms.Field:
    default = definition.get("default")
    initial = default if isinstance(default, str) else None
    make = _FORMATS.get(str(definition.get("format")))
    if make is not None:
        return make(required=is_required, initial=initial)
    most = _count(definition, "maxLength")
    is_long = (most or 0) > _LONG or len(initial or "") > _LONG
    return forms.CharField(
        required=is_required,
        initial=initial,
        min_length=_count(definition, "minLength"),
        max_length=min(most, MAX_TEXT) if most is not None else MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4}) if is_long else forms.TextInput,
    )


class _Uri(forms.CharField):
    """Any absolute URI (RFC 3986, 4.3), not only a web address."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=10_000, widget=forms.TextInput(attrs={"inputmode": "url"}), **more)

    def validate(self, value: str) -> None:
        super().validate(value)
        try:
            has_scheme = not value or bool(urlsplit(value).scheme)
        except ValueError:
            has_scheme = False
        if not has_scheme or any(c.isspace() for c in value):
            raise forms.ValidationError(gettext("Write a whole address, such as https://example.org/page."))


class _Date(forms.DateField):
    """RFC 3339 full-date."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return found.isoformat() if found else ""


class _DateTime(forms.DateTimeField):
    """RFC 3339 date-time; a browser's own field has no zone, so it is said to be UTC."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")

    def __init__(self, **more: Any) -> None:
        if more.get("initial"):
            try:
                more["initial"] = datetime.fromisoformat(more["initial"]).astimezone(UTC)
            except ValueError:
                more["initial"] = None
        super().__init__(**more)
        self.label_suffix = " (UTC)"

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return found.astimezone(UTC).isoformat().replace("+00:00", "Z") if found else ""


_FORMATS: dict[str, Callable[..., forms.Field]] = {
    "email": forms.EmailField,
    "uri": _Uri,
    "date": _Date,
    "date-time": _DateTime,
}


class _Whole(forms.IntegerField):
    """An integer as JSON has it: 5.0 is one too."""


class _Float(forms.FloatField):
    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        return int(found) if found is not None and found.is_integer() and abs(found) < 2**53 else found


def _number(definition: Schema, is_required: bool) -> forms.Field:
    is_whole = definition.get("type") == "integer"
    make: Callable[..., forms.Field] = _Whole if is_whole else _Float
    field = make(
        required=is_required,
        initial=_finite(definition.get("default")),
        min_value=_finite(definition.get("minimum")),
        max_value=_finite(definition.get("maximum")),
    )
    if not is_whole:
        field.widget.attrs["step"] = "any"
    return field


class _Boolean(forms.BooleanField):
    """Unticked is an answer: no."""


def _boolean(definition: Schema, is_required: bool) -> forms.Field:
    return _Boolean(required=False, initial=definition.get("default") is True)


class _Json(forms.CharField):
    def __init__(self, **more: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"})
        super().__init__(max_length=MAX_TEXT, widget=widget, **more)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return json.loads(text, parse_constant=_no_constant) if text else None
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(gettext("Write it as JSON.")) from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _anything(definition: Schema, is_required: bool) -> forms.Field:
    """What the specification does not know: as JSON, rather than not at all."""
    default = definition.get("default")
    return _Json(required=is_required, initial=None if default is None else json.dumps(default))


# --- members of a schema


def _of(value: object) -> Schema:
    return value if isinstance(value, dict) else {}


def _count(definition: Schema, name: str) -> int | None:
    value = definition.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if is_count else None


def _finite(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return value
