"""The first look at a built server: does it start, who is it, which tools has it? Through the stream, as any client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction

from common.errors import Conflict
from events.publish import publish_on_commit
from events.types import DeploymentChanged
from hosting.credentials.personal import NEEDS_USERS, is_needed_to_start
from hosting.fleet.placing import placement_ensure
from hosting.looks.entry_facts import entry_seen
from hosting.looks.failed_looks import look_failed
from hosting.models import DeploymentVersion
from hosting.routing import placement_for
from hosting.runner import control
from hosting.runner.frames import EndRule, Event, Kind, Reason
from hosting.runner.placement import Placement
from hosting.services import deployment_move
from hosting.states import State
from hosting.stream.links import runner_links
from hosting.stream.stream import DetachedError, RunnerLink, RunnerUnavailableError
from hosting.tools.definitions import cleaned
from hosting.tools.names import notices_with
from hosting.tools.records import tools_seen

OWNER = "system"
REVISION = "2026-07-28"
LOOK_SECONDS = 150.0
MAX_PAGES = 20
MAX_TOOLS = 2000
TAIL_LINES = 100
_SERVER_INFO = "io.modelcontextprotocol/serverInfo"
_BEFORE = frozenset({State.READY, State.STARTING, State.FAILED, State.RUNNING})


class LookFailed(Exception):
    """The server can't be used; the message says why, for its owner. `printed` is what it said on stderr."""

    def __init__(self, reason: str, printed: str = "", *, has_answered: bool = False) -> None:
        super().__init__(reason)
        self.printed = printed
        self.has_answered = has_answered


@dataclass(frozen=True)
class Look:
    """What the server said of itself. `era` is what the runner's probe found, `revision` what both agreed on."""

    tools: list[dict[str, Any]]
    server_info: dict[str, Any]
    era: str
    revision: str


@dataclass(frozen=True)
class Visit:
    """As whom a server is looked at: as the platform, or as a user with what that user brought."""

    owner: str = OWNER
    own: control.PlacePersonal | None = None


def deployment_inspect(deployment_id: UUID) -> None:
    """Stores what was seen at its version. Raises Unavailable or RunnerUnavailableError: try later."""
    address = placement_ensure(deployment_id).runner_address
    deployment_move(deployment_id, State.STARTING, "starting for the first look", only_from=_BEFORE - {State.RUNNING})
    try:
        address, placement = placement_for(deployment_id)
        look = asyncio.run(look_at(address, placement))
    except LookFailed as error:
        if is_needed_to_start(deployment_id):  # whether it starts shows when the first user has brought it
            deployment_move(deployment_id, State.READY, NEEDS_USERS, only_from=_BEFORE)
            return
        look_failed(deployment_id, placement, str(error), error.printed, has_answered=error.has_answered)
        return
    except Conflict as error:
        deployment_move(deployment_id, State.FAILED, str(error), only_from=_BEFORE)
        return
    except RunnerUnavailableError:
        placement_ensure(deployment_id, exclude_runner=address)
        raise
    look_keep(deployment_id, placement.version, look)


def look_keep(deployment_id: UUID, version_id: str, look: Look) -> None:
    """Stores what was seen at its version."""
    with transaction.atomic():
        tools_seen(deployment_id, look.tools)
        _names_noted(version_id, look.tools)
        DeploymentVersion.objects.filter(pk=version_id).update(
            tools=cleaned(look.tools), server_info=cleaned(look.server_info), era=look.era, missing=""
        )
        entry_seen(deployment_id, look.tools, look.revision)
    if not deployment_move(deployment_id, State.RUNNING, "running", only_from=_BEFORE - {State.RUNNING}):
        publish_on_commit(DeploymentChanged(str(deployment_id)))


def _names_noted(version_id: str, tools: list[dict[str, Any]]) -> None:
    version = DeploymentVersion.objects.select_for_update().filter(pk=version_id).first()
    if version is not None:
        notices = notices_with(version.notices, [tool.get("name") for tool in tools])
        if notices != version.notices:
            DeploymentVersion.objects.filter(pk=version_id).update(notices=notices)


async def look_at(address: str, placement: Placement, visit: Visit | None = None) -> Look:
    """`visit` looks at the instance that its user gets. Raises LookFailed and RunnerUnavailableError."""
    visit = visit or Visit()
    try:
        async with asyncio.timeout(LOOK_SECONDS), runner_links() as pool:
            link = await pool.link(address)
            try:
                discovered = await _call(link, placement, visit, "server/discover", {})
            except LookFailed as error:
                raise LookFailed(str(error), await _printed(link, placement.deployment)) from None
            capabilities = discovered.get("capabilities") or {}
            try:
                tools = await _tools(link, placement, visit) if "tools" in capabilities else []
            except LookFailed as error:
                raise LookFailed(str(error), has_answered=True) from None
            return Look(tools, _server_info(discovered), *await _spoken(link, placement.deployment))
    except TimeoutError:
        raise LookFailed(f"did not answer within {LOOK_SECONDS:.0f} s") from None


async def tool_asked(
    address: str, placement: Placement, visit: Visit, name: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The result of one tool at the instance that `visit` gets. Raises LookFailed and RunnerUnavailableError."""
    async with runner_links() as pool:
        link = await pool.link(address)
        return await _call(link, placement, visit, "tools/call", {"name": name, "arguments": dict(arguments)})


async def _tools(link: RunnerLink, placement: Placement, visit: Visit) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    params: dict[str, Any] = {}
    for _ in range(MAX_PAGES):
        page = await _call(link, placement, visit, "tools/list", params)
        tools += [tool for tool in page.get("tools") or [] if isinstance(tool, dict)]
        if not page.get("nextCursor") or len(tools) >= MAX_TOOLS:
            break
        params = {"cursor": page["nextCursor"]}
    return tools[:MAX_TOOLS]


async def _call(
    link: RunnerLink, placement: Placement, visit: Visit, method: str, params: dict[str, Any]
) -> dict[str, Any]:
    """One exchange to its result. A runner that doesn't hold the placement is given it, once."""
    for is_last in (False, True):
        try:
            event = await _outcome(link, placement, visit, method, params)
        except DetachedError as error:
            if error.reason == Reason.UNPLACED and not is_last:
                await link.ask(control.Place(placement))
                if visit.own is not None:
                    await link.ask(visit.own)
                continue
            if error.reason in (Reason.CLOSED, Reason.LOST, Reason.UNPLACED):
                raise RunnerUnavailableError(str(error)) from error
            raise LookFailed(str(error)) from error
        if event.kind is Kind.RESULT:
            result = msgspec.json.decode(event.data)
            return result if isinstance(result, dict) else {}
        raise LookFailed(_words(event))
    raise AssertionError("unreachable")


async def _outcome(link: RunnerLink, placement: Placement, visit: Visit, method: str, params: dict[str, Any]) -> Event:
    attachment = link.open(
        deployment=placement.deployment,
        epoch=placement.epoch,
        generation=placement.generation,
        owner=visit.owner,
        method=method,
        params=msgspec.json.encode(params),
        revision=REVISION,
        end=EndRule.CANCEL,
        isolation=visit.owner,
        subject=visit.own.personal.subject if visit.own is not None else "",
        personal=visit.own.personal.mark if visit.own is not None else "",
    )
    while True:
        event = await attachment.next()
        if event.kind in (Kind.RESULT, Kind.ERROR, Kind.CANCELLED):
            return event


async def _printed(link: RunnerLink, deployment: str) -> str:
    """What the last instance said on stderr; more than the few lines that its reason quotes."""
    tail = await link.ask(control.GetTail(deployment, TAIL_LINES))
    lines = [line for line in tail.lines if line.stream == "stderr"]
    return "\n".join(line.line for line in lines if line.instance == lines[-1].instance)


async def _spoken(link: RunnerLink, deployment: str) -> tuple[str, str]:
    """Era and protocol revision."""
    status = await link.ask(control.GetStatus())
    instances = (i for placed in status.placements if placed.deployment == deployment for i in placed.instances)
    return next(((i.era, i.revision) for i in instances if i.era), ("", ""))


def _server_info(discovered: dict[str, Any]) -> dict[str, Any]:
    """Name, version and title, where the server gives them (2026-07-28: in the result's _meta)."""
    info = (discovered.get("_meta") or {}).get(_SERVER_INFO) or discovered.get("serverInfo") or {}
    seen = dict(info) if isinstance(info, dict) else {}
    if isinstance(instructions := discovered.get("instructions"), str):
        seen["instructions"] = instructions
    return seen


def _words(event: Event) -> str:
    """The reason in an outcome that is no result."""
    if event.kind is Kind.CANCELLED:
        return event.extra or "the call was cancelled"
    error = msgspec.json.decode(event.data)
    data = error.get("data")
    if isinstance(data, dict) and isinstance(reason := data.get("reason"), str):
        return reason
    return str(error.get("message") or "the server answered with an error")
