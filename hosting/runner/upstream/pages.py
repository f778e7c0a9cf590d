"""Pages that a hosted server sends its user to, where a call's client can't open them: told in words, with a link.

A mode of elicitation that a client did not declare never reaches it (client/elicitation, "Capabilities", of 2025-11-25
and 2026-07-28); what a person reads in a result or an error can be followed all the same. What is told here has been
judged before (`hosting/questions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hosting.questions.judging import ELICITATION, pages_required
from hosting.runner.exchange import Exchange
from hosting.runner.upstream import messages as m
from hosting.runner.upstream.base import Peer, is_modern
from hosting.runner.upstream.capabilities import MISSING_CAPABILITY, lacking
from hosting.runner.upstream.on_site import CALL
from hosting.runner.upstream.translation import modern_error

URL_SINCE: Final = "2025-11-25"  # the first revision with a URL mode, and the only one with the error -32042
ONLY_URL: Final[dict[str, Any]] = {"elicitation": {"url": {}}}
MAX_QUOTED: Final = 500  # characters of a server's own words before a link
_MAY_ASK: Final = frozenset({CALL, "prompts/get", "resources/read"})
_LACKING: Final = "The hosted server needs a capability that the client does not declare"


class _Question(msgspec.Struct):
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")


@dataclass(frozen=True)
class Wanted:
    """A page that people are sent to. `message` says why, in the server's words."""

    url: str
    message: str = ""

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Wanted | None:
        """Of an elicitation's params; None where it sends nobody anywhere."""
        url, message = params.get("url"), params.get("message")
        return cls(url, message if isinstance(message, str) else "") if isinstance(url, str) and url else None


def opens_pages(revision: str, capabilities: bytes) -> bool:
    """Whether a client can be asked in URL mode."""
    return revision >= URL_SINCE and not lacking(ELICITATION, b'{"mode":"url"}', capabilities)


def words_of(wanted: Iterable[Wanted]) -> str:
    """For a person, or a model that talks to one."""
    found = []
    for page in wanted:
        said = f" It says: “{page.message[:MAX_QUOTED]}”" if page.message else ""
        found.append(
            f"The server sends its user to a page, which this client can't open by itself.{said} "
            f"Ask the user to open {page.url} in a browser, and call again afterwards."
        )
    return "\n".join(found)


def wanted_by(method: str, params: bytes) -> Wanted | None:
    """What a request sends people to."""
    if method != ELICITATION:
        return None
    try:
        return Wanted.of(msgspec.json.decode(params or b"{}", type=dict[str, Any]))
    except (msgspec.DecodeError, RecursionError):
        return None


def refuse_missing(
    peer: Peer, exchange: Exchange, missing: dict[str, Any], requests: Mapping[str, msgspec.Raw]
) -> None:
    """Ends a call whose server asks by `requests`, {"method", "params"} each, for what its client does not offer."""
    questions = [msgspec.json.decode(raw, type=_Question) for raw in requests.values()]
    wanted = [wanted_by(each.method, bytes(each.params)) for each in questions if each.method == ELICITATION]
    pages = [page for page in wanted if page is not None]
    if missing == ONLY_URL and pages and len(pages) == len(wanted):  # to visit them is all that is left to do
        _tell(exchange, pages)
    else:
        exchange.refuse(_LACKING, code=MISSING_CAPABILITY, data={"requiredCapabilities": missing})
    peer.settled(exchange)


def fail(exchange: Exchange, error: bytes, capabilities: bytes) -> None:
    """Ends a call with its server's error, in which "URL elicitation required" is for those only who can take it.

    `capabilities` are the client's own. What can't be asked of a modern one any more, since it has a task, is told.
    """
    opened = exchange.open
    modern, required = is_modern(opened.revision), pages_required(error)
    if required is None:
        exchange.fail(modern_error(error) if modern else error)
        return
    wanted = [page for page in map(Wanted.of, required) if page is not None]
    can_open = opens_pages(opened.revision, capabilities)
    if can_open and not modern:
        exchange.fail(error)
    elif can_open and wanted and opened.native_input and not exchange.task and opened.method in _MAY_ASK:
        exchange.succeed(_questions(required))
    elif wanted:
        _tell(exchange, wanted)
    else:
        _refuse(exchange, m.decode_error(error).message)


def _questions(required: Iterable[Mapping[str, Any]]) -> bytes:
    """The InputRequiredResult that says what "URL elicitation required" says."""
    requests = {}
    for number, params in enumerate(required, 1):
        kept = {name: value for name, value in params.items() if name != "elicitationId"}
        requests[f"url{number}"] = {"method": ELICITATION, "params": {**kept, "mode": "url"}}
    return m.encode({"resultType": "input_required", "inputRequests": requests})


def _tell(exchange: Exchange, wanted: Iterable[Wanted]) -> None:
    """A tool's words reach its user by the model; an error's message where the client shows errors."""
    words, opened = words_of(wanted), exchange.open
    if opened.method != CALL:
        _refuse(exchange, words)
        return
    body: dict[str, Any] = {"content": [{"type": "text", "text": words}], "isError": True}
    exchange.succeed(m.encode({"resultType": "complete", **body} if is_modern(opened.revision) else body))


def _refuse(exchange: Exchange, words: str) -> None:
    if is_modern(exchange.open.revision):
        exchange.refuse(words, code=MISSING_CAPABILITY, data={"requiredCapabilities": ONLY_URL})
    else:
        exchange.refuse(words, code=m.INVALID_REQUEST)
