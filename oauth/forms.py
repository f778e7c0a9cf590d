"""Forms of tokens, of programs' accounts, and of the rules about programs. Shape only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy, ngettext

from accounts.organizations import SERVICE_ROLES
from oauth import scopes
from oauth.api_tokens import DAY_SECONDS

_DAYS = (1, 7, 30, 90, 365)


def _spans() -> list[tuple[int, str]]:
    """In seconds, and in words."""
    return [(days * DAY_SECONDS, ngettext("%(count)d day", "%(count)d days", days) % {"count": days}) for days in _DAYS]


class ApiTokenForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("What it is for"), required=False, max_length=200)
    ttl = forms.TypedChoiceField(
        label=gettext_lazy("Good for"),
        coerce=int,
        choices=_spans,
        initial=30 * DAY_SECONDS,
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=list(scopes.API.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=["deployments:read"],
    )

    def clean_scopes(self) -> tuple[str, ...]:
        chosen: Any = self.cleaned_data["scopes"]
        return scopes.parse(" ".join(chosen), scopes.API_KNOWN)


class ServiceAccountForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=39,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("The organization's name is put before it."),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role.value, role.label) for role in SERVICE_ROLES],
        initial="member",
        help_text=gettext_lazy("Members call the organization's private servers, publishers also change them."),
    )


class ServiceClientForm(forms.Form):
    account = forms.ChoiceField(label=gettext_lazy("Of"))
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(scope, scopes.MEANINGS[scope][0]) for scope in scopes.KNOWN],
        widget=forms.CheckboxSelectMultiple,
        initial=list(scopes.DEFAULT),
    )

    def __init__(self, *args: Any, accounts: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_from(self, accounts)


class ServiceTokenForm(ApiTokenForm):
    account = forms.ChoiceField(label=gettext_lazy("Of"))
    field_order = ("account",)

    def __init__(self, *args: Any, accounts: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_from(self, accounts)


class IdpForm(forms.Form):
    issuer = forms.CharField(
        label=gettext_lazy("Issuer"),
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://login.example.org"}),
        help_text=gettext_lazy("Its address exactly as it stands in its tokens."),
    )
    jwks_uri = forms.CharField(
        label=gettext_lazy("Where its keys are"),
        required=False,
        max_length=500,
        widget=forms.URLInput(),
        help_text=gettext_lazy("Without an address the provider is asked for it."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may give out"),
        choices=[(scope, scopes.MEANINGS[scope][0]) for scope in scopes.KNOWN],
        widget=forms.CheckboxSelectMultiple,
        initial=list(scopes.DEFAULT),
    )
    clients = forms.CharField(
        label=gettext_lazy("To these programs only"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One id a line. Without any, to every program that can prove itself."),
    )


class IdentityForm(forms.Form):
    idp = forms.ChoiceField(label=gettext_lazy("At"))
    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=255,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("Whom the provider means: “sub” in its tokens, never an address."),
    )
    account = forms.ChoiceField(label=gettext_lazy("Is here"))

    def __init__(self, *args: Any, idps: list[tuple[str, str]], people: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choose_from(self, people)
        field = self.fields["idp"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = idps


def _choose_from(form: forms.Form, accounts: list[str]) -> None:
    field = form.fields["account"]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [(name, name) for name in accounts]


class PolicyForm(forms.Form):
    clients = forms.CharField(
        label=gettext_lazy("Only these programs"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("One a line: the id, or the host of ids that are addresses. Without any, all programs."),
    )
    is_verified_only = forms.BooleanField(label=gettext_lazy("No programs that registered themselves"), required=False)
    servers = forms.CharField(
        label=gettext_lazy("At these servers only"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy("One name a line. Without any, at all servers of the organization."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("At most"),
        required=False,
        choices=[(scope, scopes.MEANINGS[scope][0]) for scope in scopes.KNOWN],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Without any, everything that a person may allow."),
    )

    def clean_clients(self) -> list[str]:
        return str(self.cleaned_data["clients"]).split()

    def clean_servers(self) -> list[str]:
        return str(self.cleaned_data["servers"]).split()
