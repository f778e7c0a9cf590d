"""How long a value is kept, chosen from a few spans; the API takes any time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from common import clock

SPANS = [
    ("", gettext_lazy("Until it is deleted")),
    ("1", gettext_lazy("1 day")),
    ("7", gettext_lazy("7 days")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("1 year")),
]


class ExpiryField(forms.ChoiceField):
    """Cleans to the time at which the value stops counting, None for never."""

    def __init__(self, **options: Any) -> None:
        label = options.pop("label", gettext_lazy("It counts for"))
        super().__init__(label=label, required=False, choices=SPANS, **options)

    def clean(self, value: Any) -> datetime | None:
        days = super().clean(value)
        return clock.now() + timedelta(days=int(days)) if days else None


class ExpiryForm(forms.Form):
    """Of one stored value, whose key is `name`."""

    name = forms.CharField(max_length=200, strip=False, widget=forms.HiddenInput)
    expires = ExpiryField()
