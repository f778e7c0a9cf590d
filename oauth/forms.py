"""The form that makes a token for the API."""

from __future__ import annotations

from typing import Any

from django import forms

from oauth import scopes
from oauth.api_tokens import DAY_SECONDS

_DAYS = (1, 7, 30, 90, 365)


class ApiTokenForm(forms.Form):
    note = forms.CharField(label="What it is for", required=False, max_length=200)
    ttl = forms.TypedChoiceField(
        label="Good for",
        coerce=int,
        choices=[(days * DAY_SECONDS, f"{days} day{'s' if days > 1 else ''}") for days in _DAYS],
        initial=30 * DAY_SECONDS,
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=list(scopes.API.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=["deployments:read"],
    )

    def clean_scopes(self) -> tuple[str, ...]:
        chosen: Any = self.cleaned_data["scopes"]
        return scopes.parse(" ".join(chosen), scopes.API_KNOWN)
