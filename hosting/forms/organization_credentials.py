"""The form of what an organization keeps for its members' instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from hosting.forms.expiry import ExpiryField
from hosting.forms.inputs import SecretArea

_CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autocorrect": "off"}


class OrganizationCredentialForm(forms.Form):
    """`servers` are names below the organization's."""

    server = forms.ChoiceField(label=gettext_lazy("For"), required=False)
    setting = forms.CharField(
        label=gettext_lazy("Setting"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "mono", "list": "known-settings", **_CODE}),
        help_text=gettext_lazy("Its name, as the server asks for it; header:NAME for a header."),
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        strip=False,
        max_length=20_000,
        widget=SecretArea(),
        help_text=gettext_lazy("Sealed, and never shown again."),
    )
    expires = ExpiryField()

    def __init__(self, *args: Any, servers: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["server"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "All servers of the organization"), *((name, name) for name in servers)]

    def clean_value(self) -> str:
        text = str(self.cleaned_data["value"]).replace("\r\n", "\n")
        return text if "\n" in text.strip() else text.strip()
