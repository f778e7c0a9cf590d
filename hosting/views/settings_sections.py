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
    """`text` says what it is about. `options` are those of the form, read from the deployment and what its newest
    version declares; `apply` runs the service with what the form has, and `saved` says so."""

    title: StrOrPromise
    text: StrOrPromise
    form: type[forms.Form]
    options: Options
    apply: Callable[[Page, Any], None]
    saved: StrOrPromise


@dataclass(frozen=True)
class Part:
    """A page of sections. `about` says what is found there; `sections` are their fragments, also of those that are no
    form of ours, in order. `template` is one of its own where it shows more than those."""

    url_name: str
    title: StrOrPromise
    about: StrOrPromise
    sections: tuple[str, ...]
    template: str = "settings/sections"


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
        gettext_lazy("Brought by each user"),
        gettext_lazy(
            "Settings that nobody shares: each user types their own on a page of this site when a call needs "
            "them, and has a running copy of their own. What is required is asked for; a value of yours does not "
            "stand in for it."
        ),
        PersonalForm,
        PersonalForm.options_of,
        _personal,
        gettext_lazy("Saved. Each user is asked for theirs on a page of this site."),
    ),
    "accounts": Section(
        gettext_lazy("Accounts of each user"),
        gettext_lazy(
            "Settings that nobody types: each user connects an account of theirs, agrees to the scopes one by "
            "one, and the token goes into that user’s running copy alone, renewed by itself. Providers are set "
            "up by the operator, or by you for this server."
        ),
        AccountsForm,
        _initial(AccountsForm.initial_of),
        _accounts,
        gettext_lazy("Saved. Each user connects theirs on a page of this site."),
    ),
    "check": Section(
        gettext_lazy("Trying what a user brought"),
        gettext_lazy(
            "The page where users type their own tries it before it says that all is well. Choose a tool that "
            "answers with an error when a key is wrong; what it says then is shown to the user, quoted."
        ),
        CheckToolForm,
        CheckToolForm.options_of,
        _set(check_tool_set),
        gettext_lazy("Saved."),
    ),
    "files": Section(
        gettext_lazy("Given as files"),
        gettext_lazy(
            "Some servers read a key or certificate from a file. What is set for such a variable, here or by a user, "
            "is put into a file of the running copy alone, which goes with it; the variable has the file's path."
        ),
        sections.FilesForm,
        _initial(sections.FilesForm.initial_of),
        _files,
        _SAVED,
    ),
    "limits": Section(
        gettext_lazy("Limits"),
        gettext_lazy("Of one instance. What goes over them ends, and the log says why."),
        sections.LimitsForm,
        _initial(sections.LimitsForm.initial_of),
        _limits,
        gettext_lazy("Limits saved. New instances are started with it."),
    ),
    "network": Section(
        gettext_lazy("Network"),
        gettext_lazy(
            "Connections go out through a proxy that refuses private and internal addresses, and counts what "
            "goes where."
        ),
        sections.EgressForm,
        _initial(sections.EgressForm.initial_of),
        _egress,
        gettext_lazy("Network saved. New instances are started with it."),
    ),
    "isolation": Section(
        gettext_lazy("Isolation"),
        gettext_lazy("How callers share the running copies of this server."),
        sections.IsolationForm,
        _own("isolation"),
        _set(configuring.isolation_set),
        gettext_lazy("Isolation saved. New instances are started with it."),
    ),
    "data": Section(
        gettext_lazy("Data folder"),
        gettext_lazy(
            "Without it, everything a server writes is gone when it sleeps. With it, its home folder is kept: "
            "one for each session, user or for all, as isolation says. It counts against the store quota."
        ),
        sections.DataFolderForm,
        _own("has_data_folder"),
        _set(configuring.data_folder_set),
        _SAVED,
    ),
    "tasks": Section(
        gettext_lazy("Tasks"),
        gettext_lazy(
            "A task is a call that goes on by itself: for hours, over restarts, with questions in between. "
            "Clients that know tasks ask for one; for others a long call is handed over, and three more tools in "
            "the list fetch its result. What each tool may do is set with the tools."
        ),
        sections.TasksForm,
        _own("has_tasks", "hand_off_seconds", "asks_on_site"),
        _set(configuring.tasks_set),
        gettext_lazy("Tasks saved."),
    ),
    "approval": Section(
        gettext_lazy("Tool approval"),
        gettext_lazy(
            "What a tool says of itself is read by models as instructions. A server that changes it after you "
            "looked can make them do harm."
        ),
        sections.ApprovalForm,
        _own("tool_approval"),
        _approval,
        gettext_lazy("Saved."),
    ),
    "install": Section(
        gettext_lazy("Install code"),
        gettext_lazy(
            "Some packages run code of their own while they are installed. It comes from whoever published the "
            "package or anything that it depends on, and is the usual way in which bad packages do harm. It "
            "would run in a sandbox with network to the package indexes only; nothing of it runs unless you "
            "agree. Say yes only when a build failed for want of it and you trust the publishers."
        ),
        sections.InstallCodeForm,
        _own("runs_install_code"),
        _set(configuring.install_code_set),
        gettext_lazy("Saved. It counts from the next build on."),
    ),
    "tracing": Section(
        gettext_lazy("Tracing"),
        gettext_lazy(
            "Arguments and results of calls belong to the callers and are not shown to you. With tracing they "
            "appear in the log, and callers are told before they agree to use this server. Callers without an "
            "account can’t agree, so theirs never do."
        ),
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
        "settings/values",
    ),
    "users": Part(
        "settings_users",
        gettext_lazy("Users"),
        gettext_lazy("What each brings, accounts, trying it"),
        ("personal", "accounts", "check"),
    ),
    "providers": Part(
        "providers",
        gettext_lazy("Providers"),
        gettext_lazy("Where users have accounts"),
        ("providers", "provider"),
        "settings/providers",
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
    "delete": Part(
        "settings_delete",
        gettext_lazy("Delete"),
        gettext_lazy("All of it, for good"),
        ("delete",),
        "settings/delete",
    ),
}
