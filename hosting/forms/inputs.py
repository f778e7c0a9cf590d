"""The form of a server's settings: what its version declares, what its owner added, and blanks for more.

A secret is never rendered: its field is empty, and says since when one is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.translation import gettext

from hosting.configuration.inputs import Plain, key_of, key_parts
from hosting.kinds.declared import Declared, asked

BLANKS = 2
_CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autocorrect": "off"}


class SecretArea(forms.Textarea):
    """Shows dots while something is typed, and never what was sent, not even beside an error."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 1, "class": "mono secret-input", **_CODE})

    def format_value(self, value: object) -> None:
        return None


class InputsForm(forms.Form):
    """`missing` is the name that a failed start gave: its field has the focus. While `must_confirm`, whoever is there
    has not proven of late who they are: plain values may change, and secrets may go but not come."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        declared: Sequence[Declared],
        plain: Plain,
        is_remote: bool = False,
        missing: str = "",
        must_confirm: bool = False,
    ) -> None:
        super().__init__(data, auto_id="setting_%s")
        self._must_confirm = must_confirm
        self._where = "header" if is_remote else "env"
        self._keys: dict[str, str] = {}  # field → key
        self._secrets: set[str] = set()  # fields
        self.declared_rows: list[dict[str, Any]] = []
        self.added_rows: list[dict[str, Any]] = []
        self.blank_rows: list[dict[str, Any]] = []
        known = asked(declared)
        for one in known:
            self._add_declared(one, plain)
        taken = {key_of(one) for one in known}
        for key in sorted({*plain.values, *plain.sealed_at} - taken):
            self._add_own(key, plain)
        names = {key_parts(key)[1]: field for field, key in self._keys.items()}
        for i in range(BLANKS):
            self._add_blank(i, missing if i == 0 and missing not in names else "")
        if not is_remote:
            self._add_arguments(plain)
        if must_confirm:
            for name in self._secrets:
                self.fields[name].widget.attrs["readonly"] = True
        if missing:
            focused = self.fields[names.get(missing, "blank0_value")]
            focused.widget.attrs["autofocus"] = True

    # --- fields

    def _add_declared(self, one: Declared, plain: Plain) -> None:
        key = key_of(one)
        name = f"v{len(self._keys)}"
        self._keys[name] = key
        set_at = plain.sealed_at.get(key, "")
        label = one.flag or one.name
        if one.is_secret:
            self._secrets.add(name)
            field = _secret(label, set_at)
        else:
            field = _plain(one, label)
            field.initial = plain.values.get(key, "")
        is_required = one.is_required and not one.default
        # Escaped here: the words are a publisher's, and help texts are shown as HTML.
        field.help_text = format_html("{} {}", _sentence(one.description), field.help_text)
        self.fields[name] = field
        row = {
            "field": self[name],
            "is_set": bool(set_at),
            "remove": None,
            "is_code": one.where in ("env", "argument"),
            # Publishers seldom say that a key is required; it mostly is.
            "is_required": is_required,
            "matters": one.is_secret or is_required,
        }
        if set_at:
            row["remove"] = self._add_remove(name, label)
        self.declared_rows.append(row)

    def _add_own(self, key: str, plain: Plain) -> None:
        name = f"v{len(self._keys)}"
        self._keys[name] = key
        set_at = plain.sealed_at.get(key, "")
        label = key_parts(key)[1]
        if set_at:
            self._secrets.add(name)
            self.fields[name] = _secret(label, set_at)
        else:
            self.fields[name] = forms.CharField(
                label=label, required=False, strip=False, initial=plain.values[key], widget=_area()
            )
        self.added_rows.append({"field": self[name], "remove": self._add_remove(name, label)})

    def _add_remove(self, name: str, label: str) -> Any:
        self.fields[f"{name}_remove"] = forms.BooleanField(
            label=gettext("Remove %(label)s") % {"label": label}, required=False
        )
        return self[f"{name}_remove"]

    def _add_blank(self, i: int, suggested: str) -> None:
        what = gettext("New header") if self._where == "header" else gettext("New variable")
        name = forms.TextInput(attrs={"class": "mono", **_CODE})
        self.fields[f"blank{i}_name"] = forms.CharField(label=what, required=False, initial=suggested, widget=name)
        self.fields[f"blank{i}_value"] = forms.CharField(
            label=gettext("Value"), required=False, strip=False, widget=SecretArea()
        )
        self.fields[f"blank{i}_shown"] = forms.BooleanField(
            label=gettext("Not a secret: show it on this page"), required=False
        )
        self.blank_rows.append({part: self[f"blank{i}_{part}"] for part in ("name", "value", "shown")})

    def _add_arguments(self, plain: Plain) -> None:
        self.fields["arguments"] = forms.CharField(
            label=gettext("Further arguments"),
            required=False,
            strip=False,
            initial="\n".join(plain.arguments),
            widget=_area(rows=3),
            help_text=gettext("Of the command, one on each line, after all others. They are shown here: no secrets."),
        )

    @property
    def mattering(self) -> list[dict[str, Any]]:
        """Declared ones without which it hardly works."""
        return [row for row in self.declared_rows if row["matters"]]

    @property
    def others(self) -> list[dict[str, Any]]:
        return [row for row in self.declared_rows if not row["matters"]]

    @property
    def is_open(self) -> bool:
        """Whether one of the others is wrong, and so has to be seen."""
        return any(row["field"].errors for row in self.others)

    # --- what was given

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self._must_confirm and self.payload()["secrets"]:
            raise forms.ValidationError(gettext("Confirm that it is you before you set a secret, then type it again."))
        return given

    def payload(self) -> dict[str, Any]:
        """Arguments of `deployment_settings_set`. An empty secret keeps what is set."""
        given = self.cleaned_data
        removed = [key for name, key in self._keys.items() if given.get(f"{name}_remove")]
        values: dict[str, str] = {}
        secrets: dict[str, str] = {}
        for name, key in self._keys.items():
            if key in removed:
                continue
            value = _lines(given.get(name) or "")
            if name not in self._secrets:
                values[key] = value
            elif value:
                secrets[key] = value
        for i in range(BLANKS):
            if name := given.get(f"blank{i}_name", "").strip():
                target = values if given.get(f"blank{i}_shown") else secrets
                target[f"{self._where}:{name}"] = _lines(given.get(f"blank{i}_value") or "")
        found: dict[str, Any] = {"values": values, "secrets": secrets, "removed": removed}
        if "arguments" in self.fields:
            found["arguments"] = [line for line in _lines(given.get("arguments") or "").split("\n") if line]
        return found

    def add_problems(self, problems: Mapping[str, str]) -> None:
        """What the service refused, each at its field."""
        fields = {key: name for name, key in self._keys.items()} | {"arguments": "arguments"}
        for i in range(BLANKS):
            name = str(self.cleaned_data.get(f"blank{i}_name", "")).strip()
            fields.setdefault(f"{self._where}:{name}", f"blank{i}_name")
        for key, words in problems.items():
            self.add_error(fields.get(key), words)


def _sentence(words: str) -> str:
    """Ends like one, since others follow."""
    return f"{words.rstrip()}." if words.strip() and words.rstrip()[-1].isalnum() else words


def _plain(one: Declared, label: str) -> forms.Field:
    choices = one.choices or (("true", "false") if one.format == "boolean" else ())
    if choices and not one.is_repeated:
        unset = default_words(one.default) or gettext("Not set")
        pairs = [("", unset), *((each, each) for each in choices)]
        return forms.ChoiceField(label=label, required=False, choices=pairs)
    help_text = gettext("One on each line.") if one.is_repeated else default_words(one.default)
    widget: forms.Widget = _area(rows=3 if one.is_repeated else 1)
    if one.format == "number" and not one.is_repeated:
        widget = forms.TextInput(attrs={"inputmode": "decimal", **_CODE})
    widget.attrs["placeholder"] = one.placeholder or one.default
    return forms.CharField(label=label, required=False, strip=False, widget=widget, help_text=help_text)


def default_words(value: str) -> str:
    return gettext("Default: %(value)s") % {"value": value} if value else ""


def _secret(label: str, set_at: str) -> forms.Field:
    help_text = gettext("Kept sealed; never shown again.")
    if set_at:
        help_text = gettext("Set on %(day)s. Leave it empty to keep it.") % {"day": _day(set_at)}
    return forms.CharField(label=label, required=False, strip=False, widget=SecretArea(), help_text=help_text)


def _area(rows: int = 1) -> forms.Textarea:
    """A text area even for one line: keys and certificates have several, and an input would join them."""
    return forms.Textarea(attrs={"rows": rows, "class": "mono", **_CODE})


def _day(text: str) -> str:
    try:
        return format_date(datetime.fromisoformat(text), "j F Y")
    except ValueError:
        return text


def _lines(text: str) -> str:
    """Browsers send lines with CR LF; a key that was copied often has a blank around it."""
    text = text.replace("\r\n", "\n")
    return text if "\n" in text.strip() else text.strip()
