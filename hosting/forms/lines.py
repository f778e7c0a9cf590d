"""A field of several names, one on each line."""

from __future__ import annotations

from typing import Any

from django import forms


class LinesField(forms.CharField):
    """Cleans to the lines that have something in them, without the blanks around it."""

    def __init__(self, *, rows: int, **options: Any) -> None:
        area = forms.Textarea(attrs={"rows": rows, "class": "mono", "spellcheck": "false", "autocapitalize": "none"})
        super().__init__(required=False, widget=area, **options)

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]
