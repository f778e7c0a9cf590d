"""The forms of the registry's pages: shape only; what is allowed is decided by the services."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from registry.models import Report


class ReportForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What is wrong"), choices=Report.Kind.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=gettext_lazy("In your words"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What you saw, and where. Only the operators of this site read it."),
    )


class TakeDownForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"spellcheck": "false"})
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Everybody who looks for the server reads it."),
    )
