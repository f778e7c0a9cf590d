"""The operations a site may ask of a runner; `seen` has the answers. Types only."""

from __future__ import annotations

import msgspec

from hosting.runner.placement import Personal, Placement


class Place(msgspec.Struct, frozen=True, tag="place"):
    placement: Placement


class PlacePersonal(msgspec.Struct, frozen=True, tag="place_personal"):
    """One user's values for the next start of an instance of theirs, for exactly this placement."""

    deployment: str
    epoch: int
    generation: int
    personal: Personal


class ForgetPersonal(msgspec.Struct, frozen=True, tag="forget_personal"):
    """One user's values are others now, or everybody's (subject ""): what was started with them ends."""

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
