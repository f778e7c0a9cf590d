"""The small forms of the pages of tasks."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from common.errors import BadInput
from hosting.tasks.again import MAX_ARGUMENTS, arguments_parse


class AgainForm(forms.Form):
    arguments = forms.CharField(
        label=gettext_lazy("Arguments"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "none", "maxlength": MAX_ARGUMENTS}
        ),
    )

    def __init__(self, data: Any = None, *, arguments: dict[str, Any]) -> None:
        text = json.dumps(arguments, indent=2, ensure_ascii=False)
        super().__init__(data, initial={"arguments": text}, auto_id="again_%s")
        self.fields["arguments"].widget.attrs["rows"] = min(max(text.count("\n") + 1, 4), 24)

    def clean_arguments(self) -> dict[str, Any]:
        try:
            return arguments_parse(self.cleaned_data["arguments"])
        except BadInput as error:
            raise ValidationError(error.message) from error
