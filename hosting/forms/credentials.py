"""The form of what one user brings to a server, from what is declared. Nothing that was stored is ever rendered, and no
secret that was typed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext, gettext_lazy

from hosting.configuration.inputs import key_of
from hosting.credentials.overview import Setting
from hosting.forms.expiry import ExpiryField
from hosting.forms.inputs import SecretArea, default_words
from hosting.kinds.declared import Declared

_CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autocorrect": "off"}
_PLACES = {
    "env": gettext_lazy("the variable %(name)s: %(template)s"),
    "header": gettext_lazy("the header %(name)s: %(template)s"),
    "argument": gettext_lazy("the argument %(name)s: %(template)s"),
    "variable": gettext_lazy("the address %(name)s: %(template)s"),
}


class CredentialsForm(forms.Form):
    """`rows` have the publisher's words beside their fields, and where a value goes that is a part of another one.

    `declared` are the inputs of the server's version, in whose templates variables stand.
    """

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, settings: Sequence[Setting], declared: Iterable[Declared] = ()
    ) -> None:
        super().__init__(data, auto_id="credential_%s")
        self._keys: dict[str, str] = {}  # field → key
        self.rows: list[dict[str, Any]] = []
        places = _places(declared)
        for number, setting in enumerate(settings):
            name = f"v{number}"
            self._keys[name] = setting.key
            self.fields[name] = _field(setting)
            row = {"field": self[name], "words": setting.declared.description, "place": places.get(setting.key, "")}
            self.rows.append(row)
        self.fields["expires"] = ExpiryField(label=gettext("Keep what you type"))

    def values(self) -> dict[str, str]:
        """What was typed, by key; empty fields are left out."""
        given = {key: _clean(str(self.cleaned_data.get(name) or "")) for name, key in self._keys.items()}
        return {key: value for key, value in given.items() if value}

    @property
    def expires_at(self) -> datetime | None:
        found: datetime | None = self.cleaned_data.get("expires")
        return found

    def add_problems(self, problems: Mapping[str, str]) -> None:
        fields = {key: name for name, key in self._keys.items()}
        for key, words in problems.items():
            self.add_error(fields.get(key), words)


def _field(setting: Setting) -> forms.Field:
    one, default = setting.declared, setting.declared.default
    choices = one.choices or (("true", "false") if one.format == "boolean" else ())
    # Escaped here: defaults are a publisher's, and help texts are shown as HTML.
    words: dict[str, Any] = {
        "label": setting.label,
        "required": setting.is_missing,
        "help_text": escape(" ".join(_help(setting))),
    }
    if choices and not one.is_repeated:
        first = gettext("Keep what is stored") if _is_kept(setting) else default_words(default) or gettext("Choose")
        return forms.ChoiceField(choices=[("", first), *((each, each) for each in choices)], **words)
    widget: forms.Widget = SecretArea()
    if not one.is_secret:
        widget = forms.Textarea(attrs={"rows": 3}) if one.is_repeated else forms.TextInput()
        widget.attrs |= {"class": "mono", **_CODE}
        if one.format == "number" and not one.is_repeated:
            widget.attrs["inputmode"] = "decimal"
        if one.placeholder:
            widget.attrs["placeholder"] = one.placeholder
    return forms.CharField(strip=False, max_length=20_000, widget=widget, **words)


def _is_kept(setting: Setting) -> bool:
    return setting.own is not None and not setting.own.expired_at and not setting.own.is_suspended


def _help(setting: Setting) -> Iterator[str]:
    one = setting.declared
    if _is_kept(setting):
        yield gettext("One is stored. Leave this empty to keep it.")
    elif setting.own is not None and setting.own.is_suspended:
        yield gettext("The one that you stored waits to be confirmed.")
    elif setting.own is not None:
        yield gettext("The one that you stored has expired.")
    if setting.shared is not None:
        yield gettext("There is one already: %(which)s. Yours goes before it.") % {"which": setting.shared.words}
    if one.default and not one.is_secret:
        yield default_words(one.default)
    if one.format == "number":
        yield gettext("A number.")
    elif one.format == "filepath" and one.is_secret:
        yield gettext("The content: the server finds it in a file.")
    elif one.format == "filepath":
        yield gettext("The path of a file on the server.")
    if one.is_repeated:
        yield gettext("One on each line.")


def _places(declared: Iterable[Declared]) -> dict[str, str]:
    """By the key of a variable, where it stands: a template of the publisher's, in words."""
    return {
        key_of(variable): _PLACES[one.where] % {"name": one.flag or one.name, "template": one.value_template}
        for one in declared
        for variable in one.variables
        if one.value_template
    }


def _clean(text: str) -> str:
    """Browsers send lines with CR LF; a key that was copied often has a blank or a line break around it."""
    text = text.replace("\r\n", "\n")
    return text if "\n" in text.strip() else text.strip()
