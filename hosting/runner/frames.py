"""The frames of the stream between a web or worker process and a runner.

One connection carries many attachments, each known by a number its opener chose. A frame is a msgpack array behind a
four-byte big-endian length; no frame is longer than `FRAME_BYTES` on the way from the runner, so one large answer never
holds up the others. Types only: nothing here does I/O.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

PROTOCOL = 1
FRAME_BYTES = 64 * 1024
MAX_INBOUND_FRAME_BYTES = 16 * 1024 * 1024
INITIAL_CREDIT = 1024 * 1024


class Kind(IntEnum):
    """What one event of a log says. `data` is raw JSON unless said otherwise; `extra` is a short text."""

    STATUS = 1  # how a start goes, as a sentence; data: {"state": ..., "reason": ...}
    PROGRESS = 2  # data: params of notifications/progress without its token
    LOG = 3  # data: params of notifications/message
    NOTIFICATION = 4  # extra: method, data: params
    INPUT_REQUESTED = 5  # extra: key, data: {"method": ..., "params": ...}
    INPUT_ANSWERED = 6  # extra: key
    RESULT = 7  # data: the result object
    ERROR = 8  # data: the JSON-RPC error object
    CANCELLED = 9  # extra: reason
    GAP = 10  # extra: how many log events were dropped, in decimal
    OUTPUT = 11  # deployment feeds only; data: {"instance", "stream": "stderr"|"protocol", "line", "at"}
    INSTANCE = 12  # deployment feeds only; data: a JSON InstanceSeen
    LOST = 13  # tasks only; extra: why nobody knows how far the call came


TERMINAL = frozenset({Kind.RESULT, Kind.ERROR, Kind.CANCELLED, Kind.LOST})


class EndRule(IntEnum):
    """What becomes of an exchange when its wire attachment vanishes without a word."""

    CANCEL = 1  # modern clients: closing the stream is the protocol's cancellation
    SESSION = 2  # legacy clients: disconnecting is not cancelling; kept for the session's life
    KEEP = 3  # tasks


class Mode(IntEnum):
    WIRE = 1  # delivers to a client; the newest one wins
    OBSERVE = 2  # pages, worker jobs; any number


class Frame(msgspec.Struct, array_like=True, tag_field="t", frozen=True, gc=False):
    pass


class Hello(Frame, tag=1, frozen=True):
    process: str
    protocol: int
    resume: str = ""  # the token of the Pause that ended an earlier connection


class Welcome(Frame, tag=2, frozen=True):
    runner: str
    boot: str
    protocol: int
    resumed: bool = False  # everything that was attached to the earlier connection is attached to this one


class Open(Frame, tag=3, frozen=True):
    """Start one exchange and attach to its log from the first event. Sent twice with one id, it runs once."""

    attachment: int
    exchange: str  # "<runner>.<boot>.<random>"
    deployment: str
    epoch: int
    owner: str  # who may attach later; compared byte for byte
    method: str
    params: bytes  # raw JSON object, b"" when absent
    revision: str  # the client's protocol revision; decides which era of child is preferred
    end: EndRule
    session: str = ""  # legacy: the runner's session id; "initialize" creates it
    isolation: str = ""  # modern: the principal's key; "": nobody's, so on an instance that keeps nothing of anybody
    capabilities: bytes = b""  # raw JSON object of the client's capabilities (modern, and initialize)
    client: bytes = b""  # raw JSON object, the client's Implementation
    wants_progress: bool = False
    log_level: str = ""  # modern: per-request level
    native_input: bool = False  # modern client: hand an InputRequiredResult through as the result
    trace: str = ""  # W3C traceparent
    credit: int = INITIAL_CREDIT
    mode: Mode = Mode.WIRE
    task: str = ""  # a task's id: what happens is spooled, and the call waits for nobody's stream
    subject: str = ""  # the user, whose data folder it would be; "" for nobody
    generation: int = 0  # what the opener knows of; a runner that holds an older one must be given the newer first
    personal: str = ""  # the mark of the user's own values that its instance is to be started with; "": none


UNDELIVERED = -1


class Attach(Frame, tag=4, frozen=True):
    """Follow a log (exchange, session channel or deployment feed) from the first event after `after`.

    `UNDELIVERED` begins after what a wire attachment was sent already.
    """

    attachment: int
    log: str
    owner: str
    after: int = 0
    mode: Mode = Mode.WIRE
    credit: int = INITIAL_CREDIT


class Detach(Frame, tag=5, frozen=True):
    """Stop following. `gone` says the client vanished, so the exchange's end rule applies."""

    attachment: int
    gone: bool = False


class Credit(Frame, tag=6, frozen=True):
    attachment: int
    octets: int


class Ask(Frame, tag=7, frozen=True):
    """A control request; `body` is a msgpack operation of `hosting.runner.control`."""

    id: int
    body: bytes


class Answered(Frame, tag=8, frozen=True):
    id: int
    ok: bool
    body: bytes  # msgpack value when ok, otherwise a msgpack seen.Refusal


class Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    seq: int
    kind: Kind
    data: bytes = b""
    extra: str = ""
    more: bool = False  # the rest of `data` follows under the same seq


class Events(Frame, tag=9, frozen=True):
    attachment: int
    events: list[Event]


class Detached(Frame, tag=10, frozen=True):
    """The runner ended an attachment. `reason` is one of `Reason`; `detail` is a sentence for people."""

    attachment: int
    reason: str
    detail: str = ""


class Pause(Frame, tag=11, frozen=True):
    """The runner is about to execute itself anew. Nothing more may be sent on this connection but `Paused`; the other
    side then closes it on `Leave` and says Hello with the token on a new one. What it sent before is taken, what it was
    sent before Leave has reached it: so neither side need repeat anything."""

    token: str


class Paused(Frame, tag=12, frozen=True):
    """Nothing follows on this connection."""


class Leave(Frame, tag=13, frozen=True):
    """Nothing follows on this connection from the runner either."""

    is_final: bool = False  # nor on another one: the runner ends


class Reason:
    DONE = "done"  # the log ended and everything was delivered
    SUPERSEDED = "superseded"  # a newer wire attachment took over
    LOST = "lost"  # wrong boot or unknown log: it is gone for good
    NO_SESSION = "no_session"  # the legacy session has ended
    UNPLACED = "unplaced"  # the runner has no placement of that deployment at that epoch: place it, then open again
    FORBIDDEN = "forbidden"  # another owner's log
    DRAINING = "draining"  # the runner takes nothing new: place it elsewhere
    BUSY = "busy"  # a limit was reached; detail names it
    CLOSED = "closed"  # the connection to the runner broke (said by the client side)
    CALL_LOST = "call_lost"  # its runner was started anew while it ran (said by the client side)


ToRunner = Hello | Open | Attach | Detach | Credit | Ask | Paused
FromRunner = Welcome | Events | Detached | Answered | Pause | Leave
