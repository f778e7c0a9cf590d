"""/api/tasks/{id}/events and the websockets of tasks' pages: the site's own ASGI app, a real channel layer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import User
from common import clock
from config.asgi import application
from config.routing import websocket_application
from events.actors import OPERATOR, person
from hosting.credentials.eliciting import elicitation_decline, elicitation_open
from hosting.models import Task
from hosting.tasks import feed, services
from hosting.tasks.states import LogLine, Outcome, Seen, State
from oauth.api_tokens import api_token_issue
from tests.factories import make_deployment, make_user
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = {"method": "elicitation/create", "params": {"message": "Go on?"}}


def token_of(user: User, *scopes: str) -> str:
    return api_token_issue(actor=OPERATOR, user=user, scopes=scopes or ("tasks:read",), ttl_seconds=600)[1]


def make_task(user: User, **fields: Any) -> Task:
    named = {"principal": str(user.pk), "origin": Task.Origin.MODERN, "tool": "work", "state": State.WORKING}
    deployment = make_deployment(user)
    return Task.objects.create(
        deployment=deployment, user=user, params="{}", exchange="e", attempts=1, **named, **fields
    )


def take(task: Task, seq: int, **seen: Any) -> None:
    """What a job does when the runner's outbox has news."""
    found = Task.objects.get(pk=task.pk)
    now = Seen(found.last_seq, State(found.state), None, found.reason, found.progress, found.questions, found.answered)
    values = {name: getattr(now, name) for name in ("state", "reason", "progress", "questions", "answered")}
    assert services.task_take(found, found.last_seq, Seen(**{**values, **seen, "seq": seq}))


class Follower:
    """One reader of a stream: (name, data) of each event, in order."""

    def __init__(self, task_id: str, **headers: str) -> None:
        fields = [
            (b"host", b"127.0.0.1:8000"),
            *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()),
        ]
        path = f"/api/tasks/{task_id}/events"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": fields,
            "scheme": "http",
        }
        inside: Any = ApplicationCommunicator
        self._inside = inside(application, scope)
        self._buffer = b""
        self.status = 0
        self.last_id = ""
        self.is_over = False

    async def open(self) -> int:
        await self._inside.send_input({"type": "http.request", "body": b"", "more_body": False})
        self.status = (await self._inside.receive_output(timeout=60))["status"]
        return self.status

    async def next(self) -> tuple[str, Any]:
        while True:
            frame, separator, rest = self._buffer.partition(b"\n\n")
            if not separator:
                message = await self._inside.receive_output(timeout=60)
                self._buffer += message.get("body", b"")
                if not message.get("more_body"):
                    self.is_over = True
                    raise EOFError
                continue
            self._buffer = rest
            fields = dict(line.split(": ", 1) for line in frame.decode().split("\n") if ": " in line)
            self.last_id = fields.get("id", self.last_id)
            if "event" in fields:
                return fields["event"], json.loads(fields["data"])

    async def until(self, name: str) -> Any:
        while True:
            event, data = await self.next()
            if event == name:
                return data

    async def close(self) -> None:
        if not self.is_over:
            await self._inside.send_input({"type": "http.disconnect"})
        await self._inside.wait(timeout=60)


@asynccontextmanager
async def following(task: Task, token: str, **headers: str) -> AsyncIterator[Follower]:
    follower = Follower(task.id, authorization=f"Bearer {token}", **headers)
    assert await follower.open() == 200
    try:
        yield follower
    finally:
        await follower.close()


@pytest.fixture(autouse=True)
async def _feed_ends() -> AsyncIterator[None]:
    yield
    await feed.shutdown()


@pytest.fixture
async def alice() -> User:
    user: User = await sync_to_async(make_user)("alice")
    return user


async def test_everything_that_happens_in_order(alice: User) -> None:
    task, token = await sync_to_async(make_task)(alice), await sync_to_async(token_of)(alice)
    happened = sync_to_async(take)
    async with following(task, token) as follower:
        assert await follower.until("state") == {"state": "working", "reason": "", "attempts": 1}
        await happened(task, 1, lines=(LogLine(1, "info", "one"), LogLine(2, "error", "two\nlines")))
        assert [(await follower.until("line"))["text"] for _ in range(2)] == ["one", "two\nlines"]
        await happened(task, 3, progress={"progress": 1, "total": 4})
        assert (await follower.until("progress"))["fraction"] == 0.25
        await happened(task, 4, state=State.INPUT_REQUIRED, questions={"q1": ASKED})
        assert await follower.until("question") == {"key": "q1", **ASKED}
        await happened(task, 5, state=State.WORKING, questions={}, answered={"q1": "this site"})
        assert await follower.until("answered") == {"key": "q1", "by": "this site"}
        await happened(task, 6, state=State.ENDED, outcome=Outcome.RESULT, body=b'{\n"content":[]}')
        assert await follower.until("outcome") == {
            "outcome": "result",
            "reason": "",
            "result_bytes": 15,
            "result": {"content": []},
        }
        with pytest.raises(EOFError):
            await follower.next()


async def test_who_comes_back_gets_what_was_missed_and_no_more(alice: User) -> None:
    task, token = await sync_to_async(make_task)(alice), await sync_to_async(token_of)(alice)
    happened = sync_to_async(take)
    await happened(task, 1, lines=(LogLine(1, "info", "one"),))
    async with following(task, token) as follower:
        await follower.until("state")
        last = follower.last_id
    await happened(task, 2, lines=(LogLine(2, "info", "two"),))
    async with following(task, token, last_event_id=last) as follower:
        assert (await follower.until("line"))["text"] == "two"
        await happened(task, 3, state=State.ENDED, outcome=Outcome.TOOL_ERROR, body=b"{}")
        await follower.until("outcome")
        last = follower.last_id
    again = Follower(task.id, authorization=f"Bearer {token}", last_event_id=last)
    assert await again.open() == 204
    broken = Follower(task.id, authorization=f"Bearer {token}", last_event_id="é~" + "9" * 500)
    assert await broken.open() == 200
    assert (await broken.until("line"))["text"] == "one"
    await broken.until("outcome")


async def test_others_and_nobody_learn_nothing(alice: User) -> None:
    task = await sync_to_async(make_task)(alice)
    bob = await sync_to_async(make_user)("bob")
    token = await sync_to_async(token_of)(bob)
    mine = await sync_to_async(token_of)(alice, "deployments:read")
    tries = [
        (task.id, {"authorization": f"Bearer {token}"}, 404),
        ("x" * 32, {"authorization": f"Bearer {token}"}, 404),
        (task.id, {"authorization": f"Bearer {mine}"}, 403),
        (task.id, {"authorization": "Bearer slipway_api_x"}, 401),
        (task.id, {}, 401),
        (task.id, {"cookie": f"{settings.SESSION_COOKIE_NAME}=nonsense"}, 401),
    ]
    for task_id, headers, status in tries:
        assert await Follower(task_id, **headers).open() == status, headers


async def test_a_browser_reads_it_with_its_session(alice: User) -> None:
    task = await sync_to_async(make_task)(alice)

    def cookie() -> str:
        client = Client()
        client.force_login(alice)
        return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

    follower = Follower(task.id, cookie=await sync_to_async(cookie)())
    assert await follower.open() == 200
    await follower.until("state")
    await follower.close()


async def test_a_stream_ends_when_its_token_is_revoked_or_the_process_stops(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEEP_ALIVE_SECONDS", 0.2)
    task, token = await sync_to_async(make_task)(alice), await sync_to_async(token_of)(alice)
    async with following(task, token) as follower:
        await follower.until("state")
        await sync_to_async(alice.api_tokens.update)(revoked_at=clock.now())
        with pytest.raises(EOFError):
            await follower.until("never")
    token = await sync_to_async(token_of)(alice)
    async with following(task, token) as follower:
        await follower.until("state")
        feed.drain()
        with pytest.raises(EOFError):
            await follower.until("never")


async def test_nobody_opens_streams_without_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_STREAMS", 1)
    task, token = await sync_to_async(make_task)(alice), await sync_to_async(token_of)(alice)
    async with following(task, token):
        assert await Follower(task.id, authorization=f"Bearer {token}").open() == 429
    async with following(task, token):
        pass


async def test_other_methods_are_refused(alice: User) -> None:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        answer = await http.post("/api/tasks/x/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


# --- websockets


def socket_of(path: str, user: User | None) -> Socket:
    headers = [(b"origin", settings.SLIPWAY_URL.encode()), (b"host", b"127.0.0.1:8000")]
    if user is not None:
        client = Client()
        client.force_login(user)
        cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
        headers.append((b"cookie", cookie.encode()))
    return Socket(websocket_application, path, headers)


async def test_a_page_follows_its_own_task(alice: User) -> None:
    task = await sync_to_async(make_task)(alice)
    bob = await sync_to_async(make_user)("bob")
    for path, user in ((f"/ws/tasks/{task.id}/", bob), (f"/ws/tasks/{task.id}/", None), ("/ws/tasks/x/", alice)):
        refused = await sync_to_async(socket_of)(path, user)
        assert not await refused.connect()
    socket = await sync_to_async(socket_of)(f"/ws/tasks/{task.id}/", alice)
    assert await socket.connect()
    assert (await socket.receive())["state"] == "working"
    await sync_to_async(take)(task, 1, lines=(LogLine(1, "error", "bad"),))
    lines = await socket.receive()
    assert (lines["type"], lines["position"]) == ("output", "1.1")
    assert (lines["lines"][0]["line"], lines["lines"][0]["stream"]) == ("bad", "protocol")
    assert (await socket.receive())["type"] == "state"
    await socket.close()


async def test_the_header_follows_what_waits(alice: User) -> None:
    task = await sync_to_async(make_task)(alice)
    header, listed = [await sync_to_async(socket_of)(path, alice) for path in ("/ws/waiting/", "/ws/tasks/")]
    assert await header.connect() and await listed.connect()
    assert (await header.receive())["count"] == 0
    first = await listed.receive()
    await sync_to_async(take)(task, 1, state=State.INPUT_REQUIRED, questions={"q1": ASKED})
    assert (await header.receive())["count"] == 1
    assert (await listed.receive())["reason"] != first["reason"]
    async with asyncio.timeout(60):
        await sync_to_async(services.task_cancel)(await Task.objects.aget(pk=task.pk))
        assert (await header.receive())["count"] == 0
        whose: dict[str, Any] = {"user_id": alice.pk, "client_id": "cli", "deployment_id": task.deployment_id}
        page = await sync_to_async(elicitation_open)(**whose)
        assert (await header.receive())["count"] == 1, "a page that asks for credentials waits, too"
        await sync_to_async(elicitation_decline)(actor=person(alice.pk), elicitation=page)
        assert (await header.receive())["count"] == 0
    await header.close()
    await listed.close()
