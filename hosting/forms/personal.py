"""What an owner says of each user's settings: which those are, and how they are tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from hosting.configuration.inputs import key_of, key_parts
from hosting.forms.lines import LinesField
from hosting.kinds.declared import Declared, asked
from hosting.models import Deployment


class PersonalForm(forms.Form):
    """Checkboxes for what the server declares, and lines for what its owner alone knows of."""

    def __init__(self, *args: Any, declared: Sequence[Declared] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        if declared:
            boxes = forms.CheckboxSelectMultiple
            choices = [(key_of(one), _described(one)) for one in declared]
            self.fields["declared"] = forms.MultipleChoiceField(
                label=gettext("The server asks for"), required=False, choices=choices, widget=boxes
            )
        self.fields["others"] = LinesField(
            label=gettext("Others") if declared else gettext("Names"),
            rows=2,
            max_length=5000,
            help_text=gettext("One on each line: variables, or headers of a remote server."),
        )

    @staticmethod
    def options_of(deployment: Deployment, declared: Sequence[Declared]) -> dict[str, Any]:
        """What is an account is asked for elsewhere."""
        wanted = asked(declared)
        known = {key_of(one) for one in wanted}
        keys = [key for key in deployment.personal_inputs if key not in deployment.personal_accounts]
        others = "\n".join(key_parts(key)[1] for key in keys if key not in known)
        return {
            "declared": [one for one in wanted if key_of(one) not in deployment.personal_accounts],
            "initial": {"declared": [key for key in keys if key in known], "others": others},
        }


class CheckToolForm(forms.Form):
    """`tools` are those that the server listed, empty where nobody has asked it yet."""

    check_arguments = forms.JSONField(
        label=gettext_lazy("Its arguments"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono", "spellcheck": "false"}),
        help_text=gettext_lazy("A JSON object, the same for every user. Nothing secret."),
    )
    check_confirmed = forms.BooleanField(
        label=gettext_lazy("Calling it does no harm, though it does not say that it only reads"), required=False
    )
    field_order = ("check_tool", "check_arguments", "check_confirmed")

    def __init__(self, *args: Any, tools: Sequence[tuple[str, str]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        words = gettext("Without one, a user’s copy is started and its tools are listed.")
        if tools:
            self.fields["check_tool"] = forms.ChoiceField(
                label=gettext("Tool"), required=False, choices=[("", gettext("None")), *tools], help_text=words
            )
        else:
            self.fields["check_tool"] = forms.CharField(
                label=gettext("Tool"), required=False, max_length=256, help_text=words
            )
        self.order_fields(self.field_order)

    @staticmethod
    def options_of(deployment: Deployment, _declared: Sequence[Declared]) -> dict[str, Any]:
        version = deployment.current_version
        seen = (version.tools if version is not None else None) or []
        named = {str(tool.get("name")): _reads(tool) for tool in seen}
        if deployment.check_tool:
            named.setdefault(
                deployment.check_tool, gettext("%(tool)s (not listed any more)") % {"tool": deployment.check_tool}
            )
        initial = {
            "check_tool": deployment.check_tool,
            "check_confirmed": deployment.check_confirmed,
            "check_arguments": deployment.check_arguments or {},
        }
        return {"tools": list(named.items()) if seen else [], "initial": initial}


def _described(one: Declared) -> str:
    known = ((gettext("required"), one.is_required), (gettext("secret"), one.is_secret))
    facts = [word for word, holds in known if holds]
    return " – ".join(part for part in (one.flag or one.name, ", ".join(facts)) if part)


def _reads(tool: dict[str, Any]) -> str:
    annotations = tool.get("annotations")
    is_reading = isinstance(annotations, dict) and annotations.get("readOnlyHint") is True
    name = str(tool.get("name"))
    return gettext("%(tool)s (says that it only reads)") % {"tool": name} if is_reading else name
