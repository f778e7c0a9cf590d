"""What a sandboxed instance sees: bubblewrap's options for namespaces, file system and environment. Pure, but for
looking which system folders exist.

Options go to bubblewrap through a descriptor: on its command line every user of the machine could read an instance's
environment.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from hosting.runner.runtimes.base import LaunchFailed, LaunchSpec
from hosting.runner.runtimes.identities import INSIDE, Identity

HOME = "/home/server"
SECRETS = "/run/secrets"
SECRETS_BYTES = 16 * 2**20
PATH = "/usr/local/bin:/usr/bin:/bin"
NODE_HEAP_PERCENT = 75
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
CONFIGURATION = (
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/os-release",
    "/etc/protocols", "/etc/services",
)  # fmt: skip
# Files of /proc that tell of the machine rather than of the sandbox; each is covered where it exists.
MASKED = ("kcore", "keys", "key-users", "timer_list", "sched_debug", "latency_stats", "interrupts", "kallsyms")
# What a read_only path may neither be nor contain: binding it would undo what the sandbox puts there.
RESERVED = ("/proc", "/dev", "/sys", "/tmp", "/run", "/etc", "/var", HOME)
FILES = {
    "/etc/passwd": f"server:x:{INSIDE}:{INSIDE}:server:{HOME}:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    "/etc/group": f"server:x:{INSIDE}:\nnogroup:x:65534:\n",
    "/etc/hosts": "127.0.0.1 localhost server\n::1 localhost\n",
    "/etc/resolv.conf": "nameserver 127.0.0.1\n",  # the egress proxy, or nobody
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def options(spec: LaunchSpec, identity: Identity | None, files: dict[str, int], fds: dict[str, int]) -> list[str]:
    """bubblewrap's options. `files` are descriptors of FILES, `fds` those of "filter" and "userns".

    Raises LaunchFailed for a path or variable that can't be given.
    """
    return [
        *_namespaces(identity, fds),
        *_network(),
        *_system(files),
        *_own_folders(spec),
        *_bound(spec),
        *_environment(spec),
        # Not to HOME: as root, bubblewrap can't enter it any more when it changes folder. The shell inside can.
        *["--remount-ro", "/", "--chdir", "/", "--seccomp", str(fds["filter"])],
    ]


def _namespaces(identity: Identity | None, fds: dict[str, int]) -> list[str]:
    found = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "server"]
    found += ["--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
    if identity is None:
        found += ["--unshare-user", "--disable-userns", "--uid", str(INSIDE), "--gid", str(INSIDE)]
        return found + first_process(identity)
    if identity.namespace >= 0:
        # bubblewrap mounts as root, then enters this namespace, where root's id does not exist
        found += ["--userns2", str(fds["userns"])]
    for name in ("SETUID", "SETGID", "SETPCAP"):  # for setpriv, which drops these as well
        found += ["--cap-add", f"CAP_{name}"]
    return found + first_process(identity)


def first_process(identity: Identity | None) -> list[str]:
    """bubblewrap's own first process is not filtered, and a server of the same user could write to its memory: the
    shell takes its place then, filtered. Where the server is another user that can't be, and must not: the death of
    bubblewrap outside (root) would not reach a first process of that user."""
    return ["--as-pid-1"] if identity is None else []


def _network() -> list[str]:
    """No network but an empty loopback; an egress proxy listens there (hosting/runner/egress)."""
    return ["--unshare-net"]


def _system(files: dict[str, int]) -> list[str]:
    found = ["--perms", "0755", "--dir", "/etc", "--perms", "0755", "--dir", "/run", "--ro-bind", "/usr", "/usr"]
    for folder in SYSTEM:
        if os.path.islink(folder):
            found += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            found += ["--ro-bind", folder, folder]
    for path in CONFIGURATION:
        if os.path.exists(path):
            found += ["--ro-bind", os.path.realpath(path), path]
    for path, fd in files.items():
        found += ["--perms", "0644", "--file", str(fd), path]
    found += ["--proc", "/proc", "--dev", "/dev"]
    for name in MASKED:
        if os.path.exists(f"/proc/{name}"):
            found += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    return found


def _own_folders(spec: LaunchSpec) -> list[str]:
    size = ["--size", str(spec.limits.disk_bytes)] if spec.limits.disk_bytes else []
    found = ["--perms", "1777", *size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    found += ["--perms", "1777", *size, "--tmpfs", "/tmp"]
    found += ["--perms", "0755", "--dir", "/var", "--symlink", "/tmp", "/var/tmp", "--perms", "0755", "--dir", "/home"]
    if spec.files:
        found += ["--perms", "1777", "--size", str(SECRETS_BYTES), "--tmpfs", SECRETS]
    if spec.home is None:
        return [*found, "--perms", "0777", *size, "--tmpfs", HOME]
    return [*found, "--bind", str(spec.home), HOME]


def _bound(spec: LaunchSpec) -> list[str]:
    """Its own paths, read-only ones first, since a writable folder may lie in one of those."""
    found: list[str] = []
    made = {"/", "/home", "/var", "/etc", "/tmp"}
    kinds = [(text, "read-only") for text in sorted(set(spec.read_only))]
    for text, kind in [*kinds, *((text, "writable") for text in sorted(set(spec.writable)))]:
        path = PurePosixPath(text)
        if not path.is_absolute() or ".." in path.parts:
            raise LaunchFailed(f"{kind} path {text!r} is not a plain absolute path")
        if path.is_relative_to("/usr") and kind == "read-only":
            continue  # all of it is there
        if any(PurePosixPath(reserved).is_relative_to(path) for reserved in RESERVED):
            raise LaunchFailed(f"{kind} path {text!r} holds a folder that the sandbox makes itself")
        if not Path(text).exists():
            raise LaunchFailed(f"{text} does not exist; the environment may have been removed: deploy it anew")
        for parent in reversed(path.parents):  # bubblewrap itself would make them for its own user only
            if str(parent) not in made:
                made.add(str(parent))
                found += ["--perms", "0755", "--dir", str(parent)]
        found += ["--bind" if kind == "writable" else "--ro-bind", str(path), str(path)]
    return found


def _environment(spec: LaunchSpec) -> list[str]:
    variables = {
        "PATH": PATH,
        "HOME": HOME,
        "USER": "server",
        "LOGNAME": "server",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        **spec.env,
        **{name: f"{SECRETS}/{name}" for name in spec.files},
    }
    if spec.limits.memory_bytes and "--max-old-space-size" not in variables.get("NODE_OPTIONS", ""):
        # Node.js looks at the machine's memory, and would collect its garbage only when the limit is past.
        heap = f"--max-old-space-size={spec.limits.memory_bytes * NODE_HEAP_PERCENT // 100 // 2**20}"
        variables["NODE_OPTIONS"] = f"{variables.get('NODE_OPTIONS', '')} {heap}".strip()
    found = []
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name + value:
            raise LaunchFailed(f"environment variable {name!r} has a name or value that no process can be given")
        found += ["--setenv", name, value]
    return found
