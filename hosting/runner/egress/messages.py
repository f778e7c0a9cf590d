"""What a runner and its proxy say to each other: one MessagePack value in each packet of a Unix socket pair."""

from __future__ import annotations

import msgspec

from hosting.runner.egress.policy import Policy
from hosting.runner.seen import EgressCount

PACKET_OCTETS = 128 * 1024
ROWS_A_PACKET = 100


class Admit(msgspec.Struct, frozen=True, tag="admit"):
    """Open an instance's way out. Its network namespace comes along as a descriptor."""

    instance: str
    deployment: str
    policy: Policy


class Dismiss(msgspec.Struct, frozen=True, tag="dismiss"):
    instance: str


class Admitted(msgspec.Struct, frozen=True, tag="admitted"):
    instance: str
    error: str = ""


class Dismissed(msgspec.Struct, frozen=True, tag="dismissed"):
    """Everything that there was to report of it has been."""

    instance: str


class Note(msgspec.Struct, frozen=True):
    """A line for the deployment's output."""

    deployment: str
    instance: str
    line: str


class Report(msgspec.Struct, frozen=True, tag="report"):
    rows: list[EgressCount] = []  # added since the last report
    notes: list[Note] = []


ToProxy = Admit | Dismiss
FromProxy = Admitted | Dismissed | Report

encode = msgspec.msgpack.Encoder().encode
decode_to_proxy = msgspec.msgpack.Decoder(ToProxy).decode
decode_from_proxy = msgspec.msgpack.Decoder(FromProxy).decode
