"""What a deployment's settings are made of: sections, each with a form and a service of its own, on a few pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy

from hosting.configuration import configuring
from hosting.credentials import accounts, personal
from hosting.credentials.check_tools import check_tool_set
from hosting.forms import settings as sections
from hosting.forms.personal import CheckToolForm, PersonalForm
from hosting.forms.providers import AccountsForm
from hosting.kinds.declared import Declared
from hosting.models import Deployment
from hosting.tools import records as tools
from hosting.views.page import Page

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


Options = Callable[[Deployment, Sequence[Declared]], dict[str, Any]]


@dataclass(frozen=True)
class Section:
    """`options` are those of the form, read from the deployment and what its newest version declares; `apply` runs the
    service with what the form has."""

    form: type[forms.Form]
    options: Options
    apply: Callable[[Page, Any], None]
    saved: StrOrPromise


@dataclass(frozen=True)
class Part:
    """A page of sections. `about` says what is found there; `sections` are their fragments, also of those that are no
    form of ours, in order."""

    url_name: str
    title: StrOrPromise
    about: StrOrPromise
    sections: tuple[str, ...]


def _own(*names: str) -> Options:
    return _initial(lambda deployment: {name: getattr(deployment, name) for name in names})


def _initial(initial: Callable[[Deployment], dict[str, Any]]) -> Options:
    return lambda deployment, _declared: {"initial": initial(deployment)}


def _set(service: Callable[..., None]) -> Callable[[Page, forms.Form], None]:
    return lambda page, form: service(actor=page.actor, deployment=page.deployment, **form.cleaned_data)


def _limits(page: Page, form: sections.LimitsForm) -> None:
    seconds = form.cleaned_data["idle_seconds"]
    with transaction.atomic():  # both or neither
        configuring.limits_set(actor=page.actor, deployment=page.deployment, chosen=form.chosen())
        configuring.idle_set(actor=page.actor, deployment=page.deployment, seconds=seconds)


def _egress(page: Page, form: sections.EgressForm) -> None:
    hosts = form.cleaned_data["egress_hosts"]
    configuring.egress_set(actor=page.actor, deployment=page.deployment, mode=form.cleaned_data["egress"], hosts=hosts)


def _approval(page: Page, form: sections.ApprovalForm) -> None:
    tools.approval_set(actor=page.actor, deployment=page.deployment, approval=form.cleaned_data["tool_approval"])


def _personal(page: Page, form: PersonalForm) -> None:
    others = personal.keys_of(page.deployment, form.cleaned_data["others"])
    keys = {*form.cleaned_data.get("declared", ()), *others}
    personal.personal_set(actor=page.actor, deployment=page.deployment, keys=keys)


def _accounts(page: Page, form: AccountsForm) -> None:
    chosen = personal.accounts_chosen(page.deployment, form.cleaned_data["personal_accounts"].splitlines())
    is_own = form.cleaned_data.get("is_own", False)
    accounts.accounts_set(actor=page.actor, deployment=page.deployment, chosen=chosen, is_own=is_own)


def _files(page: Page, form: sections.FilesForm) -> None:
    configuring.files_set(actor=page.actor, deployment=page.deployment, names=form.cleaned_data["file_inputs"])


_SAVED = gettext_lazy("Saved. New instances are started with it.")
SECTIONS = {
    "personal": Section(
        PersonalForm,
        PersonalForm.options_of,
        _personal,
        gettext_lazy("Saved. Each user is asked for theirs on a page of this site."),
    ),
    "accounts": Section(
        AccountsForm,
        _initial(AccountsForm.initial_of),
        _accounts,
        gettext_lazy("Saved. Each user connects theirs on a page of this site."),
    ),
    "check": Section(CheckToolForm, CheckToolForm.options_of, _set(check_tool_set), gettext_lazy("Saved.")),
    "files": Section(sections.FilesForm, _initial(sections.FilesForm.initial_of), _files, _SAVED),
    "limits": Section(
        sections.LimitsForm,
        _initial(sections.LimitsForm.initial_of),
        _limits,
        gettext_lazy("Limits saved. New instances are started with it."),
    ),
    "network": Section(
        sections.EgressForm,
        _initial(sections.EgressForm.initial_of),
        _egress,
        gettext_lazy("Network saved. New instances are started with it."),
    ),
    "isolation": Section(
        sections.IsolationForm,
        _own("isolation"),
        _set(configuring.isolation_set),
        gettext_lazy("Isolation saved. New instances are started with it."),
    ),
    "data": Section(sections.DataFolderForm, _own("has_data_folder"), _set(configuring.data_folder_set), _SAVED),
    "tasks": Section(
        sections.TasksForm,
        _own("has_tasks", "hand_off_seconds", "asks_on_site"),
        _set(configuring.tasks_set),
        gettext_lazy("Tasks saved."),
    ),
    "approval": Section(sections.ApprovalForm, _own("tool_approval"), _approval, gettext_lazy("Saved.")),
    "install": Section(
        sections.InstallCodeForm,
        _own("runs_install_code"),
        _set(configuring.install_code_set),
        gettext_lazy("Saved. It counts from the next build on."),
    ),
    "tracing": Section(
        sections.TracingForm,
        _own("traces_bodies"),
        _set(configuring.tracing_set),
        gettext_lazy("Saved. Callers are told on this server’s page, and where they let a program in."),
    ),
}

PARTS = {
    "values": Part(
        "settings",
        gettext_lazy("Settings and secrets"),
        gettext_lazy("Values it is started with, files"),
        ("inputs", "files"),
    ),
    "users": Part(
        "settings_users",
        gettext_lazy("Users"),
        gettext_lazy("What each brings, accounts, trying it"),
        ("personal", "accounts", "check"),
    ),
    "providers": Part(
        "providers", gettext_lazy("Providers"), gettext_lazy("Where users have accounts"), ("providers", "provider")
    ),
    "running": Part(
        "settings_running",
        gettext_lazy("Running"),
        gettext_lazy("Limits, isolation, data folder"),
        ("limits", "isolation", "data"),
    ),
    "tasks": Part("settings_tasks", gettext_lazy("Tasks"), gettext_lazy("Calls that go on by themselves"), ("tasks",)),
    "security": Part(
        "settings_security",
        gettext_lazy("Security"),
        gettext_lazy("Network, approval, install code, tracing"),
        ("network", "approval", "install", "tracing"),
    ),
    "delete": Part("settings_delete", gettext_lazy("Delete"), gettext_lazy("All of it, for good"), ("delete",)),
}
