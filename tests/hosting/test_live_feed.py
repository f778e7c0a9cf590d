"""The websocket behind a deployment's page: real channel layer, real runner, the site's own ASGI routes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from accounts.models import User
from common import ids
from config.routing import websocket_application
from events.actors import OPERATOR
from events.publish import publish
from events.types import BuildProgress
from hosting import services
from hosting.access.members import member_add, member_remove
from hosting.fleet.placing import placement_ensure
from hosting.looks.inspection import deployment_inspect
from hosting.models import Deployment
from hosting.states import State
from hosting.websocket import RETRY_SECONDS, _accesses
from tests.factories import make_deployment, make_runner, make_user, place
from tests.hosting.conftest import READ_ONLY, RunnerProcess, server_argv
from tests.languages.marked import CODE, marked_language
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


def connect(
    deployment_id: object, user: User | None, origin: str = settings.SLIPWAY_URL, accept: str = "", chosen: str = ""
) -> Socket:
    headers = [(b"origin", origin.encode()), (b"host", b"127.0.0.1:8000")]
    if accept:
        headers.append((b"accept-language", accept.encode()))
    if user is not None:
        client = Client()
        client.force_login(user)
        cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        if chosen:
            cookie += f"; {settings.LANGUAGE_COOKIE_NAME}={chosen}"
        headers.append((b"cookie", cookie.encode()))
    return Socket(websocket_application, f"/ws/deployments/{deployment_id}/", headers)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Any]]:
    sockets: list[Socket] = []

    async def open_socket(*arguments: Any, **options: Any) -> Socket | None:
        socket = await sync_to_async(connect)(*arguments, **options)
        if not await socket.connect():
            return None
        sockets.append(socket)
        return socket

    yield open_socket
    for socket in sockets:
        await socket.close()


async def printed(socket: Socket) -> str:
    """The first line that a server printed; the conversation with it is traced beside that."""
    while True:
        for line in (await until(socket, "output"))["lines"]:
            if line["stream"] == "stderr":
                return str(line["line"])


async def until(socket: Socket, kind: str) -> dict[str, Any]:
    while (message := await socket.receive())["type"] != kind:
        pass
    return message


async def closed_with(socket: Socket) -> int:
    with pytest.raises(ConnectionError) as caught:
        while True:
            await socket.receive()
    return int(caught.value.args[0])


async def test_state_comes_first_and_with_every_change(opened: Callable[..., Any]) -> None:
    alice = await sync_to_async(make_user)()
    deployment = await sync_to_async(make_deployment)(alice)
    socket = await opened(deployment.pk, alice)
    assert await until(socket, "state") == {"type": "state", "state": "ready", "reason": ""}
    await sync_to_async(services.deployment_move)(deployment.pk, State.FAILED, "no such thing")
    assert await until(socket, "state") == {"type": "state", "state": "failed", "reason": "no such thing"}
    await sync_to_async(publish)(BuildProgress(str(deployment.pk), "resolving 41 packages", 0.2))
    assert await until(socket, "build") == {"type": "build", "text": "resolving 41 packages", "fraction": 0.2}


@pytest.mark.parametrize(
    ("accept", "chosen", "text"),
    [
        (f"{CODE},en;q=0.5", "", "⟦resolving: ⟦41 packages⟧⟧"),
        ("en", CODE, "⟦resolving: ⟦41 packages⟧⟧"),
        (CODE, "en", "resolving: 41 packages"),
        ("", "", "resolving: 41 packages"),
    ],
)
async def test_a_step_of_a_build_is_told_in_the_language_of_its_page(
    opened: Callable[..., Any], accept: str, chosen: str, text: str
) -> None:
    alice = await sync_to_async(make_user)()
    deployment = await sync_to_async(make_deployment)(alice)
    with marked_language():
        socket = await opened(deployment.pk, alice, accept=accept, chosen=chosen)
        await until(socket, "state")
        await sync_to_async(publish)(BuildProgress(str(deployment.pk), "resolving: 41 packages", 0.2))
        assert (await until(socket, "build"))["text"] == text


async def test_only_those_who_may_see_it(opened: Callable[..., Any]) -> None:
    alice, bob = await sync_to_async(make_user)("alice"), await sync_to_async(make_user)("bob")
    deployment = await sync_to_async(make_deployment)(alice)
    assert await opened(deployment.pk, None) is None
    assert await opened(deployment.pk, bob) is None
    assert await opened(ids.new_uuid(), alice) is None
    assert await opened(deployment.pk, alice, origin="https://evil.example") is None
    await sync_to_async(member_add)(actor=OPERATOR, deployment=deployment, user=bob)
    assert await opened(deployment.pk, bob) is not None


def test_those_who_watch_together_are_asked_for_together(django_assert_max_num_queries: Any) -> None:
    owner, viewers = make_user("alice"), [make_user(f"viewer{number}") for number in range(10)]
    public, private = make_deployment(owner, access="public"), make_deployment(owner, "private")
    asked = [((user.pk, ""), made.pk) for user in (owner, *viewers) for made in (public, private)]
    told = _accesses(asked)
    assert told[(owner.pk, ""), private.pk] == told[(owner.pk, ""), public.pk] == (True, True)
    assert {told[(user.pk, ""), public.pk] for user in viewers} == {(True, False)}
    assert {told[(user.pk, ""), private.pk] for user in viewers} == {(False, False)}
    with django_assert_max_num_queries(3):
        _accesses([(who, made) for who, made in asked if made == public.pk])


def test_whether_somebody_may_watch_is_asked_every_two_seconds() -> None:
    assert RETRY_SECONDS <= 2


@pytest.mark.parametrize("how", ["membership", "account", "session", "deletion"])
async def test_lost_access_closes(opened: Callable[..., Any], how: str) -> None:
    alice, bob = await sync_to_async(make_user)("alice"), await sync_to_async(make_user)("bob")
    deployment = await sync_to_async(make_deployment)(alice)
    await sync_to_async(member_add)(actor=OPERATOR, deployment=deployment, user=bob)
    socket = await opened(deployment.pk, bob)

    def lose() -> None:
        from django.contrib.sessions.models import Session

        match how:
            case "membership":
                member_remove(actor=OPERATOR, deployment=deployment, user=bob)
            case "account":
                User.objects.filter(pk=bob.pk).update(is_active=False)
            case "session":
                Session.objects.all().delete()
            case _:
                services.deployment_delete(actor=OPERATOR, deployment=deployment)

    await sync_to_async(lose)()
    async with asyncio.timeout(60):
        assert await closed_with(socket) == 4403


async def test_output_is_relayed_to_the_owner_only(opened: Callable[..., Any], runner_process: RunnerProcess) -> None:
    alice, bob = await sync_to_async(make_user)("alice"), await sync_to_async(make_user)("bob")
    argv = [sys.executable, "-I", "-c", "import sys; print('hello from inside', file=sys.stderr); sys.exit(3)"]

    def prepare() -> Deployment:
        deployment = make_deployment(alice, argv=argv, read_only=READ_ONLY, access="public")
        place(deployment, make_runner(address=runner_process.address))
        return deployment

    deployment = await sync_to_async(prepare)()
    owner, guest = await opened(deployment.pk, alice), await opened(deployment.pk, bob)
    await until(owner, "state")
    await sync_to_async(deployment_inspect)(deployment.pk)
    assert await printed(owner) == "hello from inside"
    seen = {(await guest.receive())["type"]}
    while not await guest.is_silent(1):
        seen.add((await guest.receive())["type"])
    assert "output" not in seen
    assert "state" in seen


async def test_the_feed_follows_a_deployment_to_another_runner(
    opened: Callable[..., Any], start_runner: Callable[[str], RunnerProcess]
) -> None:
    first, second = start_runner("r1"), start_runner("r2")
    alice = await sync_to_async(make_user)()

    def prepare() -> Deployment:
        deployment = make_deployment(alice, argv=server_argv("nothing-there"), read_only=READ_ONLY)
        place(deployment, make_runner("r1", address=first.address))
        make_runner("r2", address=second.address)
        return deployment

    deployment = await sync_to_async(prepare)()
    socket = await opened(deployment.pk, alice)
    await until(socket, "state")
    first.kill()

    def look() -> None:
        placement_ensure(deployment.pk, exclude_runner="r1")
        deployment_inspect(deployment.pk)

    await sync_to_async(look)()
    assert "nothing-there.py" in await printed(socket)


async def test_a_page_that_hears_nothing_for_long_stays(opened: Callable[..., Any]) -> None:
    """Longer than a read of the channel layer takes."""
    alice = await sync_to_async(make_user)()
    deployment = await sync_to_async(make_deployment)(alice)
    socket = await opened(deployment.pk, alice)
    await until(socket, "state")
    assert await socket.is_silent(6.5)
    await sync_to_async(publish)(BuildProgress(str(deployment.pk), "resolving", 0.5))
    assert (await until(socket, "build"))["text"] == "resolving"


async def test_what_a_page_sends_is_not_read(opened: Callable[..., Any]) -> None:
    alice = await sync_to_async(make_user)()
    deployment = await sync_to_async(make_deployment)(alice)
    socket = await opened(deployment.pk, alice)
    for text in ("{}", "rubbish", "[" * 10_000):
        await socket.send(text)
    await until(socket, "state")
    await sync_to_async(services.deployment_move)(deployment.pk, State.FAILED, "x")
    assert (await until(socket, "state"))["state"] == "failed"
