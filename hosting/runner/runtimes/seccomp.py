"""The system call filter of a hosted server, assembled to classic BPF (linux/filter.h, seccomp(2)). Pure.

It refuses what container engines refuse by default: what reaches for the kernel, for other processes, for namespaces
and keys. Everything a refused call would need is missing in the sandbox anyway; the filter keeps kernel code that a
server has no business with out of its reach.
"""

from __future__ import annotations

import errno
import functools
import platform
import struct

from hosting.runner.runtimes.syscalls import LAST_KNOWN, PROCESSORS

REFUSED = (
    "acct", "add_key", "bpf", "chroot", "clock_adjtime", "clock_settime", "create_module", "delete_module",
    "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms",
    "get_mempolicy", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl",
    "kcmp", "kexec_file_load", "kexec_load", "keyctl", "listmount", "lookup_dcookie", "lsm_set_self_attr",
    "mbind", "migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at",
    "nfsservctl", "open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd",
    "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "query_module",
    "quotactl", "quotactl_fd", "reboot", "request_key", "set_mempolicy", "set_mempolicy_home_node",
    "setdomainname", "sethostname", "setns", "settimeofday", "statmount", "swapoff", "swapon", "_sysctl", "sysfs",
    "syslog", "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup",
)  # fmt: skip

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. NEWTIME shares its bit with the exit signal in clone.
NEW_NAMESPACES = 0x7E020000
# AF_UNIX, INET, INET6, NETLINK. Others are not bound to a network namespace (vsock reaches a virtual machine's host)
# or are kernel code that nobody here needs.
SOCKET_FAMILIES = (1, 2, 10, 16)
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
PLAIN_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL = 0x7FFF0000, 0x80000000

Instruction = tuple[int, int, int, int]


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, 0x00050000 | number)


def _only(call: int, argument: int, allowed: tuple[int, ...], error: int) -> list[Instruction]:
    """Refuse `call` unless the low half of one argument is one of these. Both processors are little-endian."""
    test = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    test += [(_IF_EQUAL, len(allowed) - place, 0, value) for place, value in enumerate(allowed)]
    test += [_refuse(error), (_RETURN, 0, 0, _ALLOW)]
    return [(_IF_EQUAL, 0, len(test), call), *test]


def _never(call: int, argument: int, refused: tuple[int, ...], error: int) -> list[Instruction]:
    test = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    test += [(_IF_EQUAL, len(refused) - place, 0, value) for place, value in enumerate(refused)]
    test += [(_RETURN, 0, 0, _ALLOW), _refuse(error)]
    return [(_IF_EQUAL, 0, len(test), call), *test]


def program(machine: str) -> list[Instruction]:
    """The filter for a processor as `platform.machine()` names it. Raises KeyError for one it has no table of."""
    processor = PROCESSORS[machine]
    numbers = processor.numbers
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, processor.audit),
        (_RETURN, 0, 0, _KILL),  # 32-bit calls have other numbers: nothing below would hold
        (_LOAD, 0, 0, _NUMBER),
    ]
    if processor.alien_from:
        lines += [(_IF_AT_LEAST, 0, 1, processor.alien_from), _refuse(errno.EPERM)]
    lines += [(_IF_AT_LEAST, 0, 1, LAST_KNOWN + 1), _refuse(errno.ENOSYS)]
    for name in REFUSED:
        if name in numbers:
            lines += [(_IF_EQUAL, 0, 1, numbers[name]), _refuse(errno.EPERM)]
    # A filter can't look behind clone3's pointer; "no such call" makes libc fall back to clone.
    lines += [(_IF_EQUAL, 0, 1, numbers["clone3"]), _refuse(errno.ENOSYS)]
    lines += [
        (_IF_EQUAL, 0, 4, numbers["clone"]),
        (_LOAD, 0, 0, _ARGUMENTS),
        (_IF_ANY_BIT, 0, 1, NEW_NAMESPACES),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    lines += _only(numbers["socket"], 0, SOCKET_FAMILIES, errno.EAFNOSUPPORT)
    lines += _only(numbers["personality"], 0, PLAIN_PERSONALITIES, errno.EPERM)
    lines += _never(numbers["ioctl"], 1, TERMINAL_INJECTION, errno.EPERM)
    lines.append((_RETURN, 0, 0, _ALLOW))
    return lines


@functools.cache
def bytecode(machine: str = "") -> bytes:
    """`program` as an array of struct sock_filter, which is what bubblewrap's --seccomp reads."""
    return b"".join(struct.pack("<HBBI", *line) for line in program(machine or platform.machine()))
