"""The control operations a site may ask of a runner, and the values it answers with. Types only."""

from __future__ import annotations

import msgspec

from hosting.runner.frames import Event


class Limits(msgspec.Struct, frozen=True):
    """What one instance may use. Zero means no limit of that kind."""

    memory_bytes: int = 512 * 1024 * 1024
    processes: int = 128  # threads count: more than `in_flight`, for servers with a thread for each call
    open_files: int = 1024
    cpu_seconds: int = 3600  # of one process, after which the kernel ends it
    disk_bytes: int = 64 * 1024 * 1024  # of the private home and of /tmp, each
    data_bytes: int = 256 * 1024 * 1024  # of its data folder, where it has one
    message_bytes: int = 10 * 1024 * 1024  # one line on stdout
    in_flight: int = 64  # requests that one instance runs at once
    waiting: int = 256  # further ones that wait for their turn there
    waiting_seconds: float = 4.0  # shorter than an HTTP answer may take to begin (mcp_endpoint.limits.START_SECONDS)


class Egress(msgspec.Struct, frozen=True):
    """Which hosts an instance may reach, on port 443 and through the runner's proxy only."""

    mode: str = "none"  # public: every public address | listed: `hosts` only | none
    hosts: list[str] = []  # names, or *.example.org for everything below one


class Remote(msgspec.Struct, frozen=True):
    """A server that runs elsewhere and is spoken to over HTTP."""

    url: str
    transport: str = ""  # streamable-http | sse; "": find out
    headers: dict[str, str] = {}
    bearer: str = ""  # the token of the account there; it changes while instances run, unlike the rest
    serial: int = 0  # which of the account's tokens that is; 0: none

    def __repr__(self) -> str:
        """Without the headers, which have secrets."""
        return f"Remote({self.url!r})"


class Placement(msgspec.Struct, frozen=True):
    """A deployment's version as a runner needs it.

    `epoch` says where: it grows when the deployment moves, and whoever holds a lower one gives way. `generation` says
    what: it grows with every version and setting, and what began with a lower one may finish with it.
    """

    deployment: str  # id
    label: str  # "owner/name", for logs
    version: str  # id of the deployment's version
    epoch: int
    argv: list[str]
    env: dict[str, str] = {}
    read_only: list[str] = []  # absolute paths bound into the sandbox
    limits: Limits = Limits()
    isolation: str = "session"  # session | principal | shared
    max_instances: int = 32
    idle_seconds: float = 600.0
    spare_seconds: float = 10.0  # a quiet session's instance may be taken for a new one after this, at max_instances
    start_seconds: float = 60.0
    question_seconds: float = 300.0  # how long a question may stay open with nobody there who was shown it
    era: str = ""  # what the last probe found: "", legacy, modern, dual
    egress: Egress = Egress()
    remote: Remote | None = None  # then argv is empty and nothing is started here
    masked: list[str] = []  # never shown in output: the secret ones of the values above
    data_folder: bool = False  # its home outlives the instance, one folder for each isolation key
    drain_seconds: float = 3600.0  # how long sessions may go on with what a newer placement replaced
    owner: str = ""  # whose starts wait in one line, and whose instances count together
    owner_instances: int = -1  # of this owner that may be awake on this runner; -1: no limit
    owner_memory_bytes: int = -1  # that they may use altogether; -1: no limit
    share_serial: int = 0  # of these two: the higher one is the later one; 0: of no other placement of the owner's
    generation: int = 0
    trace_bodies: bool = False  # its owner sees bodies and what every caller's instance prints; callers were told

    def __repr__(self) -> str:
        """Without env, headers and the rest, which have secrets."""
        return f"Placement({self.label!r}, version={self.version!r}, epoch={self.epoch})"


class Personal(msgspec.Struct, frozen=True):
    """What one user's instance is started with instead of the placement's own."""

    subject: str  # the user's id
    mark: str  # another one whenever one of the user's values is
    argv: list[str] = []
    env: dict[str, str] = {}
    remote: Remote | None = None
    masked: list[str] = []  # secrets of the user's own, hidden in everything that the instance says

    def __repr__(self) -> str:
        return f"Personal({self.subject!r})"


class Place(msgspec.Struct, frozen=True, tag="place"):
    placement: Placement


class PlacePersonal(msgspec.Struct, frozen=True, tag="place_personal"):
    """One user's values for the next start of an instance of theirs, for exactly this placement."""

    deployment: str
    epoch: int
    generation: int
    personal: Personal


class ForgetPersonal(msgspec.Struct, frozen=True, tag="forget_personal"):
    """One user's values are others now: what was started with them ends."""

    deployment: str
    subject: str
    reason: str


class OpenSession(msgspec.Struct, frozen=True, tag="open_session"):
    """A legacy client's session without an instance as yet: the site greets its client itself."""

    session: str
    owner: str
    deployment: str
    revision: str
    capabilities: bytes
    client: bytes
    subject: str


class Tell(msgspec.Struct, frozen=True, tag="tell"):
    """A notification of the site's own on a session's channel."""

    session: str
    owner: str
    method: str
    params: bytes = b""


class Unplace(msgspec.Struct, frozen=True, tag="unplace"):
    deployment: str
    epoch: int  # a newer placement than this one is left alone
    reason: str = ""
    grace_seconds: float = 0.0  # how long what runs may go on; nothing new begins


class GetStatus(msgspec.Struct, frozen=True, tag="status"):
    pass


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Answered by the event loop, with nothing to look up: who answers is alive."""


class GetTail(msgspec.Struct, frozen=True, tag="tail"):
    """The last lines of a deployment's output."""

    deployment: str
    lines: int = 100


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """Answers one `input_requested`. Exactly one of `result` and `error` is a raw JSON object."""

    owner: str
    key: str
    exchange: str = ""  # where the question was seen; or the session of a legacy client:
    session: str = ""
    result: bytes = b""
    error: bytes = b""
    by: str = ""  # from where it comes, for people: kept with the answer that counted


class Notify(msgspec.Struct, frozen=True, tag="notify"):
    """A client's notification for its session."""

    session: str
    owner: str
    method: str
    params: bytes = b""


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    exchange: str
    owner: str
    reason: str = ""


class EndSession(msgspec.Struct, frozen=True, tag="end_session"):
    session: str
    owner: str


class Keep(msgspec.Struct, frozen=True, tag="keep"):
    """A running call becomes a task: it is kept whatever its client does, and what matters of it goes to the spool."""

    exchange: str
    owner: str
    task: str


class Remind(msgspec.Struct, frozen=True, tag="remind"):
    """The row of a task that was a call is committed: what was announced of it before, to nobody, is so again."""

    task: str


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """The site has written down everything of a task up to `seq`."""

    task: str
    seq: int


class GetOutbox(msgspec.Struct, frozen=True, tag="outbox"):
    """Which tasks have news that the site has not taken, and which of `holding` this runner knows (at most 500)."""

    older_than_seconds: float = 0.0
    holding: list[str] = []


class GetNews(msgspec.Struct, frozen=True, tag="news"):
    """What happened to tasks and was announced, as much as goes into one frame. Answered with News.

    `taken` is acknowledged first: (task, seq). What is given once is not given again by itself, but with
    `older_than_seconds`: whatever has waited that long to be acknowledged.
    """

    taken: list[tuple[str, int]] = []
    older_than_seconds: float | None = None


class GetCall(msgspec.Struct, frozen=True, tag="call"):
    """Where a task's call runs, or ran."""

    task: str


class GetRequest(msgspec.Struct, frozen=True, tag="request"):
    """What a call of the owner's was opened with, and how long ago. Answered with Request."""

    exchange: str
    owner: str


class GetEgress(msgspec.Struct, frozen=True, tag="egress"):
    """What went out since the last batch that the site has written down: `taken`, of this boot, or 0."""

    taken: int = 0


class Restart(msgspec.Struct, frozen=True, tag="restart"):
    """Execute yourself anew, with all that runs. GetStatus tells when it is done, or why it came to nothing.

    `networks` and `ports` take the place of those of the command line, as it spells them; None leaves them. What runs
    already keeps the way out that it was given.
    """

    networks: str | None = None
    ports: str | None = None


class DeleteData(msgspec.Struct, frozen=True, tag="delete_data"):
    """End the instance that uses the folder, and the folder. "" as key: all folders of the deployment."""

    deployment: str
    key: str = ""


class GetData(msgspec.Struct, frozen=True, tag="get_data"):
    """A part of the folder's zip. Without a ticket the zip is made anew, which takes a while."""

    deployment: str
    key: str
    ticket: str = ""
    offset: int = 0


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """Take nothing new, or take it again. What runs goes on."""

    is_on: bool = True


class SetShare(msgspec.Struct, frozen=True, tag="set_share"):
    """What an owner may have awake on this runner from now on. Answered with Held."""

    owner: str
    instances: int
    memory_bytes: int
    serial: int


# Answered with Taken:
Order = (
    Place
    | Unplace
    | Answer
    | Notify
    | Cancel
    | EndSession
    | Keep
    | Remind
    | Acknowledge
    | Restart
    | Drain
    | DeleteData
    | Ping
)
OfPersons = PlacePersonal | ForgetPersonal | OpenSession | Tell  # answered with Taken too
Operation = (
    Order
    | OfPersons
    | GetData
    | GetStatus
    | GetTail
    | GetOutbox
    | GetNews
    | GetCall
    | GetRequest
    | GetEgress
    | SetShare
)


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


class PlacementSeen(msgspec.Struct, frozen=True):
    deployment: str
    version: str
    epoch: int
    state: str  # asleep | starting | running | failed
    reason: str
    instances: list[InstanceSeen]
    sign_in: SignInAsked | None = None  # what a remote server last said so


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
