"""The fields of the guided form. None is required here: a draft is kept as it is, and the checks say what it lacks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from registry.drafting.checking import Wrong

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_SETTINGS = 20
NEEDED = ("name", "description", "version")
_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "mono"}
PACKAGES = (
    ("", gettext_lazy("No package")),
    ("npm", "npm"),
    ("pypi", "PyPI"),
    ("oci", gettext_lazy("Container image")),
    ("nuget", "NuGet"),
    ("cargo", "Cargo"),
    ("mcpb", gettext_lazy("MCP bundle (a file to download)")),
)
REMOTES = (
    ("", gettext_lazy("Not hosted by you")),
    ("streamable-http", "Streamable HTTP"),
    ("sse", gettext_lazy("HTTP+SSE (before 2025-03-26)")),
)
PLACES = (
    ("environment", gettext_lazy("Environment variable")),
    ("argument", gettext_lazy("Argument")),
    ("header", gettext_lazy("Header of the remote")),
)


def _text(
    label: StrOrPromise, help_text: StrOrPromise = "", most: int = 500, *, placeholder: str = "", is_code: bool = False
) -> forms.CharField:
    attributes = {**(_CODE if is_code else {}), **({"placeholder": placeholder} if placeholder else {})}
    widget = forms.TextInput(attrs=attributes)
    return forms.CharField(label=label, help_text=help_text, max_length=most, required=False, widget=widget)


class AboutForm(forms.Form):
    name = _text(
        gettext_lazy("Name"),
        gettext_lazy(
            "A namespace that you can prove, a slash, and what you call it: <code>io.github.LOGIN/…</code> for "
            "an account at GitHub, <code>org.example/…</code> for the domain example.org."
        ),
        200,
        placeholder="org.example/weather",
        is_code=True,
    )
    title = _text(gettext_lazy("Title"), gettext_lazy("As people read it in lists."), 100)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        help_text=gettext_lazy("What it does, in up to 100 characters."),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    version = _text(
        gettext_lazy("Version"),
        gettext_lazy("Each version is published once and never changes."),
        255,
        placeholder="1.0.0",
        is_code=True,
    )
    website = _text(gettext_lazy("Website"), "", 500, placeholder="https://", is_code=True)
    repository = _text(gettext_lazy("Source repository"), "", 500, placeholder="https://github.com/…", is_code=True)
    subfolder = _text(gettext_lazy("Folder in the repository"), "", 300, is_code=True)


class RunForm(forms.Form):
    package = forms.ChoiceField(label=gettext_lazy("Package"), choices=PACKAGES, required=False)
    identifier = _text(
        gettext_lazy("Its name there"),
        gettext_lazy(
            "As the index writes it: <code>@example/weather</code>, "
            "<code>ghcr.io/example/weather:1.0.0</code>, or the address of the bundle."
        ),
        500,
        is_code=True,
    )
    package_version = _text(gettext_lazy("Its version"), gettext_lazy("Empty: the version above."), 255, is_code=True)
    file_sha256 = _text(
        gettext_lazy("SHA-256 of the bundle"),
        gettext_lazy("Only for bundles: 64 hexadecimal digits."),
        64,
        is_code=True,
    )
    remote = forms.ChoiceField(label=gettext_lazy("Remote server"), choices=REMOTES, required=False)
    remote_url = _text(
        gettext_lazy("Its address"), "", 500, placeholder="https://weather.example.org/mcp", is_code=True
    )


class SettingForm(forms.Form):
    where = forms.ChoiceField(label=gettext_lazy("What"), choices=PLACES, required=False)
    name = _text(gettext_lazy("Name"), "", 200, is_code=True)
    description = _text(gettext_lazy("What it is"), "", 500)
    default = _text(gettext_lazy("Default"), "", 500, is_code=True)
    is_required = forms.BooleanField(label=gettext_lazy("Required"), required=False)
    is_secret = forms.BooleanField(label=gettext_lazy("Secret"), required=False)


# Where the document has the settings of each place, and which of a row's fields writes a member of one.
_SETTING = re.compile(r"\.(environmentVariables|packageArguments|headers)\[(\d+)\](?:\.(\w+))?$")
_LISTS = {"environmentVariables": "environment", "packageArguments": "argument", "headers": "header"}
_MEMBERS = {"description": "description", "default": "default"}

_COUNT = "settings-TOTAL_FORMS"
_Settings = forms.formset_factory(SettingForm, extra=1, max_num=MAX_SETTINGS, absolute_max=MAX_SETTINGS + 1)


# The fields as the page has them: those that nearly all need, those that are folded away, and the two ways to run it.
FIRST = ("name", "description", "version", "repository")
MORE = ("title", "website", "subfolder")
PACKAGE = ("package", "identifier", "package_version", "file_sha256")
REMOTE = ("remote", "remote_url")


class Draft:
    """The three parts as one. `given` is what was sent, or None for an empty form."""

    def __init__(self, given: Any = None, initial: dict[str, Any] | None = None) -> None:
        self.about = AboutForm(given, initial=initial)
        self.run = RunForm(given)
        self.settings: Any = _Settings(given, prefix="settings")

    @staticmethod
    def with_another_setting(given: QueryDict) -> QueryDict:
        """What was sent, with a row more."""
        more, count = given.copy(), given.get(_COUNT, "")
        if count.isascii() and count.isdigit() and int(count[:4]) < MAX_SETTINGS:
            more[_COUNT] = str(int(count) + 1)
        return more

    def is_sane(self) -> bool:
        """Whether the browser sent what the form has; all else is for the checks."""
        return all([self.about.is_valid(), self.run.is_valid(), self.settings.is_valid()])

    def told(self, found: Iterable[Wrong]) -> list[Wrong]:
        """What was found, those of a setting by their field; what is an error then stands at its field, too.

        To be called once `values` and `rows` have been read.
        """
        placed = [self._placed(one) for one in found]
        for one in placed:
            if one.is_error and one.field:
                form, name = self._form_of(one.field)
                form.add_error(name, one.message)
        return placed

    def _placed(self, one: Wrong) -> Wrong:
        match = None if one.field else _SETTING.search(one.label)
        if match is None:
            return one
        rows = [row for row in self.settings if row.cleaned_data.get("name")]
        same = [row for row in rows if (row.cleaned_data.get("where") or "environment") == _LISTS[match[1]]]
        if int(match[2]) >= len(same):
            return one
        row = same[int(match[2])]
        label = gettext("Setting %(name)s") % {"name": row.cleaned_data["name"]}
        return replace(one, field=row.add_prefix(_MEMBERS.get(match[3] or "", "name")), label=label)

    def _form_of(self, field: str) -> tuple[forms.Form, str]:
        """`field` as a Wrong has it: a name of one of the forms, or one with the prefix of a row."""
        for row in self.settings:
            if field.startswith(f"{row.prefix}-"):
                return row, field.removeprefix(f"{row.prefix}-")
        return (self.about if field in self.about.fields else self.run), field

    def needed_mark(self) -> None:
        """For the page, after what was sent has been read."""
        for name in NEEDED:
            self.about.fields[name].required = True

    @property
    def first(self) -> list[forms.BoundField]:
        return [self.about[name] for name in FIRST]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self.about[name] for name in MORE]

    @property
    def package(self) -> list[forms.BoundField]:
        return [self.run[name] for name in PACKAGE]

    @property
    def remote(self) -> list[forms.BoundField]:
        return [self.run[name] for name in REMOTE]

    @property
    def is_set(self) -> bool:
        """Whether it says that something has to be set."""
        return any(row.has_changed() for row in self.settings)

    def opened(self, wrong: Collection[str]) -> set[str]:
        """The folded sections that hold something, or what is wrong: fields by name, "" where none could be named."""
        found = set()
        if any(field.data or field.errors or field.name in wrong for field in self.more):
            found.add("more")
        if self.is_set or "" in wrong or self.settings.total_error_count():
            found.add("settings")
        return found

    @property
    def values(self) -> dict[str, Any]:
        return {**self.about.cleaned_data, **self.run.cleaned_data}

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [form.cleaned_data for form in self.settings if form.cleaned_data.get("name")]
