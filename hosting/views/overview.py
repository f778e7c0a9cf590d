"""Of one deployment: what it is, how it is, how to connect to it, and its buttons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts.reauthentication import confirm_url
from hosting import selectors, services
from hosting.access.permissions import may_call
from hosting.forms.access import TokenForm
from hosting.plots.activity import panel_of
from hosting.usage.activity import activity_of
from hosting.views.access import token_issue
from hosting.views.page import Page, page_view, user_of


@page_view(managed=False)
def deployment(page: Page) -> HttpResponse:
    """Output, figures and members are the owner's; who may only call it sees what it is and how to connect.

    A POST makes a token of the visitor's own, which stands in the steps of the answer and is shown there only.
    """
    found = page.deployment
    is_sent = page.request.method == "POST"
    if is_sent and (confirm := confirm_url(page.request, "connect")):
        return redirect(confirm)
    form = TokenForm(page.request.POST if is_sent else None, auto_id="token_%s")
    issued = token_issue(page, form) if is_sent and form.is_valid() else ""
    period = page.request.GET.get("period", "")
    return page.show(
        "overview",
        "overview",
        status=400 if is_sent and not issued else 200,
        token_form=form,
        issued=issued,
        confirm_url=confirm_url(page.request, "connect"),
        can_call=may_call(page.actor, found),
        to_try=selectors.tool_to_try(found),
        instances=list(selectors.instances_of(found)),
        token_command=f"./manage.py issue_token --user {user_of(page.request).username} --deployment {found.label}",
        activity=panel_of(activity_of(found, period)) if page.can_manage else None,
    )


@page_view(managed=True, methods=("POST",))
def start(page: Page) -> HttpResponse:
    page.attempt(services.deployment_start)
    return page.back("deployment")


@page_view(managed=True, methods=("POST",))
def stop(page: Page) -> HttpResponse:
    page.attempt(services.deployment_stop)
    return page.back("deployment")


@page_view(managed=True, methods=("POST",))
def restart(page: Page) -> HttpResponse:
    page.attempt(services.deployment_restart)
    return page.back("deployment")


@page_view(managed=True, methods=("POST",))
def delete(page: Page) -> HttpResponse:
    """The form repeats the server's name, so that no stray click deletes one."""
    found = page.deployment
    if page.request.POST.get("confirm", "").strip() != found.name:
        messages.error(
            page.request, gettext("Write %(name)s to delete this server. Nothing was deleted.") % {"name": found.name}
        )
        return page.back("settings_delete")
    services.deployment_delete(actor=page.actor, deployment=found)
    messages.success(page.request, gettext("%(label)s was deleted.") % {"label": found.label})
    return redirect("hosting:my_servers")
