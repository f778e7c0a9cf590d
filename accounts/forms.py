"""Forms of accounts: shape only; what is allowed is decided by the services."""

from __future__ import annotations

from django import forms

from accounts import names


class SetPasswordForm(forms.Form):
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters.",
    )


class FirstAdministratorForm(SetPasswordForm):
    name = forms.CharField(
        label="Name",
        max_length=names.MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="Letters, digits and single hyphens.",
    )
    field_order = ("name", "password")
