"""Forms of accounts: shape only; what is allowed is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts import names
from accounts.models import Membership, User


class SetPasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters."),
    )


class FirstAdministratorForm(SetPasswordForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=names.MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("Letters, digits and single hyphens."),
    )
    field_order = ("name", "password")


class NewAccountForm(FirstAdministratorForm):
    """Of whoever was invited."""


class SignUpForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("Your address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )


class OrganizationForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=names.MAX_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("Part of the addresses of its servers. Letters, digits and single hyphens."),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("What people read; without one, the name."),
    )


class InvitationForm(forms.Form):
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER
    )
    note = forms.CharField(
        label=gettext_lazy("For whom"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Only administrators see it."),
    )


class SiteInvitationForm(forms.Form):
    """`may_choose`: operators say what the new account may do."""

    site_role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=User.SiteRole.choices,
        initial=User.SiteRole.MEMBER,
        help_text=gettext_lazy("Publishers host and make organizations; moderators also decide about the registry."),
    )
    note = forms.CharField(
        label=gettext_lazy("For whom"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Only you and operators see it."),
    )

    def __init__(self, *args: Any, may_choose: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_choose:
            del self.fields["site_role"]
