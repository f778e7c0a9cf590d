"""Homes that outlive their instances, with a real server that writes into them."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hosting.runner import control as c
from hosting.runner.folders import Folders, FoldersError, key_of
from hosting.runner.frames import Kind, Reason
from hosting.runner.placement import Limits
from hosting.runner.runtimes.base import LaunchFailed
from hosting.runner.seen import FolderSeen
from hosting.runner.zipping import zip_folder
from hosting.stream.stream import DetachedError, RefusedError
from tests.runner.conftest import SECONDS, Call, Driver, placement, until

KEPT = placement(data_folder=True, isolation="principal", idle_seconds=0.3, spare_seconds=0.2)


async def write(driver: Driver, subject: str = "alice", **fields: Any) -> None:
    """One line into a file in the server's home."""
    values = {"owner": subject, "isolation": subject, "subject": subject, **fields}
    assert await driver.open(tool="slow", arguments={"seconds": 0}, **values).text() == "done"


async def lines(driver: Driver, subject: str = "alice", **fields: Any) -> int:
    values = {"owner": subject, "isolation": subject, "subject": subject, **fields}
    return int(await driver.open(tool="count", **values).text())


async def asleep(driver: Driver) -> None:
    async def is_asleep() -> bool:
        return not any(p.instances for p in (await driver.link.ask(c.GetStatus())).placements)

    await until(is_asleep)


async def folders(driver: Driver) -> list[FolderSeen]:
    return (await driver.link.ask(c.GetStatus())).folders


async def download(driver: Driver, key: str) -> zipfile.ZipFile:
    asked, body = c.GetData("d1", key), b""
    async with asyncio.timeout(SECONDS):
        while True:
            part = await driver.link.ask(asked)
            body += part.body
            if part.is_last:
                return zipfile.ZipFile(io.BytesIO(body))
            if not part.is_ready:
                await asyncio.sleep(0.02)
            asked = c.GetData("d1", key, part.ticket, len(body))


@pytest.mark.parametrize("sandbox", ["bubblewrap", "insecure"])
async def test_what_was_written_is_there_after_sleep(start_runner: Callable[..., Any], sandbox: str) -> None:
    driver: Driver = await start_runner(sandbox)
    await driver.link.ask(c.Place(KEPT))
    await write(driver)
    await asleep(driver)
    await write(driver)
    assert await lines(driver) == 2


async def test_each_user_has_a_folder_and_a_shared_server_has_one_for_all(driver: Driver) -> None:
    await driver.link.ask(c.Place(KEPT))
    await write(driver, "alice")
    await write(driver, "alice", owner="another client of alice", isolation="another client of alice")
    await write(driver, "bob")
    assert (await lines(driver, "alice"), await lines(driver, "bob")) == (2, 1)
    seen = await folders(driver)
    assert {(one.key, one.subject) for one in seen} == {(key_of("alice"), "alice"), (key_of("bob"), "bob")}
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, deployment="d2", isolation="shared")))
    await write(driver, "alice", deployment="d2")
    assert await lines(driver, "bob", deployment="d2") == 1


async def test_nobodys_calls_keep_nothing(driver: Driver) -> None:
    await driver.link.ask(c.Place(KEPT))
    await write(driver, "", isolation="")
    assert await lines(driver, "", isolation="") == 0
    assert await folders(driver) == []


async def test_sessions_of_one_user_share_the_instance_that_has_it(driver: Driver) -> None:
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, isolation="session", idle_seconds=60)))
    for name in ("s1", "s2"):
        await driver.session(name, subject="alice")
        await write(driver, session=name)
    assert await lines(driver, session="s2") == 2


async def test_one_at_a_time_writes_it(driver: Driver) -> None:
    """Another client of the same user waits its turn, and gets it when the first one is quiet."""
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, idle_seconds=60)))
    other = {"subject": "alice", "owner": "other", "isolation": "other"}
    first = driver.open(tool="slow", arguments={"seconds": 1}, subject="alice")
    second = driver.open(tool="count", **other)
    with pytest.raises(DetachedError) as caught:
        await second.outcome()
    assert caught.value.reason == Reason.BUSY
    assert "data folder is in use" in caught.value.detail
    assert await first.text() == "done"
    await asyncio.sleep(0.3)
    assert await driver.open(tool="count", **other).text() == "1"


async def test_it_is_measured_and_one_that_is_too_large_ends_its_server(driver: Driver) -> None:
    limits = Limits(data_bytes=2048)
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, idle_seconds=60, limits=limits)))
    await write(driver)
    call = driver.open(tool="slow", arguments={"seconds": 30}, subject="alice")
    outcome = await call.outcome()
    assert outcome.kind is Kind.ERROR
    words = msgspec.json.decode(outcome.data)["message"]
    assert "its data folder holds 4 KB, the limit is 2 KB: download what you need and delete it" in words
    again = await driver.open(tool="count", subject="alice").outcome()
    assert "its data folder holds 4 KB" in msgspec.json.decode(again.data)["message"]
    (seen,) = await folders(driver)
    await driver.link.ask(c.DeleteData("d1", seen.key))
    assert await lines(driver) == 0


async def test_it_comes_as_a_zip(driver: Driver) -> None:
    await driver.link.ask(c.Place(KEPT))
    await write(driver)
    with await download(driver, key_of("alice")) as found:
        assert found.read("count.txt") == b"ran\n"


async def test_what_is_not_there_can_not_be_had(driver: Driver) -> None:
    for asked in (c.GetData("d1", key_of("x")), c.GetData("../..", "etc"), c.GetData("d1", "x", ticket="guessed")):
        with pytest.raises(RefusedError):
            await driver.link.ask(asked)
    assert not (await driver.link.ask(c.DeleteData("../../etc", ""))).first


async def test_deleted_it_is_gone_and_its_server_ends(driver: Driver, tmp_path: Path) -> None:
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, idle_seconds=60)))
    await write(driver, "alice")
    await write(driver, "bob")
    assert (await driver.link.ask(c.DeleteData("d1", key_of("alice")))).first
    assert [one.subject for one in await folders(driver)] == ["bob"]
    assert (await lines(driver, "alice"), await lines(driver, "bob")) == (0, 1)
    await driver.link.ask(c.DeleteData("d1"))
    assert await folders(driver) == []


async def test_it_is_known_after_a_restart_of_every_kind(start_runner: Callable[..., Any]) -> None:
    driver: Driver = await start_runner()
    await driver.link.ask(c.Place(KEPT))
    await write(driver)
    await driver.link.ask(c.Restart())

    async def is_restarted() -> bool:
        return bool((await driver.link.ask(c.GetStatus())).restarts)

    await until(is_restarted)
    assert await lines(driver) == 1
    driver.process.kill()
    await driver.process.wait()
    again: Driver = await start_runner()
    assert [one.subject for one in await folders(again)] == ["alice"]
    await again.link.ask(c.Place(KEPT))
    assert await lines(again) == 1


async def test_a_drained_runner_still_serves_it(driver: Driver) -> None:
    await driver.link.ask(c.Place(KEPT))
    await driver.link.ask(c.Drain())
    await write(driver)
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, generation=1)))
    assert await lines(driver) == 1


async def test_a_new_version_gets_it_when_the_old_one_is_quiet(driver: Driver) -> None:
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, idle_seconds=60)))
    await driver.session("s1", owner="alice", subject="alice")
    await write(driver, session="s1")
    await driver.link.ask(c.Place(msgspec.structs.replace(KEPT, generation=1, version="v2")))
    await asyncio.sleep(0.3)
    assert await lines(driver) == 1
    with pytest.raises(DetachedError):
        await Call(driver.link.attach("session:s1", owner="alice")).outcome()


# --- without a server


def test_links_and_pipes_are_not_followed_into_the_zip(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    home = tmp_path / "home"
    (home / "deep" / "er").mkdir(parents=True)
    (home / "deep" / "file").write_text("mine")
    (home / "link").symlink_to(secret)
    (home / "up").symlink_to(tmp_path)
    os.mkfifo(home / "pipe")
    fd = zip_folder(home, tmp_path)
    with os.fdopen(fd, "rb") as file, zipfile.ZipFile(file) as found:
        assert sorted(found.namelist()) == ["deep/", "deep/er/", "deep/file", "up/"]
        assert found.read("deep/file") == b"mine"


async def test_a_full_folder_is_refused_in_words(tmp_path: Path) -> None:
    made = Folders(tmp_path)
    home = made.open("d1", "alice", 4096)
    (home / "file").write_bytes(b"x" * 20_000)
    assert await made.measure("d1", "alice") >= 20_000
    with pytest.raises(LaunchFailed, match="holds .* KB, the limit is 4 KB"):
        Folders(tmp_path).open("d1", "alice", 4096)
    assert made.open("d1", "alice", 0) == home


async def test_downloads_are_limited(tmp_path: Path) -> None:
    made = Folders(tmp_path)
    made.open("d1", "alice", 0)
    for _ in range(16):
        made.part("d1", key_of("alice"), "", 0)
    with pytest.raises(FoldersError, match="16 downloads"):
        made.part("d1", key_of("alice"), "", 0)
    await asyncio.sleep(0.2)  # the zips are made
