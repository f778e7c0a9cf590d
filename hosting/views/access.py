"""Who may call a deployment, and the tokens that open it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from accounts.reauthentication import confirm_url
from accounts.selectors import user_get
from common.errors import AppError, NotFound
from common.http import add_error
from hosting import selectors
from hosting.access import endpoint_tokens, grants
from hosting.access.anonymous import anonymous_set
from hosting.access.members import deployment_access_set, member_add, member_remove
from hosting.access.permissions import unknown
from hosting.forms.access import AccessForm, AnonymousForm, MemberForm, TokenForm
from hosting.playground.tokens import NOTE
from hosting.views.page import Page, page_view, user_of
from oauth import scopes

SHOWN_TOKENS = 50
_OF_MANAGERS = frozenset({"visibility", "anonymous", "members", "remove_member"})


@page_view(managed=False)
def access_page(page: Page) -> HttpResponse:
    """Members come here for tokens of their own; who manages it also says who may call it."""
    post = page.request.POST if page.request.method == "POST" else None
    action = post.get("action", "") if post is not None else ""
    if action in _OF_MANAGERS and not page.can_manage:
        raise unknown()
    if action == "token" and (confirm := confirm_url(page.request, "tokens")):
        return redirect(confirm)
    forms = _forms(page, action)
    form = forms.get(f"{action}_form")
    if form is not None and form.is_valid():
        if action == "token":
            issued = token_issue(page, form)
            return _show(page, 200 if issued else 400, issued, _forms(page, "") if issued else forms)
        if _FORMS_DO[action](page, form):
            return page.back("access", action)
    if (do := _BUTTONS_DO.get(action)) is not None:
        do(page)
        return page.back("access", action.partition("_")[2] + "s")
    return _show(page, 400 if post is not None else 200, "", forms)


def _forms(page: Page, action: str) -> dict[str, Form]:
    """By their names in the template; the one that was sent has what was sent."""

    def data(name: str) -> Any:
        return page.request.POST if name == action else None

    now = page.deployment
    anonymous = {"is_on": now.is_anonymous, "shares_credentials": now.shares_credentials}
    return {
        "visibility_form": AccessForm(data("visibility"), initial={"access": now.access}),
        "anonymous_form": AnonymousForm(data("anonymous"), initial=anonymous, auto_id="anonymous_%s"),
        "members_form": MemberForm(data("members")),
        "token_form": TokenForm(data("token"), auto_id="token_%s"),
    }


def _show(page: Page, status: int, issued: str, shown: Mapping[str, Form]) -> HttpResponse:
    tokens = endpoint_tokens.deployment_tokens_of(page.actor, page.deployment)
    return page.show(
        "access",
        "access",
        status=status,
        **shown,
        issued=issued,
        confirm_url=confirm_url(page.request, "tokens"),
        may_allow_anonymous=page.can_manage and grants.may(page.actor, grants.ANONYMOUS),
        members=selectors.members_of(page.deployment) if page.can_manage else [],
        tokens=list(tokens[:SHOWN_TOKENS]),
        playground_note=NOTE,
        token_command=f"./manage.py issue_token --user {user_of(page.request).username} "
        f"--deployment {page.deployment.label}",
    )


def _set_access(page: Page, form: Form) -> bool:
    return page.attempt(deployment_access_set, gettext("Saved."), access=form.cleaned_data["access"])


def _set_anonymous(page: Page, form: Form) -> bool:
    given = form.cleaned_data
    try:
        anonymous_set(actor=page.actor, deployment=page.deployment, **given)
    except AppError as error:
        form.add_error("shares_credentials" if error.code == "credentials_unconfirmed" else "is_on", error.message)
        return False
    return True


def _add_member(page: Page, form: Form) -> bool:
    try:
        user = user_get(form.cleaned_data["member"])
        member_add(actor=page.actor, deployment=page.deployment, user=user)
    except NotFound as error:  # of the account: the deployment is there
        form.add_error("member", error.message)
        return False
    return True


def _remove_member(page: Page) -> None:
    name = page.request.POST.get("member", "")
    for member in selectors.members_of(page.deployment):
        if member.role == "member" and member.user.username == name:
            page.attempt(member_remove, gettext("%(name)s is no member any more.") % {"name": name}, user=member.user)


def token_issue(page: Page, form: Form) -> str:
    """For the person who asks, never for somebody else. Whoever sees the page may call, or the endpoint refuses."""
    try:
        _, value = endpoint_tokens.deployment_token_issue(
            actor=page.actor,
            user=user_of(page.request),
            deployment=page.deployment,
            scopes=scopes.DEFAULT,
            ttl_seconds=form.cleaned_data["ttl"],
            note=form.cleaned_data["note"],
        )
    except AppError as error:
        add_error(form, error)
        return ""
    return value


def _revoke_token(page: Page) -> None:
    try:
        token_id = UUID(page.request.POST.get("token", ""))
        endpoint_tokens.deployment_token_revoke(actor=page.actor, deployment=page.deployment, token_id=token_id)
    except (ValueError, NotFound):  # gone, or somebody else's: the page shows what there is
        return


_FORMS_DO = {"visibility": _set_access, "anonymous": _set_anonymous, "members": _add_member}
_BUTTONS_DO = {"remove_member": _remove_member, "revoke_token": _revoke_token}
