"""Who may call a server: visibility, members, and tokens."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from hosting.models import Deployment
from oauth.services import MAX_TTL_SECONDS

_DAY = 24 * 3600


class AccessForm(forms.Form):
    access = forms.ChoiceField(
        label=gettext_lazy("Who may call it"),
        choices=[
            (Deployment.Access.PRIVATE, gettext_lazy("Only its owner and members")),
            (Deployment.Access.PUBLIC, gettext_lazy("Everybody with an account on this site")),
        ],
        widget=forms.RadioSelect,
    )


class AnonymousForm(forms.Form):
    is_on = forms.BooleanField(label=gettext_lazy("Anybody may call it, without an account"), required=False)
    shares_credentials = forms.BooleanField(
        label=gettext_lazy("They may use the secrets of its settings"),
        required=False,
        help_text=gettext_lazy("Every caller acts with them then, and can use up what they are good for."),
    )


class MemberForm(forms.Form):
    member = forms.CharField(
        label=gettext_lazy("Name of an account"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )


class TokenForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("What it is for"), required=False, max_length=200)
    ttl = forms.TypedChoiceField(
        label=gettext_lazy("Good for"),
        coerce=int,
        choices=[
            (3600, gettext_lazy("1 hour")),
            (_DAY, gettext_lazy("24 hours")),
            (30 * _DAY, gettext_lazy("30 days")),
            (MAX_TTL_SECONDS, gettext_lazy("90 days")),
        ],
        initial=3600,
    )
