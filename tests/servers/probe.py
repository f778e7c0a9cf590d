"""A hosted server that tries what it is told: one JSON command a line in, one JSON answer a line out.

Plain Python and the standard library. Each command is a function below, or net.NAME one of net.py beside this file; an
OSError is answered as {"error": "EACCES"}.
"""

import ctypes
import errno
import importlib.util
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
held = []


def read(path):
    with open(path, "rb") as file:
        return file.read(4096).decode("utf-8", "replace")


def write(path, size=1):
    with open(path, "wb") as file:
        for _ in range(0, size, 65536):
            file.write(b"x" * min(size, 65536))
    return True


def owned(path):
    found = os.stat(path)
    return [oct(found.st_mode & 0o777), found.st_uid == os.getuid()]


def listing(path):
    return sorted(os.listdir(path))


def connect(family, address):
    kind = getattr(socket, family)
    if kind == socket.AF_UNIX and address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(kind, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(tuple(address) if isinstance(address, list) else address)
    return True


def make_socket(number):
    return libc_call(libc.socket, number, socket.SOCK_STREAM, 0)


def resolve(host):
    try:
        return [entry[4][0] for entry in socket.getaddrinfo(host, 80)]
    except socket.gaierror as error:
        return f"gaierror {error.errno}"


def environ():
    return dict(os.environ)


def status():
    lines = (line.split(":", 1) for line in read("/proc/self/status").splitlines())
    return {key: value.strip() for key, value in lines}


def processes():
    """What can be learned of the others in /proc."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found[name] = read(f"/proc/{name}/environ")
            except OSError as error:
                found[name] = errno.errorcode[error.errno]
    return found


def limits():
    names = ("NOFILE", "CPU", "FSIZE", "CORE", "NPROC", "DATA")
    return {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in names}


def libc_call(function, *arguments):
    ctypes.set_errno(0)
    result = function(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result


def syscall(number, *arguments):
    return libc_call(libc.syscall, ctypes.c_long(number), *(ctypes.c_long(one) for one in arguments))


def unshare(flags):
    return libc_call(libc.unshare, flags)


def mount():
    return libc_call(libc.mount, b"none", b"/tmp", b"tmpfs", 0, None)


def ptrace():
    return libc_call(libc.ptrace, 0, 0, None, None)


def setuid(uid):
    os.setuid(uid)
    return True


def send_signal(pid, number):
    os.kill(pid, number)
    return True


def link(kind, target, path):
    """Make a link of this kind (symlink, link) and read through it."""
    getattr(os, kind)(target, path)
    return read(path)


def device(path):
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 1))  # /dev/mem
    return True


def bind(port, address="0.0.0.0"):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((address, port))
    server.listen()
    held.append(server)
    return True


def raw(protocol):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    return True


def change_route():
    """rtnetlink(7): take an address away from the loopback interface."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        body = struct.pack("=8BI", 2, 0, 0, 0, 255, 4, 254, 2, 0)
        route.send(struct.pack("=IHHII", 16 + len(body), 25, 0x5, 1, 0) + body)
        (code,) = struct.unpack_from("i", route.recv(4096), 16)
    if code:
        raise OSError(-code, "")
    return True


def enter(path, flags):
    """setns(2)"""
    return libc_call(libc.setns, os.open(path, os.O_RDONLY), flags)


def run(*argv):
    """What a program said; [exit code, output]."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    return [done.returncode, (done.stdout + done.stderr)[:500]]


def poke(pid):
    """Write to another process's memory."""
    with open(f"/proc/{pid}/mem", "r+b"):
        return True


def allocate(megabytes):
    """Slowly enough that something that only looks now and then can see it."""
    for _ in range(0, megabytes, 8):
        held.append(bytearray(b"x") * (8 * 2**20))
        time.sleep(0.005)
    return len(held) * 8


def fork(count):
    """Children that only wait; how many came to be, and what stopped the next."""
    made = 0
    try:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                time.sleep(600)
                os._exit(0)
            made += 1
    except OSError as error:
        return [made, errno.errorcode[error.errno]]
    return [made, ""]


def open_files(count):
    try:
        for _ in range(count):
            held.append(os.open("/dev/null", os.O_RDONLY))  # noqa: PERF401 - those before the error count
    except OSError as error:
        return [len(held), errno.errorcode[error.errno]]
    return [len(held), ""]


def spin():
    while True:
        pass


def ignore_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return True


def orphan():
    """A grandchild in a session of its own, which nobody here waits for."""
    middle = "import os; os.setsid(); os.fork() or os.execvp('sleep', ['sleep', '600'])"
    subprocess.run([sys.executable, "-I", "-c", middle], check=True, stdout=subprocess.DEVNULL)
    return True


def stay():
    """Go on after the end of input."""
    held.append("stay")
    return True


def leave(code):
    sys.exit(code)


def whoami():
    return [os.getuid(), os.getgid(), os.getcwd(), os.getpid()]


def say(text):
    print(text, file=sys.stderr, flush=True)
    return True


def function(command):
    area, _, name = command.rpartition(".")
    if not area:
        return globals()[name]
    if area not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{area}.py")
        spec = importlib.util.spec_from_file_location(area, path)
        sys.modules[area] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[area])
    return getattr(sys.modules[area], name)


def main():
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        try:
            answer = {"ok": function(command)(*arguments)}
        except OSError as error:
            answer = {"error": errno.errorcode.get(error.errno, type(error).__name__)}
        print(json.dumps(answer), flush=True)
    while "stay" in held:
        time.sleep(600)


if __name__ == "__main__":
    main()
