"""The token of the account at a remote: sent to it, replaced while a session runs, and told of when it is refused."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from hosting.runner import control as c
from hosting.runner.placement import Personal, Remote
from hosting.runner.seen import SignInAsked
from tests.runner.conftest import Driver
from tests.runner.remote.conftest import place, remote_placement
from tests.runner.remote.servers import FakeRemote, Request, legacy, modern
from tests.runner.test_restart import restart

TOKEN, NEXT = "at-the-first-token", "at-the-second-token"


def sent(fake: FakeRemote) -> set[str]:
    return {one.headers.get("authorization", "") for one in fake.requests}


async def asked(driver: Driver) -> SignInAsked | None:
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    return seen.sign_in


def account(token: str, serial: int) -> dict[str, Any]:
    return {"bearer": token, "serial": serial}


async def test_it_takes_the_place_of_a_header_that_was_typed_in(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)
    await place(
        driver, fake.url, remote={**account(TOKEN, 1), "headers": {"Authorization": "Basic x", "X-Team": "red"}}
    )
    await driver.open(tool="echo").text()
    assert sent(fake) == {f"Bearer {TOKEN}"}
    assert {one.headers["x-team"] for one in fake.requests} == {"red"}
    assert await asked(driver) is None


async def test_a_new_one_counts_at_once_for_a_session_that_runs(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await place(driver, fake.url, remote=account(TOKEN, 1))
    await driver.session()
    await driver.open(tool="echo", session="s1").text()
    fake.requests.clear()
    await place(driver, fake.url, remote=account(NEXT, 2))
    await driver.open(tool="echo", session="s1").text()
    assert sent(fake) == {f"Bearer {NEXT}"} and not fake.got("initialize")
    await restart(driver)
    fake.requests.clear()
    await driver.open(tool="echo", session="s1").text()
    assert sent(fake) == {f"Bearer {NEXT}"}


async def test_a_session_at_another_address_keeps_its_own(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await place(driver, fake.url, remote=account(TOKEN, 1))
    await driver.session()
    fake.requests.clear()
    elsewhere = remote_placement("http://127.0.0.1:9/mcp", remote=account(NEXT, 2))
    await driver.link.ask(c.Place(elsewhere))
    await driver.open(tool="echo", session="s1").text()
    assert sent(fake) == {f"Bearer {TOKEN}"}


def echoes(fake: FakeRemote) -> None:
    """A server that says what it was called with."""

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        said = f"called with {request.headers['authorization']}, and before with {TOKEN}"
        await request.result({"content": [{"type": "text", "text": said}]})


async def test_threat_27_it_comes_back_in_no_result_nor_does_a_new_one(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    echoes(fake)
    await place(driver, fake.url, remote=account(TOKEN, 1))
    await driver.session()
    shown = "called with Bearer [secret], and before with [secret]"
    assert await driver.open(tool="echo", session="s1").text() == shown
    await place(driver, fake.url, remote=account(NEXT, 2))
    assert await driver.open(tool="echo", session="s1").text() == shown
    await restart(driver)
    assert await driver.open(tool="echo", session="s1").text() == shown
    assert sent(fake) == {f"Bearer {TOKEN}", f"Bearer {NEXT}"}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_told_with_its_challenge_and_which_token_it_was(
    driver: Driver, fake: FakeRemote, status: int
) -> None:
    modern(fake)
    challenge = 'Bearer error="insufficient_scope", scope="files:write"'

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.answer(status, www_authenticate=challenge)

    await place(driver, fake.url, remote=account(TOKEN, 7))
    event = await driver.open(tool="echo").outcome()
    words = json.loads(event.data)["message"]
    assert await asked(driver) == SignInAsked(status, challenge, 7)
    if status == 403:
        assert "wants more than its account may (files:write)" in words
    await place(driver, fake.url, remote=account(NEXT, 8))
    assert await asked(driver) is None


# --- of one user


async def give(driver: Driver, subject: str, mark: str, remote: Remote) -> None:
    tokens = [remote.bearer] if remote.bearer else []
    await driver.link.ask(c.PlacePersonal("d1", 1, 0, Personal(subject, mark, remote=remote, tokens=tokens)))


def by(subject: str, mark: str, **fields: Any) -> dict[str, Any]:
    """A call of that user's."""
    return {"owner": f"{subject} cli d1", "isolation": subject, "subject": subject, "personal": mark, **fields}


async def own_asked(driver: Driver) -> list[SignInAsked]:
    (seen,) = (await driver.link.ask(c.GetStatus())).placements
    assert seen.sign_in is None
    return seen.own_sign_ins


async def test_a_users_new_one_counts_at_once_for_that_users_session_alone(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    await place(driver, fake.url, remote={"is_own": True})
    for who, token in (("alice", "at-of-alice"), ("bob", TOKEN)):
        await give(driver, who, f"m-{who}", Remote(fake.url, bearer=token, serial=1, is_own=True))
        await driver.session(f"s-{who}", **by(who, f"m-{who}"))
        await driver.open(tool="echo", session=f"s-{who}", **by(who, f"m-{who}")).text()
    fake.requests.clear()
    await give(driver, "bob", "m-bob", Remote(fake.url, bearer=NEXT, serial=2, is_own=True))
    await driver.open(tool="echo", session="s-bob", **by("bob", "m-bob")).text()
    assert sent(fake) == {f"Bearer {NEXT}"} and not fake.got("initialize")
    fake.requests.clear()
    await driver.open(tool="echo", session="s-alice", **by("alice", "m-alice")).text()
    assert sent(fake) == {"Bearer at-of-alice"}


async def test_threat_26_a_users_new_one_comes_back_in_no_result(driver: Driver, fake: FakeRemote) -> None:
    legacy(fake)
    echoes(fake)
    await place(driver, fake.url, remote={"is_own": True})
    await give(driver, "bob", "m1", Remote(fake.url, bearer=TOKEN, serial=1, is_own=True))
    await driver.session("s1", **by("bob", "m1"))
    for serial, token in enumerate((TOKEN, NEXT), start=1):
        await give(driver, "bob", "m1", Remote(fake.url, bearer=token, serial=serial, is_own=True))
        said = await driver.open(tool="echo", session="s1", **by("bob", "m1")).text()
        assert said == "called with Bearer [secret], and before with [secret]"
    assert sent(fake) == {f"Bearer {TOKEN}", f"Bearer {NEXT}"}


PAGE = "https://site.example/credentials/"


@pytest.mark.parametrize("is_own", [False, True])
async def test_a_refusal_of_one_users_is_told_with_that_user(driver: Driver, fake: FakeRemote, is_own: bool) -> None:
    """A header that its user brought, or the user's own account there."""
    modern(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        if request.headers["authorization"] == f"Bearer {TOKEN}":
            await request.answer(401, www_authenticate="Bearer")
        else:
            await request.result({"resultType": "complete", "content": []})

    def remote(token: str, serial: int) -> Remote:
        given = account(token, serial) if is_own else {"headers": {"Authorization": f"Bearer {token}"}}
        return Remote(fake.url, is_own=is_own, credentials_page=PAGE, **given)

    await place(driver, fake.url, remote={"is_own": is_own})
    await give(driver, "alice", "m1", remote("at-of-alice", 5))
    await driver.open(tool="echo", **by("alice", "m1")).outcome()
    await give(driver, "bob", "m2", remote(TOKEN, 7))
    event = await driver.open(tool="echo", **by("bob", "m2")).outcome()
    words = json.loads(event.data)["message"]
    assert "refuses the account or key that it was called with for you" in words and words.endswith(PAGE)
    assert await own_asked(driver) == [SignInAsked(401, "Bearer", 7 if is_own else 0, "bob", "m2")]
    await give(driver, "bob", "m3", remote(NEXT, 8))
    assert await own_asked(driver) == []


async def test_a_refusal_of_the_account_for_all_is_not_its_callers(driver: Driver, fake: FakeRemote) -> None:
    modern(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.answer(401, www_authenticate="Bearer")

    await place(driver, fake.url, remote=account(TOKEN, 3))
    await give(driver, "bob", "m1", Remote(fake.url, headers={"X-Team": "red"}, **account(TOKEN, 3)))
    event = await driver.open(tool="echo", **by("bob", "m1")).outcome()
    assert "its owner has to connect an account" in json.loads(event.data)["message"]
    assert await asked(driver) == SignInAsked(401, "Bearer", 3)


async def test_it_is_in_no_redirect_and_no_log(
    driver: Driver, fake: FakeRemote, caplog: pytest.LogCaptureFixture
) -> None:
    """A redirect is not followed, so that no other host sees the token; what a remote says back is masked."""
    caplog.set_level(logging.DEBUG)
    modern(fake)

    @fake.on("tools/call")
    async def call(request: Request) -> None:
        await request.answer(307, location=f"http://127.0.0.1:9/?t={request.headers['authorization']}")

    await place(driver, fake.url, remote=account(TOKEN, 1))
    event = await driver.open(tool="echo").outcome()
    assert "which is not followed" in json.loads(event.data)["message"]
    assert TOKEN.encode() not in event.data and TOKEN not in caplog.text
    tail = await driver.link.ask(c.GetTail("d1", 100))
    assert TOKEN not in "".join(line.line for line in tail.lines)
    assert TOKEN not in repr(remote_placement(fake.url, remote=account(TOKEN, 1)))
