"""The forms of third parties at which people have accounts, and of what a server asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy

from hosting.models import Deployment
from hosting.routing import OWN_ACCOUNT
from oauth.models import Provider
from oauth.outbound.identity import MAX_SECRET
from oauth.outbound.providers import MAX_TITLE, Wanted, providers_for

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_ADDRESSES = ("issuer", "authorize_url", "token_url", "revoke_url")
_CODE = {"class": "mono", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def _address(label: StrOrPromise, help_text: StrOrPromise) -> forms.CharField:
    widget = forms.TextInput(attrs={**_CODE, "inputmode": "url"})
    return forms.CharField(label=label, max_length=2048, required=False, help_text=help_text, widget=widget)


class ProviderForm(forms.Form):
    """One to add, or to change: that of the same name."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        widget=forms.TextInput(attrs=_CODE),
        help_text=gettext_lazy("A short name by which servers ask for it, such as github."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Provider.Kind.choices)
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=MAX_TITLE,
        required=False,
        help_text=gettext_lazy("What people read; without one, the kind’s own name."),
    )
    client_id = forms.CharField(
        label=gettext_lazy("Client id"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs=_CODE),
        help_text=gettext_lazy(
            "From the provider, when you register this site there. Leave it empty where the site can register itself."
        ),
    )
    client_secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        max_length=MAX_SECRET,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Kept sealed, never shown again. Leave it empty to keep the one that is stored."),
    )
    scopes = forms.CharField(
        label=gettext_lazy("Scopes"),
        max_length=5000,
        required=False,
        widget=forms.TextInput(attrs=_CODE),
        help_text=gettext_lazy("Asked for where a server names none. Put spaces between them."),
    )
    issuer = _address(
        gettext_lazy("Issuer"),
        gettext_lazy("For one that is found by its issuer; otherwise only where its answers name one."),
    )
    authorize_url = _address(
        gettext_lazy("Address for signing in"), gettext_lazy("For one whose addresses are typed in.")
    )
    token_url = _address(gettext_lazy("Address for tokens"), gettext_lazy("For one whose addresses are typed in."))
    revoke_url = _address(
        gettext_lazy("Address for revoking"), gettext_lazy("Of the same, where it has one (RFC 7009).")
    )

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in _ADDRESSES]

    @property
    def address_fields(self) -> list[forms.BoundField]:
        """Which providers that are known need none of."""
        return [self[name] for name in _ADDRESSES]

    @property
    def is_open(self) -> bool:
        """Whether somebody has typed something there, or should."""
        return any(field.value() or field.errors for field in self.address_fields)

    def wanted(self) -> Wanted:
        given = dict(self.cleaned_data)
        return Wanted(**{**given, "scopes": tuple(given["scopes"].split())})

    @staticmethod
    def initial_of(provider: Provider) -> dict[str, Any]:
        server = provider.server
        is_typed = provider.kind == Provider.Kind.TYPED
        names = ("authorize_url", "token_url", "revoke_url") if is_typed else ()
        has_issuer = is_typed or provider.kind == Provider.Kind.DISCOVERED
        return {
            "name": provider.name,
            "kind": provider.kind,
            "title": provider.title,
            "client_id": provider.client_id,
            "scopes": " ".join(provider.scopes),
            "issuer": server["issuer"] if has_issuer else "",
            **{name: server[name] for name in names},
        }


class AccountsForm(forms.Form):
    """Which settings are accounts, one on each line: NAME PROVIDER SCOPE…"""

    personal_accounts = forms.CharField(
        label=gettext_lazy("Accounts"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, **_CODE}),
        help_text=gettext_lazy(
            "One on each line: the variable (or header, of a remote server), the provider’s name, and the "
            "scopes, with blanks between them. GITHUB_TOKEN github repo read:user"
        ),
    )
    is_own = forms.BooleanField(label=gettext_lazy("Each user signs in to the remote server"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.initial["is_remote"]:
            del self.fields["is_own"]

    @staticmethod
    def initial_of(deployment: Deployment) -> dict[str, Any]:
        kept = deployment.personal_accounts
        names = {str(one.pk): one.name for one in providers_for(deployment.pk)} if kept else {}
        lines = [
            " ".join([key.partition(":")[2], names.get(one["provider"], "?"), *one["scopes"]])
            for key, one in sorted(kept.items())
            if key != OWN_ACCOUNT
        ]
        return {
            "personal_accounts": "\n".join(lines),
            "is_own": OWN_ACCOUNT in kept,
            "is_remote": deployment.kind == "remote",
        }
