"""Who may call a server: visibility, members, and tokens."""

from __future__ import annotations

from django import forms

from hosting.models import Deployment
from oauth.services import MAX_TTL_SECONDS

_DAY = 24 * 3600


class AccessForm(forms.Form):
    access = forms.ChoiceField(
        label="Who may call it",
        choices=[
            (Deployment.Access.PRIVATE, "Only its owner and members"),
            (Deployment.Access.PUBLIC, "Everybody with an account on this site"),
        ],
        widget=forms.RadioSelect,
    )


class AnonymousForm(forms.Form):
    is_on = forms.BooleanField(label="Anybody may call it, without an account", required=False)
    shares_credentials = forms.BooleanField(
        label="They may use the secrets of its settings",
        required=False,
        help_text="Every caller acts with them then, and can use up what they are good for.",
    )


class MemberForm(forms.Form):
    member = forms.CharField(
        label="Name of an account",
        max_length=100,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )


class TokenForm(forms.Form):
    note = forms.CharField(label="What it is for", required=False, max_length=200)
    ttl = forms.TypedChoiceField(
        label="Good for",
        coerce=int,
        choices=[(3600, "1 hour"), (_DAY, "24 hours"), (30 * _DAY, "30 days"), (MAX_TTL_SECONDS, "90 days")],
        initial=3600,
    )
