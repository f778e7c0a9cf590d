"""What a hosted server finds when it looks for a way out of bubblewrap. Asked from the inside."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import sys
from pathlib import Path

import pytest

from hosting.runner.placement import Limits
from hosting.runner.runtimes.base import LaunchFailed, LaunchSpec, Runtime
from tests.runner.runtimes.conftest import READ_ONLY, Launch

REPOSITORY = Path(__file__).parents[3]
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000


# --- what it can read


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/etc/ssh", "/root", "/var/log", "/sys/kernel", "/proc/keys", "/proc/kallsyms", "/run/user"]
)
async def test_machine_can_not_be_read(launch: Launch, path: str) -> None:
    probe = await launch()
    answers = [await probe.ask("read", path), await probe.ask("listing", path)]
    assert not any(isinstance(answer, list) and set(answer) - {".pyenv"} for answer in answers), answers
    assert answers[0] in ("ENOENT", "EACCES", "EISDIR"), answers


async def test_project_folder_and_data_folder_can_not_be_read(launch: Launch, tmp_path: Path) -> None:
    secret = tmp_path / "secrets" / "sealing_key"
    secret.parent.mkdir()
    secret.write_text("hunter2")
    secret.chmod(0o644)
    probe = await launch()
    assert await probe.ask("read", str(secret)) == "ENOENT"
    for name in ("pyproject.toml", "hosting", ".git"):
        assert await probe.ask("read", str(REPOSITORY / name)) == "ENOENT"
    assert await probe.ask("listing", str(REPOSITORY)) == ["tests"]
    assert await probe.ask("listing", str(REPOSITORY / "tests")) == ["servers"]


async def test_another_servers_files_can_not_be_read(launch: Launch, tmp_path: Path) -> None:
    first = await launch(home=tmp_path)
    await first.ask("write", "/home/server/mine", 10)
    await first.ask("write", "/tmp/mine", 10)
    second = await launch()
    assert await second.ask("listing", "/home/server") == []
    assert "mine" not in await second.ask("listing", "/tmp")  # but for folders on the way to what is bound there
    assert await second.ask("listing", str(tmp_path)) == "ENOENT"


async def test_processes_of_others_are_not_there(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_SECRET", "hunter2")
    await launch(env={"OTHER_SECRET": "hunter3"})
    probe = await launch()
    seen = await probe.ask("processes")
    own = str((await probe.ask("whoami"))[3])
    assert set(seen) == {"1", own}
    assert not any("SECRET" in text or "hunter" in text for text in seen.values())
    for name in ("cmdline", "mountinfo", "cgroup"):
        text = await probe.ask("read", f"/proc/1/{name}")
        assert "SECRET" not in text


async def test_command_lines_on_the_host_show_no_environment(launch: Launch) -> None:
    probe = await launch(env={"API_KEY": "hunter2"})
    keeper = probe.process.parts.keeper  # type: ignore[attr-defined]
    assert "hunter2" not in _text(f"/proc/{keeper}/cmdline")


# --- what it can write


@pytest.mark.parametrize("folder", ["/", "/usr", "/usr/lib", "/etc", "/home", "/dev", "/var", "/run", *READ_ONLY])
async def test_nothing_outside_home_and_tmp_can_be_written(launch: Launch, folder: str) -> None:
    probe = await launch()
    assert await probe.ask("write", f"{folder}/planted") in ("EROFS", "EACCES")


@pytest.mark.parametrize("path", ["/proc/sys/kernel/hostname", "/proc/self/oom_score_adj", "/proc/sysrq-trigger"])
async def test_kernel_settings_can_not_be_written(launch: Launch, path: str) -> None:
    probe = await launch()
    answer = await probe.ask("write", path)
    assert answer in ("EROFS", "EACCES", "EPERM", "EINVAL", "ENOENT")


@pytest.mark.parametrize("folder", ["/tmp", "/home/server", "/dev/shm", "/var/tmp"])
async def test_own_folders_are_writable_up_to_the_disk_limit(launch: Launch, folder: str) -> None:
    probe = await launch(limits=Limits(disk_bytes=2**20))
    for number in range(3):
        answer = await probe.ask("write", f"{folder}/{number}", 2**19)
    assert answer == "ENOSPC"
    place = "/tmp" if folder == "/var/tmp" else folder
    assert (await probe.usage()).limit_events == [f"disk limit of 1 MB for {place} reached"]
    probe.tell("leave", 1)
    ended = await probe.process.wait()
    assert ended.reason == f"exited with code 1; disk limit of 1 MB for {place} reached"


# --- what it can reach


async def test_services_of_the_host_can_not_be_reached(launch: Launch, tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    name = f"@slipway-test-{os.getpid()}"
    tcp = await asyncio.start_server(answer, "127.0.0.1", 0)
    unix = await asyncio.start_unix_server(answer, tmp_path / ".s.PGSQL.5432")
    abstract = await asyncio.start_unix_server(answer, "\0" + name[1:])
    async with tcp, unix, abstract:
        probe = await launch()
        port = tcp.sockets[0].getsockname()[1]
        assert await probe.ask("connect", "AF_INET", ["127.0.0.1", port]) == "ECONNREFUSED"
        assert await probe.ask("connect", "AF_UNIX", str(tmp_path / ".s.PGSQL.5432")) == "ENOENT"
        assert await probe.ask("connect", "AF_UNIX", name) == "ECONNREFUSED"


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "192.0.2.1", "1.1.1.1"])
async def test_metadata_and_outside_can_not_be_reached(launch: Launch, address: str) -> None:
    probe = await launch()
    assert await probe.ask("connect", "AF_INET", [address, 80]) == "ENETUNREACH"


async def test_names_are_not_resolved(launch: Launch) -> None:
    probe = await launch()
    assert str(await probe.ask("resolve", "example.org")).startswith("gaierror")
    assert await probe.ask("resolve", "localhost") != "EAI_AGAIN"


@pytest.mark.parametrize("family", [16 + 1, 38, 40, 44])  # packet, kernel crypto, vsock, XDP
async def test_socket_families_beyond_the_network_namespace_are_refused(launch: Launch, family: int) -> None:
    probe = await launch()
    assert await probe.ask("make_socket", family) == "EAFNOSUPPORT"


# --- what it is


async def test_it_has_no_privileges_and_is_filtered(launch: Launch) -> None:
    probe = await launch()
    status = await probe.ask("status")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert (await probe.ask("whoami"))[:2] == [1000, 1000]
    assert await probe.ask("setuid", 0) in ("EPERM", "EINVAL")


async def test_first_process_inside_lends_no_privileges(launch: Launch) -> None:
    """It must be filtered itself, or another user's: a server can act through the memory of its own user's."""
    probe = await launch()
    status = await probe.ask("read", "/proc/1/status")
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    if os.geteuid() == 0:
        assert await probe.ask("poke", 1) == "EACCES"
        assert await probe.ask("read", "/proc/1/environ") == "EACCES"
    else:
        assert "Seccomp:\t2" in status


async def test_namespaces_mounts_and_tracing_are_refused(launch: Launch) -> None:
    probe = await launch()
    assert await probe.ask("unshare", CLONE_NEWUSER) == "EPERM"
    assert await probe.ask("unshare", CLONE_NEWNS) == "EPERM"
    assert await probe.ask("mount") == "EPERM"
    assert await probe.ask("ptrace") == "EPERM"
    if os.uname().machine == "x86_64":
        assert await probe.ask("syscall", 56, CLONE_NEWUSER | 17, 0, 0, 0, 0) == "EPERM"  # clone
        assert await probe.ask("syscall", 435, 0, 0) == "ENOSYS"  # clone3
        assert await probe.ask("syscall", 425, 1, 0) == "EPERM"  # io_uring_setup
        assert await probe.ask("syscall", 321, 0, 0, 0) == "EPERM"  # bpf
        assert await probe.ask("syscall", 0x40000000 + 39) == "EPERM"  # getpid by its x32 number


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give each instance a user of its own")
async def test_each_instance_is_a_user_of_its_own(launch: Launch) -> None:
    probes = [await launch(), await launch()]
    uids = {os.stat(f"/proc/{probe.process.pid}").st_uid for probe in probes}
    assert len(uids) == 2
    assert 0 not in uids
    assert os.geteuid() not in uids
    for kind in ("user", "pid", "net", "mnt", "ipc", "uts"):
        namespaces = {os.readlink(f"/proc/{probe.process.pid}/ns/{kind}") for probe in probes}
        assert len(namespaces | {os.readlink(f"/proc/self/ns/{kind}")}) == 3, kind


# --- where it is stopped


@pytest.mark.parametrize("kind", ["bubblewrap", "bubblewrap-watched"])
async def test_process_limit_holds_and_is_named(launch: Launch) -> None:
    probe = await launch(limits=Limits(processes=10))
    assert await probe.ask("fork", 40) == [9, "EAGAIN"]
    assert (await probe.usage()).limit_events == ["process limit of 10 reached"]
    probe.tell("leave", 1)
    assert (await probe.process.wait()).reason == "exited with code 1; process limit of 10 reached"


async def test_full_disk_counts_as_memory(launch: Launch) -> None:
    probe = await launch(limits=Limits(disk_bytes=256 * 2**20, memory_bytes=64 * 2**20))
    probe.tell("write", "/tmp/big", 200 * 2**20)
    assert (await probe.process.wait()).reason == "memory limit of 64 MB reached"


async def test_process_in_another_session_ends_with_its_server(launch: Launch) -> None:
    probe = await launch()
    await probe.ask("orphan")
    assert (await probe.usage()).processes == 2
    inside = probe.process.parts.root  # type: ignore[attr-defined]
    pids = [int(pid) for pid in _text(f"/proc/{inside}/task/{inside}/children").split()]
    fds = [os.pidfd_open(pid) for pid in pids]
    assert len(fds) == 2
    probe.tell("leave", 0)
    await probe.process.wait()
    for fd in fds:
        assert _has_ended(fd)
        os.close(fd)


async def test_killed_runner_takes_its_instances_along(tmp_path: Path) -> None:
    script = """if True:
        import asyncio, sys
        from hosting.runner.runtimes.base import LaunchSpec
        from hosting.runner.runtimes.bubblewrap import Bubblewrap

        async def main():
            process = await Bubblewrap().start(LaunchSpec("i", ["/bin/sleep", "600"]))
            print(process.pid, process.parts.root, process.parts.keeper, flush=True)
            await process.wait()

        asyncio.run(main())
    """
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    assert runner.stdout is not None
    fds = [os.pidfd_open(int(pid)) for pid in (await runner.stdout.readline()).split()]
    runner.kill()
    await runner.wait()
    loop = asyncio.get_running_loop()
    for fd in fds:
        gone = asyncio.Event()
        loop.add_reader(fd, gone.set)
        async with asyncio.timeout(60):
            await gone.wait()
        loop.remove_reader(fd)
        os.close(fd)


def _text(path: str) -> str:
    return Path(path).read_text()


def _has_ended(pidfd: int) -> bool:
    return bool(select.select([pidfd], [], [], 60)[0])


# --- what it refuses to start


@pytest.mark.parametrize("path", ["/", "/home", "/tmp", "/proc", "relative", "/usr/../etc"])
async def test_path_that_would_open_the_sandbox_is_refused(runtime: Runtime, path: str) -> None:
    with pytest.raises(LaunchFailed, match="read-only path"):
        await runtime.start(LaunchSpec("i", ["/bin/true"], read_only=[path]))


async def test_missing_path_is_named(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match="gone does not exist"):
        await runtime.start(LaunchSpec("i", ["/bin/true"], read_only=[str(tmp_path / "gone")]))


async def test_variable_that_no_process_can_have_is_refused(runtime: Runtime) -> None:
    with pytest.raises(LaunchFailed, match="environment variable"):
        await runtime.start(LaunchSpec("i", ["/bin/true"], env={"A=B": "c"}))


async def test_sandbox_that_can_not_be_built_says_why(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match=r"could not be built: .*gone"):
        await runtime.start(LaunchSpec("i", ["/bin/true"], home=tmp_path / "gone"))
    with socket.socket(socket.AF_UNIX):  # and what it held is free again
        assert (await runtime.check()).is_able
