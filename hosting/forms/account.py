"""What an owner adds before signing in to a remote server."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy


class ClientForm(forms.Form):
    """`digest` stands for what was on the page; the rest only where this site has to be known there already."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    client_id = forms.CharField(max_length=500, required=False, label=gettext_lazy("Client id"))
    client_secret = forms.CharField(
        max_length=4096,
        required=False,
        strip=False,
        label=gettext_lazy("Client secret"),
        help_text=gettext_lazy("If you were given one. It is sealed, and nobody can read it here."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
