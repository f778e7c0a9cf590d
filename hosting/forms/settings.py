"""The small forms of the settings page, one for each thing that can be changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from common import sizes
from hosting.configuration import limits
from hosting.configuration.configuring import MAX_HAND_OFF_SECONDS
from hosting.forms.lines import LinesField
from hosting.models import Deployment

_MIB_FIELDS = ("memory_bytes", "disk_bytes", "message_bytes")


class LimitsForm(forms.Form):
    """Sizes are in MiB here. An empty field is the site's default."""

    memory_bytes = forms.FloatField(label=gettext_lazy("Memory (MiB)"), required=False)
    processes = forms.IntegerField(label=gettext_lazy("Processes and threads"), required=False)
    disk_bytes = forms.FloatField(label=gettext_lazy("Private disk (MiB)"), required=False)
    message_bytes = forms.FloatField(label=gettext_lazy("One message (MiB)"), required=False)
    idle_seconds = forms.IntegerField(label=gettext_lazy("Goes to sleep after (seconds)"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, bound in limits.bounds().items():
            unit = sizes.MIB if bound.is_bytes else 1
            field = self.fields[name]
            words = gettext("At most %(most)s; %(default)s if left empty.")
            field.help_text = words % {"most": _number(bound.most / unit), "default": _number(bound.default / unit)}
            field.widget.attrs.update(min=0, step="any" if bound.is_bytes else 1, inputmode="decimal")
        idle = self.fields["idle_seconds"]
        words = gettext("%(seconds)d if left empty. The next call wakes it.")
        idle.help_text = words % {"seconds": limits.idle_seconds_of(None)}

    @staticmethod
    def initial_of(deployment: Deployment) -> dict[str, Any]:
        found = {name: deployment.limits.get(name) for name in limits.bounds()}
        for name in _MIB_FIELDS:
            if (octets := found.get(name)) is not None:
                found[name] = _number(octets / sizes.MIB)
        return {**found, "idle_seconds": deployment.idle_seconds}

    def chosen(self) -> dict[str, int | None]:
        """In bytes and numbers, as `limits_set` takes them."""
        given = self.cleaned_data
        found = {name: given.get(name) for name in limits.bounds()}
        return {
            name: None if value is None else round(value * (sizes.MIB if name in _MIB_FIELDS else 1))
            for name, value in found.items()
        }


class FilesForm(forms.Form):
    file_inputs = LinesField(
        label=gettext_lazy("Variables"), rows=2, max_length=20_000, help_text=gettext_lazy("One on each line.")
    )

    @staticmethod
    def initial_of(deployment: Deployment) -> dict[str, Any]:
        return {"file_inputs": "\n".join(key.partition(":")[2] for key in deployment.file_inputs)}


class EgressForm(forms.Form):
    egress = forms.ChoiceField(
        label=gettext_lazy("It may reach"), choices=Deployment.Egress.choices, widget=forms.RadioSelect
    )
    egress_hosts = LinesField(
        label=gettext_lazy("Listed hosts"),
        rows=4,
        max_length=60_000,
        help_text=gettext_lazy("One on each line: api.example.org, or *.example.org for everything below it."),
    )

    @staticmethod
    def initial_of(deployment: Deployment) -> dict[str, Any]:
        return {"egress": deployment.egress, "egress_hosts": "\n".join(deployment.egress_hosts)}


class IsolationForm(forms.Form):
    isolation = forms.ChoiceField(
        label=gettext_lazy("Instances"),
        choices=Deployment.Isolation.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "A shared instance sees everybody's calls: only for a server that keeps nothing of them."
        ),
    )


class ApprovalForm(forms.Form):
    tool_approval = forms.ChoiceField(
        label=gettext_lazy("When a tool changes what it says"),
        choices=Deployment.Approval.choices,
        widget=forms.RadioSelect,
    )


class DataFolderForm(forms.Form):
    has_data_folder = forms.BooleanField(label=gettext_lazy("Keep a data folder"), required=False)


class InstallCodeForm(forms.Form):
    runs_install_code = forms.BooleanField(label=gettext_lazy("Run the package's install code"), required=False)


class TasksForm(forms.Form):
    has_tasks = forms.BooleanField(label=gettext_lazy("Let tools run as tasks"), required=False)
    hand_off_seconds = forms.IntegerField(
        label=gettext_lazy("Hand over after (seconds)"),
        min_value=0,
        max_value=MAX_HAND_OFF_SECONDS,
        help_text=gettext_lazy("For clients that know no tasks, and often give up after 60 seconds. 0: never."),
    )
    asks_on_site = forms.BooleanField(
        label=gettext_lazy("Ask on this site what a client can't show"),
        required=False,
        help_text=gettext_lazy(
            "A question of the server then makes a task of the call, whose page has the question for its caller."
        ),
    )


class TracingForm(forms.Form):
    traces_bodies = forms.BooleanField(label=gettext_lazy("Trace bodies of calls"), required=False)


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(round(value))
