"""What a runner is given to run: a deployment's version, and one user's part of it. Types only."""

from __future__ import annotations

import msgspec

ALLOWED, LISTED, REFUSED = "allowed", "listed", "refused"  # modes of a PageRule


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
    waiting_seconds: float = (
        4.0  # shorter than an HTTP answer may take to begin (mcp_endpoint.admission.limits.START_SECONDS)
    )


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
    is_own: bool = False  # each user has an account there, and the token is one user's
    credentials_page: str = ""  # where its user replaces what of theirs is sent; "": nothing is

    def __repr__(self) -> str:
        """Without the headers, which have secrets."""
        return f"Remote({self.url!r})"


class PageRule(msgspec.Struct, frozen=True):
    """What somebody allows of foreign pages. `whose` says whose rule it is, as a sentence begins."""

    whose: str
    mode: str = ALLOWED  # allowed: with a warning | listed: those of `hosts` | refused
    hosts: list[str] = []  # names, or *.example.org, as common.addresses spells them


class Pages(msgspec.Struct, frozen=True):
    """The rules that hold for one deployment; all of them have to allow a page."""

    own: list[str] = []  # hosts that are not foreign
    rules: list[PageRule] = []


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
    pages: Pages = Pages()  # which pages its servers may send people to
    files: dict[str, str] = {}  # variable → content of the file that it names, which only the instance has
    asks_on_site: bool = False  # what a client can't show is put to its user on the site

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
    tokens: list[str] = []  # the same, of accounts: others will follow them
    files: dict[str, str] = {}  # as of a placement

    def __repr__(self) -> str:
        return f"Personal({self.subject!r})"
