"""Ways out of the sandbox, each by its name, tried from the inside by a server that has a way to the network.

One table, so that what was tried can be seen at a glance. More of each kind stand in test_refusals.py (the network),
runtimes/test_sandbox.py (files, processes, kernel) and runtimes/test_contract.py (limits).
"""

from __future__ import annotations

import asyncio
import os
import platform
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hosting.runner.egress.policy import Policy
from hosting.runner.placement import Egress, Limits
from hosting.runner.runtimes.base import LaunchSpec
from tests.runner.egress.conftest import LetOut, Outside
from tests.runner.runtimes.conftest import PROBE, READ_ONLY, Probe

X86 = platform.machine() == "x86_64"
NO = ("EPERM", "EACCES", "EROFS", "ENOENT", "ENOTDIR")
NEWNS, NEWUSER, NEWNET = 0x00020000, 0x10000000, 0x40000000
HOST = str(Path(__file__).parents[3])

# name: (what the probe is told, answers that mean it stayed inside)
ATTEMPTS: dict[str, tuple[Sequence[Any], Sequence[Any]]] = {
    # files
    "passwords of the machine": (["read", "/etc/shadow"], NO),
    "project and its settings": (["read", f"{HOST}/pyproject.toml"], NO),
    "home of the user who runs it": (["listing", os.path.expanduser("~/.ssh")], NO),
    # Where it is of the same user it can be read, and is no more than its own.
    "environment of the first process": (["read", "/proc/1/environ"], [*NO, "LOGNAME=server\0"]),
    "memory of the machine": (["read", "/dev/mem"], NO),
    "a device of its own making": (["device", "/tmp/mem"], NO),
    "kernel symbols": (["read", "/proc/kallsyms"], [*NO, ""]),
    "control groups": (["write", "/sys/fs/cgroup/cgroup.procs"], NO),
    "handler of core dumps": (["write", "/proc/sys/kernel/core_pattern"], NO),
    "magic system request": (["write", "/proc/sysrq-trigger"], [*NO, "EINVAL"]),
    "programs of the system": (["write", "/usr/bin/planted"], NO),
    "its own installed environment": (["write", f"{READ_ONLY[0]}/probe.py"], NO),
    "link to the machine's files": (["link", "symlink", "/etc/shadow", "/home/server/link"], NO),
    "hard link to a file that it may only read": (["link", "link", "/etc/passwd", "/home/server/hard"], [*NO, "EXDEV"]),
    # processes and kernel
    "tracing": (["ptrace"], ["EPERM"]),
    "memory of the first process": (["poke", 1], [*NO, True] if os.geteuid() else NO),
    "signal to the runner": (["send_signal", os.getpid(), signal.SIGTERM], ["ESRCH"]),
    "becoming root": (["setuid", 0], ["EPERM", "EINVAL"]),
    "a user namespace": (["unshare", NEWUSER], ["EPERM"]),
    "a mount namespace": (["unshare", NEWNS], ["EPERM"]),
    "a network namespace": (["unshare", NEWNET], ["EPERM"]),
    "namespaces of the first process": (["enter", "/proc/1/ns/net", NEWNET], [*NO]),
    "a mount": (["mount"], ["EPERM"]),
    "32-bit and x32 calls": (["syscall", 0x40000000 + 39], ["EPERM"]),
    "clone with namespaces": (["syscall", 56, NEWUSER | 17, 0, 0, 0, 0], ["EPERM"]),
    "clone3": (["syscall", 435, 0, 0], ["ENOSYS"]),
    "io_uring": (["syscall", 425, 1, 0], ["EPERM"]),
    "bpf": (["syscall", 321, 0, 0, 0], ["EPERM"]),
    "userfaultfd": (["syscall", 323, 0], ["EPERM"]),
    "performance counters": (["syscall", 298, 0, 0, 0, 0, 0], ["EPERM"]),
    "keyring": (["syscall", 248, 0, 0, 0, 0, 0], ["EPERM"]),
    "kernel module": (["syscall", 313, 0, 0, 0], ["EPERM"]),
    "file handles": (["syscall", 304, 0, 0, 0], ["EPERM"]),
    "memory of another process": (["syscall", 311, 1, 0, 0, 0, 0, 0], ["EPERM"]),
    "chroot": (["syscall", 161, 0], ["EPERM"]),
    "pivot_root": (["syscall", 155, 0, 0], ["EPERM"]),
    # sockets
    "raw socket": (["raw", 1], ["EPERM"]),
    "packet socket": (["make_socket", 17], ["EAFNOSUPPORT"]),
    "socket to the virtual machine's host": (["make_socket", 40], ["EAFNOSUPPORT"]),
    "kernel cryptography socket": (["make_socket", 38], ["EAFNOSUPPORT"]),
    "routes of its network": (["change_route"], ["EPERM"]),
    "taking the proxy's port": (["bind", 443], ["EACCES"]),
    "taking the name server's port": (["bind", 53], ["EACCES"]),
    "system bus": (["connect", "AF_UNIX", "/run/dbus/system_bus_socket"], NO),
    "container engine": (["connect", "AF_UNIX", "/var/run/docker.sock"], NO),
    # network
    "metadata address": (["net.talk", "169.254.169.254", 443, "x"], ["\x15\x03\x03\x00\x02\x021"]),
    "metadata address as a number": (["net.https", "https://2852039166/"], ["denied"]),
    "loopback in octal": (["net.https", "https://0177.0.0.1/"], ["denied"]),
    "private address": (["net.tls", "10.0.0.1", 443, ""], ["denied"]),
    "another machine's ssh": (["net.talk", "93.184.215.14", 22, "x"], ["ConnectionRefused"]),
    "mail": (["net.talk", "93.184.215.14", 25, "x"], ["ConnectionRefused"]),
    "name of a private address": (["net.query", "inner.example.org"], [[3, 0]]),
    "name of a mapped address": (["net.query", "mapped.example.org"], [[3, 0]]),
    "IPv6": (["connect", "AF_INET6", ["2606:4700:4700::1111", 443]], ["ENETUNREACH"]),
}


@pytest.fixture
async def probe(let_out: LetOut, outside: Outside) -> Probe:
    outside.name("inner.example.org", "10.0.0.1")
    outside.name("mapped.example.org", "::ffff:10.0.0.1")
    return await let_out(private=[])


# Numbers of system calls are those of x86_64; runtimes/test_seccomp.py has the filters of other processors.
HERE = [name for name, (told, _) in ATTEMPTS.items() if X86 or told[0] != "syscall"]


@pytest.mark.parametrize("name", HERE)
async def test_attempt_stays_inside(probe: Probe, name: str) -> None:
    told, inside = ATTEMPTS[name]
    answer = await probe.ask(*told)
    if isinstance(answer, str) and answer not in inside:
        assert any(isinstance(words, str) and words and words in answer for words in inside), answer
    else:
        assert answer in inside


def _spec(instance: str, **fields: Any) -> LaunchSpec:
    return LaunchSpec(instance, PROBE, {}, READ_ONLY, deployment="d1", egress=Egress("public"), **fields)


async def start(outside: Outside, instance: str, **fields: Any) -> Probe:
    outside.policies[instance] = Policy()
    return Probe(await outside.runtime.start(_spec(instance, **fields)))


@pytest.mark.parametrize(
    ("bomb", "limits", "words"),
    [
        (["fork", 10_000], Limits(processes=20), "process limit of 20 reached"),
        (["allocate", 4096], Limits(memory_bytes=64 * 2**20), "memory limit of 64 MB reached"),
        (["open_files", 10_000], Limits(open_files=64), "open file limit of 64 reached"),
        (["spin"], Limits(cpu_seconds=1), "CPU limit of 1 s reached"),
    ],
    ids=["fork bomb", "memory bomb", "descriptors", "processor"],
)
async def test_bomb_hurts_only_itself(outside: Outside, bomb: Sequence[Any], limits: Limits, words: str) -> None:
    bad, good = await start(outside, "bad", limits=limits), await start(outside, "good")
    bad.tell(*bomb)
    try:
        assert await good.ask("say", "still here") is True
        if bomb[0] in ("allocate", "spin"):
            assert (await bad.process.wait()).reason == words
        else:
            await bad.line(bad.process.stdout)
            assert bad.process.usage().limit_events == [words]
        assert await good.ask("fork", 3) == [3, ""]
    finally:
        await asyncio.gather(bad.process.stop(0), good.process.stop(0))
        bad.process.close()
        good.process.close()


async def test_full_disk_is_its_own(outside: Outside) -> None:
    bad, good = await start(outside, "bad", limits=Limits(disk_bytes=2**20)), await start(outside, "good")
    for number in range(3):
        answer = await bad.ask("write", f"/tmp/{number}", 2**19)
    assert answer == "ENOSPC"
    assert await good.ask("write", "/tmp/mine", 2**19) is True
    await asyncio.gather(bad.process.stop(0), good.process.stop(0))
    bad.process.close()
    good.process.close()


async def test_link_left_in_a_data_folder_leads_nobody_to_the_machine(outside: Outside, tmp_path: Path) -> None:
    """The next instance sees the link as this one does: in a system without the machine's files."""
    home, secret = tmp_path / "data", tmp_path / "secret"
    home.mkdir()
    secret.write_text("hunter2")
    for turn in range(2):
        probe = await start(outside, f"turn{turn}", home=home)
        if turn == 0:
            assert await probe.ask("link", "symlink", str(secret), "way") == "ENOENT"
        assert await probe.ask("read", "/home/server/way") == "ENOENT"
        await probe.process.stop(0)
        probe.process.close()


async def test_abstract_sockets_and_the_runners_own_are_elsewhere(probe: Probe, tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    name = f"slipway-escape-{os.getpid()}"
    abstract = await asyncio.start_unix_server(answer, f"\0{name}")
    stream = await asyncio.start_unix_server(answer, tmp_path / "runner.sock")
    async with abstract, stream:
        assert await probe.ask("connect", "AF_UNIX", f"@{name}") == "ECONNREFUSED"
        assert await probe.ask("connect", "AF_UNIX", str(tmp_path / "runner.sock")) == "ENOENT"
