"""The form of what an organization's servers may ask."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from hosting.models import QuestionPolicy


class QuestionPolicyForm(forms.Form):
    pages = forms.ChoiceField(
        label=gettext_lazy("Pages of other hosts that they may send people to"),
        choices=QuestionPolicy.Pages.choices,
        widget=forms.RadioSelect,
    )
    hosts = forms.CharField(
        label=gettext_lazy("Listed hosts"),
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false", "autocapitalize": "none"}),
        help_text=gettext_lazy("One on each line: login.example.org, or *.example.org for everything below it."),
    )

    def clean_hosts(self) -> list[str]:
        return str(self.cleaned_data["hosts"]).split()
