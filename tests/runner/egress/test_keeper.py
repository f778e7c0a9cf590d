"""The proxy process ends, is handed over or is left behind; instances keep their way out."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from hosting.runner.egress.keeper import Keeper
from tests.runner.egress.conftest import LetOut, Outside
from tests.runner.egress.peers import echo


async def test_way_out_is_opened_again_when_the_proxy_was_killed(let_out: LetOut, outside: Outside) -> None:
    outside.name("api.example.org", "127.77.0.1")
    async with echo("127.77.0.1") as peer:
        probe = await let_out(ports=[peer.port])
        assert await probe.ask("net.talk", "api.example.org", peer.port, "one") == "one"
        os.kill(outside.keeper.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while await probe.ask("net.talk", "api.example.org", peer.port, "two") != "two":  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_open_connections_live_on_when_the_runner_hands_itself_over(let_out: LetOut, outside: Outside) -> None:
    async with echo("127.77.0.1") as peer:
        probe = await let_out(ports=[peer.port])
        await probe.ask("net.hold", "127.77.0.1", peer.port, 1)
        assert await probe.ask("net.echoed", 0, "before") == "before"
        await outside.row("127.77.0.1", peer.port)
        handed = outside.keeper.hand_over()
        assert os.get_inheritable(handed.control)
        successor = Keeper(lambda spec: outside.policies[spec.instance])
        successor.start(handed)
        outside.runtime.doorway = outside.keeper = successor
        assert await probe.ask("net.echoed", 0, "after") == "after"
        assert await probe.ask("net.talk", "127.77.0.1", peer.port, "new") == "new"
        second = await let_out(ports=[peer.port])
        assert await second.ask("net.talk", "127.77.0.1", peer.port, "hi") == "hi"
        assert (await outside.row("127.77.0.1", peer.port)).connections >= 1


async def test_proxy_that_is_down_at_the_hand_over_is_started_for_the_successor(
    let_out: LetOut, outside: Outside
) -> None:
    async with echo("127.77.0.1") as peer:
        probe = await let_out(ports=[peer.port])
        os.kill(outside.keeper.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while outside.keeper.pid:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        outside.keeper.start(outside.keeper.hand_over())
        async with asyncio.timeout(60):
            while await probe.ask("net.talk", "127.77.0.1", peer.port, "hi") != "hi":  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_proxy_and_its_helper_end_with_the_runner(outside: Outside) -> None:
    pid = outside.keeper.pid
    async with asyncio.timeout(60):
        while not (children := _children(pid)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    helper = os.pidfd_open(int(children[0]))
    os.close(outside.keeper.hand_over().control)  # as it is when the runner dies
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    assert status == 0
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(helper, gone.set)
    async with asyncio.timeout(60):
        await gone.wait()
    asyncio.get_running_loop().remove_reader(helper)
    os.close(helper)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
