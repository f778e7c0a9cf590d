"""Who may call a deployment, and the tokens that open it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from accounts.selectors import user_get
from common import clock
from common.errors import AppError, NotFound
from common.http import add_error
from hosting import selectors, services
from hosting.forms.access import AccessForm, MemberForm, TokenForm
from hosting.permissions import unknown
from hosting.views.page import Page, page_view, user_of
from oauth import scopes
from oauth.selectors import endpoint_tokens_of
from oauth.services import endpoint_token_issue, endpoint_token_revoke

SHOWN_TOKENS = 50
_OF_MANAGERS = frozenset({"visibility", "add_member", "remove_member"})


@page_view(managed=False)
def access_page(page: Page) -> HttpResponse:
    """Members come here for tokens of their own; who manages it also says who may call it."""
    post = page.request.POST if page.request.method == "POST" else None
    action = post.get("action", "") if post is not None else ""
    if action in _OF_MANAGERS and not page.can_manage:
        raise unknown()
    visibility = AccessForm(post if action == "visibility" else None, initial={"access": page.deployment.access})
    member = MemberForm(post if action == "add_member" else None)
    token = TokenForm(post if action == "issue_token" else None, auto_id="token_%s")
    if action == "visibility" and visibility.is_valid():
        page.attempt(services.deployment_access_set, "Saved.", access=visibility.cleaned_data["access"])
        return page.back("access")
    if action == "add_member" and member.is_valid() and _add_member(page, member):
        return page.back("access", "members")
    if action == "remove_member":
        _remove_member(page)
        return page.back("access", "members")
    if action == "revoke_token":
        _revoke_token(page)
        return page.back("access", "tokens")
    issued = _issue_token(page, token) if action == "issue_token" and token.is_valid() else ""
    is_refused = post is not None and not issued
    return _show(
        page, visibility, member, TokenForm(auto_id="token_%s") if issued else token, issued, 400 if is_refused else 200
    )


def _show(
    page: Page, visibility: AccessForm, member: MemberForm, token: TokenForm, issued: str, status: int
) -> HttpResponse:
    tokens = endpoint_tokens_of(page.deployment.pk).filter(revoked_at=None, expires_at__gt=clock.now())
    if not page.can_manage:
        tokens = tokens.filter(user=user_of(page.request))
    return page.show(
        "access",
        "access",
        status=status,
        visibility_form=visibility,
        member_form=member,
        token_form=token,
        issued=issued,
        members=selectors.members_of(page.deployment) if page.can_manage else [],
        tokens=list(tokens[:SHOWN_TOKENS]),
        token_command=f"./manage.py issue_token --user {user_of(page.request).username} "
        f"--deployment {page.deployment.label}",
    )


def _add_member(page: Page, form: MemberForm) -> bool:
    try:
        user = user_get(form.cleaned_data["member"])
        services.member_add(actor=page.actor, deployment=page.deployment, user=user)
    except NotFound as error:  # of the account: the deployment is there
        form.add_error("member", error.message)
        return False
    return True


def _remove_member(page: Page) -> None:
    name = page.request.POST.get("member", "")
    for member in selectors.members_of(page.deployment):
        if member.role == "member" and member.user.username == name:
            page.attempt(services.member_remove, f"{name} is no member any more.", user=member.user)


def _issue_token(page: Page, form: TokenForm) -> str:
    """For the person who asks, never for somebody else. Whoever sees the page may call, or the endpoint refuses."""
    try:
        _, value = endpoint_token_issue(
            actor=page.actor,
            user=user_of(page.request),
            deployment_id=page.deployment.pk,
            resource=page.route.resource,
            scopes=scopes.DEFAULT,
            ttl_seconds=form.cleaned_data["ttl"],
            note=form.cleaned_data["note"],
        )
    except AppError as error:
        add_error(form, error)
        return ""
    return value


def _revoke_token(page: Page) -> None:
    """One's own; who manages the deployment, any of its tokens."""
    try:
        token_id = UUID(page.request.POST.get("token", ""))
    except ValueError:
        return
    tokens = endpoint_tokens_of(page.deployment.pk).filter(pk=token_id)
    if not page.can_manage:
        tokens = tokens.filter(user=user_of(page.request))
    if tokens.exists():
        endpoint_token_revoke(actor=page.actor, token_id=token_id)
