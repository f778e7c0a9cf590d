"""HTTP requests to one remote server, and its answers and errors in words. No redirects, no cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpcore

from hosting.runner.remote.door import CONNECT_SECONDS, Door
from hosting.runner.remote.trouble import AddressRefusedError, Cause, TroubleError, broken, unreachable
from hosting.runner.seen import SignInAsked
from oauth.outbound.challenges import MAX_FIELD, challenge_of

JSON: Final = "application/json"
STREAM: Final = "text/event-stream"
SIGN_IN_WORDS: Final = "asks for sign-in: its owner has to connect an account"
OWN_WORDS: Final = "refuses the account or key that it was called with for you"
ERROR_BYTES: Final = 64 * 1024  # of a body that only explains an error
_OURS: Final = {"user-agent": "slipway/0.1", "accept-encoding": "identity"}
_BLANKS = re.compile(r"\s+")
_MARKUP = re.compile(r"<")

Fields = Mapping[str, str | bytes]


class Answer:
    """The head of a response, and its body as it comes."""

    def __init__(
        self, host: str, response: httpcore.Response, seconds: float | None, serial: int, credentials_page: str
    ) -> None:
        """`serial` is that of the token that was sent; `credentials_page` as of a placement.Remote."""
        self._host = host
        self._serial = serial
        self._credentials_page = credentials_page
        self._response = response
        self._seconds = seconds
        self._chunks: AsyncIterator[bytes] = response.aiter_stream()
        self.status = response.status
        self.fields = {name.lower().decode("ascii"): value for name, value in response.headers}
        self.kind = self.text("content-type").partition(";")[0].strip().lower()

    def text(self, name: str) -> str:
        return self.fields.get(name, b"").decode("latin-1").strip()

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_stream(self) -> bool:
        return self.status == HTTPStatus.OK and self.kind == STREAM

    async def chunk(self) -> bytes:
        """The next part of the body, b"" at its end. Raises TroubleError where it breaks off."""
        try:
            return await anext(self._chunks, b"")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise broken(self._host, error, self._seconds) from error

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises TroubleError."""
        parts: list[bytes] = []
        size = 0
        while part := await self.chunk():
            parts.append(part)
            size += len(part)
            if size > limit:
                raise too_large(self._host, limit)
        return b"".join(parts)

    def trouble(self, body: bytes) -> TroubleError:
        """Why a response of this status is no answer."""
        if self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return self._sign_in()
        if 300 <= self.status < 400:
            target = self._target()
            words = f"{self._host} answered with a redirect{target}, which is not followed: host that address instead"
            return TroubleError(Cause.STATUS, words, self.status)
        if self.is_success:
            kind = self.kind or "nothing"
            words = f"{self._host} answered with {kind}, which is no MCP message: is the address right?"
            return TroubleError(Cause.CONTENT, words, self.status)
        words = f"{self._host} answered {self.status}{_phrase(self.status)}"
        if pause := self.text("retry-after"):
            words += f" (to be tried again after {pause[:40]})"
        if said := _first_words(self.kind, body):
            words += f": {said}"
        return TroubleError(Cause.STATUS, words, self.status)

    def _sign_in(self) -> TroubleError:
        field = self.text("www-authenticate")[:MAX_FIELD]
        page = self._credentials_page
        words = f"{self._host} {SIGN_IN_WORDS} (it answered {self.status})"
        if page:
            words = f"{self._host} {OWN_WORDS} (it answered {self.status}): connect or replace it at {page}"
        challenge = challenge_of(field)
        if self.status == HTTPStatus.FORBIDDEN and challenge is not None and challenge.wants_more:
            scopes = "".join(c if c.isprintable() else "?" for c in " ".join(challenge.scopes or ()))[:200]
            named = f" ({scopes})" if scopes else ""
            words = f"{self._host} wants more than its account may{named}: its owner has to sign in there again"
            if page:
                words = f"{self._host} wants more than your account may{named}: see what it asks for at {page}"
        asked = SignInAsked(self.status, field, self._serial)
        return TroubleError(Cause.SIGN_IN, words, self.status, sign_in=asked)

    def _target(self) -> str:
        """Where a redirect leads, without a query, which may have secrets."""
        target = urlsplit(self.text("location"))
        shown = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path
        return f" to {shown[:200]}" if shown and shown.isprintable() else ""


class Http:
    """The requests of one instance to one origin."""

    def __init__(
        self, url: str, headers: Mapping[str, str], door: Door, *, connections: int, credentials_page: str = ""
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host = parts.netloc.rpartition("@")[2]
        self._headers = {name.lower(): value.encode("utf-8") for name, value in headers.items()}
        self._pool = door.pool(connections, is_secure=parts.scheme == "https")
        self._serial = 0
        self._credentials_page = credentials_page

    def use_bearer(self, bearer: str, serial: int) -> None:
        """In the place of whatever Authorization there was; "" leaves the headers as they are."""
        if bearer:
            self._headers["authorization"] = f"Bearer {bearer}".encode("ascii")
            self._serial = serial

    @asynccontextmanager
    async def ask(
        self, method: str, fields: Fields, body: bytes | None = None, *, url: str = "", seconds: float | None = None
    ) -> AsyncIterator[Answer]:
        """One request. `seconds`: for the head, and between the parts of the body. Raises TroubleError."""
        sent: list[tuple[str, str | bytes]] = [*self._headers.items(), *_OURS.items(), *fields.items()]
        headers = [(name.encode("ascii"), _bytes(value)) for name, value in sent]
        serial = self._serial
        times = {"connect": CONNECT_SECONDS, "write": seconds or 60.0, "read": seconds, "pool": seconds}
        manager = self._pool.stream(
            method, url or self.url, headers=headers, content=body, extensions={"timeout": times}
        )
        try:
            response = await manager.__aenter__()
        except (httpcore.ConnectError, httpcore.ConnectTimeout, AddressRefusedError, OSError) as error:
            raise unreachable(self.host, error) from error
        except httpcore.PoolTimeout as error:
            words = f"{self.host} has more requests of this server open than may be at once"
            raise TroubleError(Cause.UNREACHABLE, words) from error
        except httpcore.LocalProtocolError as error:
            raise TroubleError(Cause.UNREACHABLE, f"{self.host} could not be asked: {error}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise broken(self.host, error, seconds) from error
        try:
            yield Answer(self.host, response, seconds, serial, self._credentials_page)
        finally:
            await manager.__aexit__(None, None, None)

    async def close(self) -> None:
        await self._pool.aclose()


def too_large(host: str, limit: int) -> TroubleError:
    return TroubleError(Cause.CONTENT, f"{host} sent a message larger than the limit of {limit // 2**20} MB")


def _bytes(value: str | bytes) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else value


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _first_words(kind: str, body: bytes) -> str:
    """The beginning of what a plain error says; markup says nothing in its first words."""
    if kind not in (JSON, "text/plain") or not body:
        return ""
    text = _BLANKS.sub(" ", body[:600].decode("utf-8", "replace")).strip()
    if not text or _MARKUP.match(text):
        return ""
    return "".join(c if c.isprintable() else "?" for c in text[:200])
