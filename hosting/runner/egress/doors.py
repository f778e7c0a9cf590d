"""Opens sockets inside an instance's network namespace and hands them to the proxy outside.

A process of its own, forked before the proxy has loops and threads, because entering a user namespace takes a process
with one thread and can't be undone: each order is done by a fork of it that ends right after. Plain system calls; this
is the only part of the proxy that needs privileges (CAP_SYS_ADMIN, or being the user whose sandbox it is).

Linux only: setns(2), ioctl_ns(2), rtnetlink(7), unix(7). "AnyIP": a route of type local makes every address ours.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys

PROXY_PORT = 3128  # of the explicit proxy
NAME_PORT = 53
BACKLOG = 64
_NS_GET_USERNS = 0xB701
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_ORDER_OCTETS = 4096
MAX_DOORS = 64


def start() -> tuple[socket.socket, int]:
    """Fork the opener; returns the socket that takes orders, and its pid. It ends when that socket does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, pid
    code = 1
    try:
        ours.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _serve(theirs)
        code = 0
    finally:
        os._exit(code)


def order(opener: socket.socket, namespace: int, ports: list[int], is_explicit: bool) -> list[socket.socket]:
    """Listening sockets for these ports, then the one for names, then the explicit one if wanted.

    Blocks for a few milliseconds. Raises OSError with the reason.
    """
    if len(ports) > MAX_DOORS - 2:
        raise OSError(f"{len(ports)} ports are more than can be opened")
    body = json.dumps([ports, is_explicit]).encode()
    socket.send_fds(opener, [body], [namespace])
    if not select.select([opener], [], [], 5.0)[0]:
        raise OSError("the helper that opens its sockets does not answer")
    data, fds, _, _ = socket.recv_fds(opener, _ORDER_OCTETS, MAX_DOORS)
    if data != b"ok":
        for fd in fds:
            os.close(fd)
        raise OSError(data.decode() or "the helper that opens its sockets is gone")
    return [socket.socket(fileno=fd) for fd in fds]


def _serve(orders: socket.socket) -> None:
    while True:
        data, fds, _, _ = socket.recv_fds(orders, _ORDER_OCTETS, 1)
        if not data:
            return
        pid = os.fork()
        if not pid:
            _obey(orders, data, fds[0])
            os._exit(0)
        os.waitpid(pid, 0)
        for fd in fds:
            os.close(fd)


def _obey(orders: socket.socket, data: bytes, namespace: int) -> None:
    try:
        ports, is_explicit = json.loads(data)
        _enter(namespace)
        _route_all()
        doors = [_listen("0.0.0.0", port) for port in ports]
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        names.bind(("127.0.0.1", NAME_PORT))
        doors.append(names)
        if is_explicit:
            doors.append(_listen("127.0.0.1", PROXY_PORT))
        socket.send_fds(orders, [b"ok"], [door.fileno() for door in doors])
    except Exception as error:
        orders.send(f"{error}"[:500].encode())


def _enter(namespace: int) -> None:
    if os.geteuid() != 0:  # its namespace belongs to a user namespace that is ours; in there, all is allowed
        _setns(fcntl.ioctl(namespace, _NS_GET_USERNS), _CLONE_NEWUSER, "user")
    _setns(namespace, _CLONE_NEWNET, "network")


def _setns(fd: int, kind: int, name: str) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(fd, kind):
        raise OSError(f"its {name} namespace could not be entered: {os.strerror(ctypes.get_errno())}")


def _listen(address: str, port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((address, port))
    door.listen(BACKLOG)
    return door


def _route_all() -> None:
    """ip route add local 0.0.0.0/0 dev lo, where it isn't there yet (rtnetlink(7), RTM_NEWROUTE)."""
    new_route, request, acknowledge, create, exclusive = 24, 0x1, 0x4, 0x400, 0x200
    table_local, by_operator, scope_host, type_local, to_interface = 255, 4, 254, 2, 4
    route = struct.pack("8BI", socket.AF_INET, 0, 0, 0, table_local, by_operator, scope_host, type_local, 0)
    body = route + struct.pack("=HHI", 8, to_interface, socket.if_nametoindex("lo"))
    head = struct.pack("=IHHII", 16 + len(body), new_route, request | acknowledge | create | exclusive, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.send(head + body)
        (code,) = struct.unpack_from("i", link.recv(4096), 16)
    if code and -code != 17:  # EEXIST: a proxy before this one
        raise OSError(f"its addresses could not be routed: {os.strerror(-code)}")


if sys.platform != "linux":
    raise ImportError("network namespaces are Linux's")
