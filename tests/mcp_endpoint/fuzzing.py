"""Malformed requests as bytes, made from a seed: JSON that is broken, odd or huge, and HTTP that is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.mcp_endpoint.conftest import LEGACY, MODERN, PATH, initialize, modern, request, tool

MEGABYTE: Final = 1024 * 1024
ODD: Final[list[Any]] = [
    None, True, -1, 0, 1.5, 10**30, -(10**30), "", "\x00", "\ud800", [], {}, [[]], {"": {}}, "x" * 5000, [None],
]  # fmt: skip
IDS: Final[list[Any]] = [
    None, 1.5, True, [], {}, "x" * 600, "\u0000", 10**40, "\ud83d\ude00", "", -0.0, float("inf"),
]  # fmt: skip
NUMBERS: Final = [b"1e999", b"-0", b"1E-999", b"01", b"0x1", b"NaN", b"-Infinity", b"9" * 5000, b"1.", b".5"]
BAD_TEXT: Final = [
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\\ud800", b"\x00",
]  # fmt: skip
BAD_SIZES: Final = [b"\r\nzz\r\n", b"\r\n-1\r\n", b"\r\nffffffffffffffffff\r\n"]
NESTS: Final = [b'{"jsonrpc":"2.0","id":1,"method":"ping","params":%b}', b'{"jsonrpc":"2.0","id":%b}', b"%b"]
NAMES: Final = [
    "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id", "content-type", "accept",
    "origin", "host", "traceparent", "content-length", "mcp-param-x", "authorization",
]  # fmt: skip
VALUES: Final = [
    "", " ", "x", "\xff\xfe", "=?base64?!!?=", "0", "-1", "99999999999999999999", "a" * 9000, "*/*", "null", MODERN,
    LEGACY, "../..", "text/event-stream;q=0", "r.:1", "rMQ.:99999999999", "c:0",
]  # fmt: skip
METHODS: Final = ["GET", "PUT", "OPTIONS", "HEAD", "PATCH", "TRACE", "PROPFIND"]
PATHS: Final = [PATH, PATH + "/", PATH + "?x=%00", "/mcp/%ff/%00", "/mcp/" + "a" * 3000 + "/b", "/mcp//x"]
EVENT_IDS: Final = [
    "x", "r:1", "rMQ.:1", "rMQ.IiI:5", "rIg.:0", "c:-1", "c:start", "c:99999999", "r" + "A" * 3000 + ".:1",
]  # fmt: skip


@dataclass
class Sent:
    """One request as bytes, in the pieces it is sent in. `is_cut`: the client closes before it is complete."""

    what: str
    pieces: list[bytes]
    is_cut: bool = False


class Fuzzer:
    """An endless source of requests. `token` and `session` are good ones, so that what is wrong is looked at."""

    def __init__(self, seed: int, token: str, session: str) -> None:
        self._random = random.Random(seed)
        self._token = token
        self._session = session
        self._kinds: list[Callable[[], Sent]] = [
            self.bytes_changed, self.truncated, self.types, self.text, self.deep, self.large, self.header_values,
            self.split, self.cut_off, self.rubbish, self.ids, self.methods, self.batches, self.numbers, self.beginnings,
        ]  # fmt: skip

    def __iter__(self) -> Iterator[Sent]:
        while True:
            yield self._random.choice(self._kinds)()

    # --- parts

    def message(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A good message, of either era, with its headers."""
        kinds = [
            tool("echo", id=self._random.randrange(10**6), text="x"), request("tools/list", {}), request("ping"),
            request("prompts/get", {"name": "x"}), request("resources/read", {"uri": "test://x"}),
            request("completion/complete", {"ref": {}, "argument": {}}), request("logging/setLevel", {"level": "info"}),
        ]  # fmt: skip
        message = self._random.choice(kinds)
        if self._random.random() < 0.5:
            return modern(message)
        return message, {"mcp-protocol-version": LEGACY, "mcp-session-id": self._session}

    def http(self, body: bytes, headers: dict[str, str], *, method: str = "POST", path: str = PATH) -> bytes:
        fields = {
            "host": "slipway.test", "authorization": f"Bearer {self._token}", "content-type": "application/json",
            "accept": "application/json, text/event-stream", "content-length": str(len(body)), "connection": "close",
            **headers,
        }  # fmt: skip
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body

    def one(self, what: str, body: bytes, headers: dict[str, str]) -> Sent:
        return Sent(what, [self.http(body, headers)])

    def mutated(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self._random.random() < 0.8:
            key = self._random.choice(list(value))
            changed = dict(value)
            if self._random.random() < 0.25:
                del changed[key]
            else:
                changed[key] = self.mutated(value[key])
            return changed
        return self._random.choice(ODD)

    # --- kinds

    def bytes_changed(self) -> Sent:
        message, headers = self.message()
        body = bytearray(json.dumps(message).encode())
        for _ in range(self._random.randint(1, 8)):
            body[self._random.randrange(len(body))] = self._random.randrange(256)
        return self.one("bytes", bytes(body), headers)

    def truncated(self) -> Sent:
        message, headers = self.message()
        body = json.dumps(message).encode()
        return self.one("truncated", body[: self._random.randrange(len(body))], headers)

    def types(self) -> Sent:
        message, headers = self.message()
        for _ in range(self._random.randint(1, 3)):
            message = self.mutated(message)
        return self.one("types", json.dumps(message).encode(), headers)

    def text(self) -> Sent:
        message, headers = self.message()
        return self.one("text", json.dumps(message).encode().replace(b"e", self._random.choice(BAD_TEXT), 1), headers)

    def deep(self) -> Sent:
        depth = self._random.choice([100, 900, 1100, 20_000, 100_000])
        opening, closing = self._random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        _, headers = self.message()
        nested = opening * depth + b"1" + closing * depth
        return self.one("deep", self._random.choice(NESTS) % nested, headers)

    def large(self) -> Sent:
        size = self._random.choice([100_000, MEGABYTE])
        message, headers = self.message()
        where = self._random.choice(["id", "method", "params", "unknown"])
        return self.one("large", json.dumps({**message, where: "x" * size}).encode(), headers)

    def header_values(self) -> Sent:
        """Header values changed, doubled or multiplied. A wrong length makes the server wait, so the client goes."""
        message, headers = self.message()
        name, value = self._random.choice(NAMES), self._random.choice(VALUES)
        body = json.dumps(message).encode()
        if self._random.random() < 0.5:
            head, _, _ = self.http(body, headers).partition(b"\r\n\r\n")
            line = f"\r\n{name}: {value}".encode("latin-1")
            raw = head + line * self._random.choice([1, 2, 150]) + b"\r\n\r\n" + body
        else:
            raw = self.http(body, {**headers, name: value})
        return Sent("headers", [raw], is_cut=name == "content-length")

    def split(self) -> Sent:
        """Chunked, and sent in pieces that break anywhere."""
        message, headers = self.message()
        body = json.dumps(message).encode()
        raw = self.http(b"", {**headers, "transfer-encoding": "chunked"}).replace(b"content-length: 0\r\n", b"")
        while body:
            size = self._random.randint(1, 40)
            raw += b"%x\r\n%b\r\n" % (len(body[:size]), body[:size])
            body = body[size:]
        raw += b"0\r\n\r\n"
        is_bad = self._random.random() < 0.3
        if is_bad:
            raw = raw.replace(b"\r\n0\r\n", self._random.choice(BAD_SIZES))
        cuts = sorted(self._random.randrange(len(raw)) for _ in range(4))
        pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
        return Sent("split", [piece for piece in pieces if piece], is_cut=is_bad)

    def cut_off(self) -> Sent:
        message, headers = self.message()
        raw = self.http(json.dumps(message).encode(), headers)
        return Sent("cut off", [raw[: self._random.randrange(1, len(raw))]], is_cut=True)

    def rubbish(self) -> Sent:
        return Sent("rubbish", [self._random.randbytes(self._random.randint(1, 400)) + b"\r\n\r\n"], is_cut=True)

    def ids(self) -> Sent:
        message, headers = self.message()
        return self.one("ids", json.dumps({**message, "id": self._random.choice(IDS)}).encode(), headers)

    def methods(self) -> Sent:
        _, headers = self.message()
        headers["last-event-id"] = self._random.choice(EVENT_IDS)
        method, path = self._random.choice(METHODS), self._random.choice(PATHS)
        return Sent("methods", [self.http(b"", headers, method=method, path=path)])

    def batches(self) -> Sent:
        good = [self.message()[0] for _ in range(self._random.choice([0, 1, 3, 49, 200]))]
        body = json.dumps([*good, self.mutated(tool("echo"))]).encode()
        return self.one("batches", body, {"mcp-session-id": self._session, "mcp-protocol-version": "2025-03-26"})

    def numbers(self) -> Sent:
        odd = self._random.choice(NUMBERS)
        _, headers = self.message()
        return self.one("numbers", b'{"jsonrpc":"2.0","id":%b,"method":"ping","params":{"a":%b}}' % (odd, odd), headers)

    def beginnings(self) -> Sent:
        """What looks like the beginning of a session and is none."""
        message = initialize()
        kind = self._random.randrange(3)
        if kind == 0:
            message["id"] = self._random.choice(IDS[:6])
        elif kind == 1:
            del message["id"]
        else:
            name = self._random.choice(["protocolVersion", "capabilities", "clientInfo"])
            message["params"][name] = self._random.choice([None, 1, [], True])
        return self.one("beginnings", json.dumps(message).encode(), {})
