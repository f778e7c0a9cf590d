"""What a GitHub access token proves: its account, and the organizations that the account owns.

Members of an organization who don't own it may not publish in its name (the official registry's rule since 1.8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.translation import gettext

from common.outbound import Answer, Door, OutboundError
from registry.proofs.errors import ProofRefused, ProofUnavailable

PAGE = 100
MAX_PAGES = 10
MAX_TOKEN_CHARACTERS = 1024
_NAME = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Account(msgspec.Struct, frozen=True):
    """A person or an organization; `login` as GitHub writes it, `id` for good."""

    login: str
    id: int


class _Membership(msgspec.Struct):
    role: str
    state: str
    organization: Account


@dataclass(frozen=True)
class Proven:
    user: Account
    owned: tuple[Account, ...]  # organizations

    @property
    def accounts(self) -> tuple[Account, ...]:
        return (self.user, *self.owned)


def ask(token: str, *, api: str, door: Door) -> Proven:
    """Blocks. `api` is the address of GitHub's REST API. Raises ProofRefused."""
    if len(token) > MAX_TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        raise ProofRefused(gettext("This is no GitHub token."))
    answer = _get(f"{api}/user", token, door)
    if answer.status == 401:
        raise ProofRefused(gettext("GitHub does not accept the token. Log in again."))
    if answer.status != 200:
        raise ProofUnavailable(
            gettext("GitHub answered with status %(status)s when it was asked whose the token is.")
            % {"status": answer.status}
        )
    user = _named(_read(answer, Account))
    return Proven(user, tuple(_owned(token, api, door)))


def _owned(token: str, api: str, door: Door) -> Iterator[Account]:
    for page in range(1, MAX_PAGES + 1):
        answer = _get(f"{api}/user/memberships/orgs?state=active&per_page={PAGE}&page={page}", token, door)
        if answer.status in (403, 404):
            return  # the token lacks read:org: it still proves its own account
        if answer.status != 200:
            raise ProofUnavailable(
                gettext("GitHub answered with status %(status)s when it was asked for organizations.")
                % {"status": answer.status}
            )
        memberships = _read(answer, list[_Membership])
        yield from (_named(each.organization) for each in memberships if is_owner(each.role, each.state))
        if len(memberships) < PAGE:
            return


def is_owner(role: str, state: str) -> bool:
    return role == "admin" and state == "active"  # an invitation is "pending"


def is_name(login: str) -> bool:
    """Whether a login can stand in a namespace."""
    return _NAME.fullmatch(login) is not None


def _named(account: Account) -> Account:
    if not is_name(account.login):
        raise ProofRefused(gettext("GitHub gave a name that can't stand in a namespace."))
    return account


def _get(url: str, token: str, door: Door) -> Answer:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        return door.fetch_blocking(url, headers=headers, redirects=0)
    except OutboundError as error:
        raise ProofUnavailable(
            gettext("GitHub could not be asked. %(message)s") % {"message": error.message}
        ) from error


def _read(answer: Answer, kind: Any) -> Any:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise ProofUnavailable(gettext("GitHub's answer could not be read.")) from error
