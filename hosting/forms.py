"""Forms of hosting: shape only; what is allowed is decided by the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Name
from hosting import names
from hosting.kinds.reference import MAX_REFERENCE
from hosting.models import Deployment


class HostForm(forms.Form):
    """A new deployment. `owners` are the names under which the person may host."""

    reference = forms.CharField(
        label="Package",
        max_length=MAX_REFERENCE,
        widget=forms.TextInput(
            attrs={"placeholder": "pypi:mcp-server-time", "autocapitalize": "none", "spellcheck": "false"}
        ),
        help_text="pypi:NAME or npm:NAME, with ==VERSION or @VERSION for a certain one.",
    )
    name = forms.CharField(
        label="Name",
        max_length=names.MAX_LENGTH,
        widget=forms.TextInput(attrs={"placeholder": "time", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="Part of its address: letters, digits, “-”, “_” and “.”.",
    )
    owner = forms.ModelChoiceField(
        queryset=Name.objects.none(), label="Owner", to_field_name="folded", empty_label=None
    )
    access = forms.ChoiceField(
        label="Who may call it",
        choices=[
            (Deployment.Access.PRIVATE, "Only its owner and members"),
            (Deployment.Access.PUBLIC, "Everybody with an account on this site"),
        ],
        initial=Deployment.Access.PRIVATE,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, owners: QuerySet[Name], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = owners
        found = list(owners[:2])
        if found:
            field.initial = found[0].folded
        if len(found) < 2:  # nothing to choose
            field.widget = field.hidden_widget()
