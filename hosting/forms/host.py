"""What is to be hosted: a package, an upload, or a server elsewhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Name
from hosting import names
from hosting.kinds.reference import MAX_REFERENCE
from hosting.models import Deployment
from hosting.selectors import name_free

_CODE = {"autocapitalize": "none", "spellcheck": "false", "autocorrect": "off"}


class DeployForm(forms.Form):
    """What a version is made of: a reference, or an upload."""

    reference = forms.CharField(
        label=gettext_lazy("Package or address"),
        required=False,
        max_length=MAX_REFERENCE,
        widget=forms.TextInput(attrs={"placeholder": "pypi:mcp-server-time", **_CODE}),
        help_text=gettext_lazy(
            "pypi:NAME or npm:NAME, with ==VERSION or @VERSION for a certain one; remote:https://… for a "
            "server that runs elsewhere, or registry:NAME for one of this site's registry."
        ),
    )
    source = forms.FileField(
        label=gettext_lazy("Or a file of its source"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".py,.zip"}),
        help_text=gettext_lazy(
            "One Python file (with its dependencies at the top, as PEP 723 says), or a zip with pyproject.toml "
            "or package.json."
        ),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        reference, source = given.get("reference", ""), given.get("source")
        if reference and source:
            self.add_error("source", gettext("Either a package or a file: empty one of the two."))
        elif not reference and not source and not self.errors:
            self.add_error("reference", gettext("Name a package or an address, or choose a file."))
        if reference.startswith(("https://", "http://")):  # an address can only mean one thing
            given["reference"] = f"remote:{reference}"
        return given


class HostForm(DeployForm):
    """A new deployment. `owners` are the names under which the person may host."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=names.MAX_LENGTH,
        widget=forms.TextInput(attrs={"placeholder": "time", **_CODE}),
        help_text=gettext_lazy("Part of its address: letters, digits, “-”, “_” and “.”. Empty: that of the package."),
    )
    owner = forms.ModelChoiceField(
        queryset=Name.objects.none(), label=gettext_lazy("Owner"), to_field_name="folded", empty_label=None
    )
    access = forms.ChoiceField(
        label=gettext_lazy("Who may call it"),
        choices=[
            (Deployment.Access.PRIVATE, gettext_lazy("Only its owner and members")),
            (Deployment.Access.PUBLIC, gettext_lazy("Everybody with an account on this site")),
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

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        source = given.get("source")
        if not given.get("name") and not self.errors:
            wanted = names.suggested(source.name if source else given["reference"])
            given["name"] = name_free(given["owner"], wanted) if wanted else ""
        return given

    @property
    def folded(self) -> list[forms.BoundField]:
        """What may be left as it is: shown when somebody asks, or when it is wrong."""
        return [field for field in self.visible_fields() if field.name in ("owner", "access")]

    @property
    def asked(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in ("owner", "access")]

    @property
    def is_open(self) -> bool:
        return any(field.errors for field in self.folded)
