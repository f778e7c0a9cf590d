"""The filter's program, run by a small machine: for the processor at hand the kernel tries it in test_sandbox."""

from __future__ import annotations

import errno
import struct

import pytest

from hosting.runner.runtimes import seccomp
from hosting.runner.runtimes.syscalls import PROCESSORS

ALLOWED, KILLED = "allowed", "killed"


def run(machine: str, call: int | str, *arguments: int, arch: int | None = None) -> str:
    """What the filter says to a call, by name or number: allowed, killed or the error's name."""
    processor = PROCESSORS[machine]
    number = processor.numbers[call] if isinstance(call, str) else call
    data = struct.pack("<IIQ6Q", number, arch or processor.audit, 0, *arguments, *[0] * (6 - len(arguments)))
    program = seccomp.program(machine)
    accumulator = place = 0
    while True:
        code, yes, no, value = program[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x06:
            action = {0x7FFF0000: ALLOWED, 0x80000000: KILLED}
            return action.get(value) or errno.errorcode[value & 0xFFFF]
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            place += yes if holds else no


pytestmark = pytest.mark.parametrize("machine", list(PROCESSORS))


@pytest.mark.parametrize("name", seccomp.REFUSED)
def test_refused_calls_are_refused(machine: str, name: str) -> None:
    if name in PROCESSORS[machine].numbers:
        assert run(machine, name) == "EPERM"


def test_every_refused_name_is_known_to_some_processor(machine: str) -> None:
    assert set(seccomp.REFUSED) <= set().union(*(processor.numbers for processor in PROCESSORS.values()))


def test_common_calls_are_allowed(machine: str) -> None:
    common = {"x86_64": [0, 1, 9, 39, 59, 61, 202, 257, 318], "aarch64": [56, 57, 63, 64, 98, 172, 221, 222, 260, 278]}
    assert {run(machine, number) for number in common[machine]} == {ALLOWED}


@pytest.mark.parametrize("flags", [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
def test_clone_makes_no_namespaces(machine: str, flags: int) -> None:
    assert run(machine, "clone", flags | 17) == "EPERM"


def test_clone_makes_threads_and_processes(machine: str) -> None:
    assert run(machine, "clone", 0x003D0F00) == ALLOWED  # as pthread_create calls it
    assert run(machine, "clone", 0x01200011) == ALLOWED  # as fork does
    assert run(machine, "clone", 0x4111) == ALLOWED  # as posix_spawn does
    assert run(machine, "clone3") == "ENOSYS"


def test_sockets_are_of_known_families(machine: str) -> None:
    assert {run(machine, "socket", family, 1) for family in (1, 2, 10, 16)} == {ALLOWED}
    assert {run(machine, "socket", family, 1) for family in (0, 3, 17, 38, 40, 44)} == {"EAFNOSUPPORT"}


def test_terminals_are_not_typed_into(machine: str) -> None:
    assert run(machine, "ioctl", 0, 0x5412) == run(machine, "ioctl", 0, 0x541C) == "EPERM"
    # the upper half of an ioctl's number is ignored by the kernel, so it must be by the filter
    assert run(machine, "ioctl", 0, 0x100005412) == "EPERM"
    assert run(machine, "ioctl", 0, 0x5401) == ALLOWED


def test_personality_can_be_asked_but_not_loosened(machine: str) -> None:
    assert run(machine, "personality", 0xFFFFFFFF) == ALLOWED
    assert run(machine, "personality", 0x0040000) == "EPERM"  # ADDR_NO_RANDOMIZE


def test_foreign_calls_are_ended_and_unknown_ones_do_not_exist(machine: str) -> None:
    assert run(machine, 39, arch=0x40000003) == KILLED
    assert run(machine, 471) == "ENOSYS"
    if machine == "x86_64":
        assert run(machine, 0x40000000 + 59) == "EPERM"


def test_program_fits_the_kernels_limit(machine: str) -> None:
    assert len(seccomp.bytecode(machine)) == 8 * len(seccomp.program(machine)) < 8 * 4096
    assert all(yes <= 255 and no <= 255 for _, yes, no, _ in seccomp.program(machine))
