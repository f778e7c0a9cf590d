"""What a hosted server does on the network, asked by the probe (probe.py). Standard library only."""

import socket
import ssl
import struct
import time
import urllib.error
import urllib.request

kept = []


def https(url, authority=""):
    """[status, body], or what went wrong in words."""
    context = ssl.create_default_context(cadata=authority or None)
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return [answer.status, answer.read(1000).decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read(1000).decode()]
    except (OSError, urllib.error.URLError) as error:
        return f"{type(error).__name__}: {error}"


def tls(host, port, server_name):
    """The first line that a server sends to a TLS client which greets it by this name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        plain = socket.create_connection((host, port), 5)
        with context.wrap_socket(plain, server_hostname=server_name or None) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return client.recv(100).decode().partition("\r\n")[0]
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def talk(host, port, text, size=200):
    """What is answered to these octets on a plain connection."""
    try:
        with socket.create_connection((host, port), 5) as client:
            client.settimeout(5)
            client.sendall(text.encode("latin-1"))
            return client.recv(size).decode("latin-1")
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def hold(host, port, count):
    """Open connections and keep them; how many the kernel has taken."""
    for _ in range(count):
        client = socket.create_connection((host, port), 5)
        kept.append(client)
    return len(kept)


def echoed(number, text, seconds=5):
    """Whether a kept connection passes octets on."""
    kept[number].settimeout(seconds)
    try:
        kept[number].sendall(text.encode())
        return kept[number].recv(100).decode()
    except OSError as error:
        return type(error).__name__


def let_go(count):
    for _ in range(count):
        kept.pop(0).close()
    return len(kept)


def flood(host, port, seconds):
    """Connect and leave, as fast as it goes."""
    end, made = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            with socket.socket() as client:
                client.setblocking(False)
                client.connect_ex((host, port))
            made += 1
        except OSError:
            pass
    return made


def query(name, kind=1, flags=0x0100):
    """[code, number of answers] of one name query, as resolver libraries send it."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack("!6H", 77, flags, 1, 0, 0, 0) + labels + struct.pack("!2H", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(("127.0.0.1", 53))
        try:
            client.send(message)
            answer = client.recv(1000)
        except OSError as error:
            return type(error).__name__
    _, flags, _, answers, _, _ = struct.unpack_from("!6H", answer)
    return [flags & 15, answers]


def send_raw(text, repeat=1):
    """Octets that are no query, to where names are asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(repeat):
            client.sendto(bytes.fromhex(text), ("127.0.0.1", 53))
    return True
