"""What a task asks, as pages show it. Pure: questions come from hosted servers, so nothing of them is believed.

One kind a module of `hosting/questions` and a template of `tasks/questions`; the first that a question is of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.utils.translation import gettext, gettext_lazy

from common.addresses import HostInvalid
from hosting.questions.approvals import Approval, approval_of
from hosting.questions.judging import ELICITATION
from hosting.questions.pages import Page, is_foreign, page_of, refusal_of_page
from hosting.reasons import in_words, part_in_words
from hosting.runner.placement import Pages
from hosting.runner.upstream.messages import GUESSED

_OTHERS = {
    gettext_lazy("sampling/createMessage"): gettext_lazy("The server asks for a model's answer."),
    "roots/list": gettext_lazy("The server asks which folders it may work in."),
}
OPEN: Final = Pages()


@dataclass(frozen=True)
class Question:
    """`kind`: form (of `schema`), url (a page to visit), approval, or client (only the client can answer).

    `page` is None where what the server gave must not be opened: `refused` says why, and `address` is what it gave.
    `is_guess`: several of the server's calls ran, and it could not say which of them asks.
    """

    key: str
    kind: str
    message: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    page: Page | None = None
    is_foreign: bool = True
    address: str = ""
    refused: str = ""
    approval: Approval | None = None
    asked: Any = None
    is_guess: bool = False

    @property
    def template(self) -> str:
        return f"tasks/questions/{self.kind}.html"


def question_of(key: str, asked: object, pages: Pages = OPEN) -> Question:
    """`asked` is {"method", "params"} as the runner noted it; `pages` are the rules that hold now."""
    members = asked if isinstance(asked, dict) else {}
    method, params = str(members.get("method", "")), members.get("params")
    params = params if isinstance(params, dict) else {}
    if method == ELICITATION:
        found = next(shown for kind in _KINDS if (shown := kind(key, params, pages)) is not None)
    else:
        message = str(_OTHERS.get(method) or gettext("The server asks for %(method)s.") % {"method": method[:100]})
        found = Question(key, "client", message, asked={k: v for k, v in params.items() if k != "_meta"})
    meta = params.get("_meta")
    return replace(found, is_guess=isinstance(meta, dict) and GUESSED in meta)


def questions_of(questions: Mapping[str, Any], pages: Pages = OPEN) -> list[Question]:
    return [question_of(key, asked, pages) for key, asked in questions.items()]


def _url(key: str, params: Mapping[str, Any], pages: Pages) -> Question | None:
    if params.get("mode") != "url":
        return None
    address = str(params.get("url", ""))
    found = Question(key, "url", _message(params), address=address)
    try:
        page = page_of(address)
    except HostInvalid as error:
        return replace(
            found,
            refused=gettext("The server gave an address that is not opened: %(error)s.")
            % {"error": part_in_words(str(error))},
        )
    if refused := refusal_of_page(address, pages):
        return replace(found, refused=in_words(refused))
    return replace(found, page=page, is_foreign=is_foreign(page, pages))


def _approval(key: str, params: Mapping[str, Any], pages: Pages) -> Question | None:
    approval = approval_of(params)
    return Question(key, "approval", _message(params), approval=approval) if approval is not None else None


def _form(key: str, params: Mapping[str, Any], pages: Pages) -> Question | None:
    schema = params.get("requestedSchema")
    return Question(key, "form", _message(params), schema if isinstance(schema, dict) else {})


def _message(params: Mapping[str, Any]) -> str:
    return str(params.get("message", ""))


_KINDS: tuple[Callable[[str, Mapping[str, Any], Pages], Question | None], ...] = (_url, _approval, _form)
