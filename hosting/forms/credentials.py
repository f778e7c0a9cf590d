"""The form of what one user brings to a server, from what is declared. Nothing that was stored is ever rendered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django import forms

from hosting.credentials.personal import is_needed
from hosting.forms.inputs import SecretArea
from hosting.inputs import key_of
from hosting.kinds.declared import Declared

_CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autocorrect": "off"}


class CredentialsForm(forms.Form):
    """`stored` are keys that have a value: left empty, they keep it. `rows` have the publisher's words beside."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, wanted: Sequence[Declared], stored: Collection[str]
    ) -> None:
        super().__init__(data, auto_id="credential_%s")
        self._keys: dict[str, str] = {}  # field → key
        self.rows: list[dict[str, Any]] = []
        for number, one in enumerate(wanted):
            key, name = key_of(one), f"v{number}"
            self._keys[name] = key
            is_stored = key in stored
            self.fields[name] = _field(one, is_stored=is_stored)
            self.rows.append({"field": self[name], "words": one.description, "is_stored": is_stored})

    def values(self) -> dict[str, str]:
        """What was typed, by key; empty fields are left out."""
        given = {key: _clean(str(self.cleaned_data.get(name) or "")) for name, key in self._keys.items()}
        return {key: value for key, value in given.items() if value}

    def add_problems(self, problems: Mapping[str, str]) -> None:
        fields = {key: name for name, key in self._keys.items()}
        for key, words in problems.items():
            self.add_error(fields.get(key), words)


def _field(one: Declared, *, is_stored: bool) -> forms.Field:
    label = one.flag or one.name
    is_required = is_needed(one) and not is_stored
    kept = "One is stored. Leave this empty to keep it." if is_stored else ""
    default = f"Default: {one.default}" if one.default and not one.is_secret else ""
    help_text = " ".join(words for words in (kept, default) if words)
    choices = one.choices or (("true", "false") if one.format == "boolean" else ())
    if choices and not one.is_repeated:
        first = "Keep what is stored" if is_stored else f"Default: {one.default}" if one.default else "Choose"
        pairs = [("", first), *((each, each) for each in choices)]
        return forms.ChoiceField(label=label, required=is_required, choices=pairs)
    widget: forms.Widget = SecretArea()
    if not one.is_secret:
        widget = forms.TextInput(attrs={"class": "mono", **_CODE})
        if one.format == "number":
            widget.attrs["inputmode"] = "decimal"
        if one.placeholder:
            widget.attrs["placeholder"] = one.placeholder
    return forms.CharField(
        label=label, required=is_required, strip=False, max_length=20_000, widget=widget, help_text=help_text
    )


def _clean(text: str) -> str:
    """Browsers send lines with CR LF; a key that was copied often has a blank or a line break around it."""
    text = text.replace("\r\n", "\n")
    return text if "\n" in text.strip() else text.strip()
