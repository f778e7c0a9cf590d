"""Name queries as a resolver library sends them over UDP, and our answers (RFC 1035). Pure.

Only addresses are told, and only IPv4 ones: those are what leads to the proxy. Everything else exists, but is empty.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

A, IN = 1, 1
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
MAX_ADDRESSES = 8
TTL_SECONDS = 20
_HEADER = struct.Struct("!6H")
_RESPONSE, _RECURSION_DESIRED, _RECURSION_AVAILABLE, _OPCODE = 0x8000, 0x0100, 0x0080, 0x7800


class QueryInvalid(ValueError):  # noqa: N818 - the outcome of a parse
    """Not a query that deserves an answer."""


@dataclass(frozen=True)
class Query:
    id: int
    flags: int
    name: str  # without the dot at the end; not checked further
    kind: int
    question: bytes  # as it came, for the answer

    @property
    def wants_addresses(self) -> bool:
        return self.kind == A


def parse(data: bytes) -> Query:
    """Raises QueryInvalid."""
    try:
        number, flags, questions, *_ = _HEADER.unpack_from(data)
        if flags & (_RESPONSE | _OPCODE) or questions != 1:
            raise QueryInvalid("not a plain query")
        labels, place = [], _HEADER.size
        while size := data[place]:
            if size > 63:  # a pointer has nothing to point to in a question
                raise QueryInvalid("a label is too long")
            labels.append(data[place + 1 : place + 1 + size].decode("ascii"))
            place += 1 + size
        kind, family = struct.unpack_from("!2H", data, place + 1)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise QueryInvalid("cut off or not a name") from error
    if family != IN:
        raise QueryInvalid("not of the internet")
    return Query(number, flags, ".".join(labels), kind, data[_HEADER.size : place + 5])


def answer(query: Query, addresses: Sequence[str] = (), code: int = NO_ERROR) -> bytes:
    """`addresses` are IPv4 ones."""
    told = addresses[:MAX_ADDRESSES]
    flags = _RESPONSE | _RECURSION_AVAILABLE | (query.flags & _RECURSION_DESIRED) | code
    records = b"".join(
        struct.pack("!HHHIH4s", 0xC00C, A, IN, TTL_SECONDS, 4, IPv4Address(text).packed) for text in told
    )
    return _HEADER.pack(query.id, flags, 1, len(told), 0, 0) + query.question + records
