"""The design system as its page shows it: the tokens as the style sheet has them, and a form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django import forms
from django.contrib.staticfiles import finders
from django.utils.translation import gettext_lazy

_TOKEN = re.compile(r"--([\w-]+): ([^;]+);(?: /\* (.+?) \*/)?|/\* (.+?) \*/", re.DOTALL)
_PAIR = re.compile(r"light-dark\((#\w{6}), (#\w{6})\)")


@dataclass(frozen=True)
class Token:
    """`light` and `dark` are "" for what is no colour."""

    name: str
    value: str
    note: str = ""
    light: str = ""
    dark: str = ""


@dataclass(frozen=True)
class TokenGroup:
    """Tokens that stand below one comment of the style sheet."""

    words: str
    tokens: tuple[Token, ...]

    @property
    def are_colours(self) -> bool:
        return all(token.light for token in self.tokens)


def token_groups(css: str) -> list[TokenGroup]:
    """The first :root block of tokens.css. A token with another token's or no plain value is shown as it is written."""
    block = css[css.index(":root {") : css.index("\n}\n", css.index(":root {"))]
    groups: list[tuple[str, list[Token]]] = [("", [])]
    for name, value, note, comment in _TOKEN.findall(block):
        if comment:
            groups.append((comment, []))
            continue
        pair = _PAIR.fullmatch(value)
        if not pair and groups[-1][1] and groups[-1][1][-1].light:
            groups.append(("", []))
        groups[-1][1].append(Token(name, value, note, *(pair.groups() if pair else ())))
    return [TokenGroup(words, tuple(tokens)) for words, tokens in groups if tokens]


def icon_names(sprite: str) -> list[str]:
    return sorted(re.findall(r'<symbol id="([^"]+)"', sprite))


def file_of_the_site(name: str) -> str:
    """The text of a static file of ours."""
    path = finders.find(name)
    assert isinstance(path, str), f"{name} is part of the site"
    return Path(path).read_text(encoding="utf-8")


class ExampleForm(forms.Form):
    """Nobody sends it: it shows what fields look like, one with an error."""

    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("What it is for, in a sentence."))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[("a", gettext_lazy("One")), ("b", gettext_lazy("Another"))]
    )
    note = forms.CharField(label=gettext_lazy("Note"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    is_on = forms.BooleanField(label=gettext_lazy("Switched on"), required=False)
