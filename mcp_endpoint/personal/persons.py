"""What the endpoint asks of the site about a user's own credentials. Types only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from hosting.runner.control import PlacePersonal

CONNECT: Final = "slipway_connect"  # stands in the list of a server whose tools nobody has seen yet


class Brought(msgspec.Struct, frozen=True):
    """`missing` are names of settings that the user has to bring; `mark` says which values there are, "" none."""

    missing: tuple[str, ...] = ()
    mark: str = ""


class Asking(msgspec.Struct, frozen=True):
    """`by_url`: the client declared that it opens pages. `runner` is where its session is told when one is done, ""
    for a client that may not be told."""

    by_url: bool
    session: str = ""
    runner: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A page that waits for its user. Nothing is in the URL but an id. `is_known`: the same was asked before."""

    id: str
    url: str
    message: str
    is_known: bool = False


class Page(msgspec.Struct, frozen=True):
    """How one stands: `is_open`, or ended; `refusal` says in words that its user brought nothing, "" otherwise."""

    is_open: bool = False
    refusal: str = ""


class Greeting(msgspec.Struct, frozen=True):
    """What is known of a version without starting it: its tools as a raw array, None where nobody has seen them."""

    tools: bytes | None = None
    server_info: dict[str, Any] = {}


class Persons(Protocol):
    """Blocking, called in threads. `sub` is "" for a caller without an account, who lacks whatever is needed.

    Raises common.errors.Unavailable when the database does not answer, and NotFound.
    """

    def brought(self, deployment_id: str, sub: str) -> Brought: ...
    def placement(self, deployment_id: str, sub: str) -> PlacePersonal: ...
    def ask(self, deployment_id: str, sub: str, client_id: str, asking: Asking) -> Asked: ...
    def page(self, asked_id: str, sub: str) -> Page: ...
    def decline(self, asked_id: str, sub: str) -> None: ...
    def greeting(self, version_id: str) -> Greeting: ...
