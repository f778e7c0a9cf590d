"""What a runner answers the operations of `control` with. Types only."""

from __future__ import annotations

import msgspec

from hosting.runner.frames import Event


class Refusal(msgspec.Struct, frozen=True):
    reason: str  # one of frames.Reason
    detail: str = ""


class Taken(msgspec.Struct, frozen=True):
    """The plain yes. `first` is False when an answer came too late and was ignored."""

    first: bool = True


class EgressCount(msgspec.Struct, frozen=True):
    """What was added for one host since the last time."""

    deployment: str
    host: str
    port: int
    connections: int = 0
    refused: int = 0
    octets: int = 0  # both ways


class EgressBatch(msgspec.Struct, frozen=True):
    """The same until it is taken. An empty one has the number of the last."""

    boot: str
    number: int
    counts: list[EgressCount]


class FolderSeen(msgspec.Struct, frozen=True):
    deployment: str
    key: str
    subject: str  # the user, or "*" where all share it
    size_bytes: int = 0
    used_at: float = 0.0  # seconds since the epoch


class Held(msgspec.Struct, frozen=True):
    """What the runner keeps to: never less than what is awake, nor older than what it has heard."""

    instances: int
    memory_bytes: int
    serial: int


class DataPart(msgspec.Struct, frozen=True):
    ticket: str
    body: bytes = b""
    is_ready: bool = True  # False: ask again in a moment
    is_last: bool = False


class InstanceSeen(msgspec.Struct, frozen=True):
    id: str
    deployment: str
    version: str
    state: str  # starting | running | stopping | stopped | failed
    reason: str  # in words
    era: str = ""
    revision: str = ""
    pid: int = 0
    started_at: float = 0.0  # seconds since the epoch
    memory_bytes: int = 0
    calls: int = 0
    in_flight: int = 0
    sessions: int = 0
    asks_people: bool = False  # its server has asked a person something


class SignInAsked(msgspec.Struct, frozen=True):
    """A server elsewhere refused a request: it wants an account, another token, or one that may do more."""

    status: int  # 401 or 403
    challenge: str  # its WWW-Authenticate
    serial: int  # of the token that it refused; 0: none was sent
    subject: str = ""  # whose own account it is; "": that of all callers
    mark: str = ""  # of what that user's instance was started with


class QuestionRefused(msgspec.Struct, frozen=True):
    """A question of a hosted server that nobody was shown."""

    at: float  # seconds since the epoch, of the first time
    words: str  # why, without anything of a caller's


class PlacementSeen(msgspec.Struct, frozen=True):
    deployment: str
    version: str
    epoch: int
    state: str  # asleep | starting | running | failed
    reason: str
    instances: list[InstanceSeen]
    sign_in: SignInAsked | None = None  # what a remote server last said so
    refused: list[QuestionRefused] = []  # within the last hour
    own_sign_ins: list[SignInAsked] = []  # the same of users' own accounts there


class Status(msgspec.Struct, frozen=True):
    runner: str
    boot: str
    started_at: float
    draining: bool
    placements: list[PlacementSeen]
    folders: list[FolderSeen] = []
    memory_bytes: int = 0  # used by its instances
    memory_limit_bytes: int = 0  # what its instances may use together; 0: unknown
    restarts: int = 0  # in place, since started_at
    restart_problem: str = ""  # why the last one came to nothing
    short: list[str] = []  # owners who wanted to start more than their share within the last seconds


class OutputLine(msgspec.Struct, frozen=True):
    at: float
    instance: str
    stream: str  # stderr | protocol
    line: str
    who: str = ""  # the user's id whose own instance said it; "": one that is shared, or nobody's
    is_open: bool = False  # its owner may read it, whosever it is: the deployment traced bodies then


class Tail(msgspec.Struct, frozen=True):
    lines: list[OutputLine]


class CallSeen(msgspec.Struct, frozen=True):
    instance: str  # its id; "" for a call that this runner does not know any more


class OutboxSeen(msgspec.Struct, frozen=True):
    news: list[str]  # at most 500
    holding: list[str]
    calls: str  # how the ids of the calls begin that this runner may run


class TaskNews(msgspec.Struct, frozen=True):
    """All events of a task's call that are not acknowledged; none where they are too large: then attach to its log."""

    task: str
    exchange: str
    instance: str  # "" for a call that this runner does not know any more
    events: list[Event]


class News(msgspec.Struct, frozen=True):
    """Whoever gets any is to ask again, until there is none."""

    tasks: list[TaskNews]


class Request(msgspec.Struct, frozen=True):
    """`params` is raw JSON, b"" where it is too large for a frame."""

    method: str
    params: bytes
    age_seconds: float
    is_done: bool
