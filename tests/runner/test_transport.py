"""Framing and addresses, over real sockets: Unix, and TLS with certificates on both sides."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hosting.runner.frames import PROTOCOL, FromRunner, Hello, ToRunner, Welcome
from hosting.runner.transport import FrameConnection, Identity, dial, listen

_to_runner = msgspec.msgpack.Decoder(ToRunner)
_from_runner = msgspec.msgpack.Decoder(FromRunner)


class Sink:
    def __init__(self, reply: Any = None) -> None:
        self.frames: asyncio.Queue[Any] = asyncio.Queue()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reply = reply

    def frame_received(self, connection: FrameConnection, frame: Any) -> None:
        self.frames.put_nowait(frame)
        if self._reply is not None:
            connection.send(self._reply)

    def connection_ready(self, connection: FrameConnection) -> None:
        self.connection = connection

    def connection_writable(self, connection: FrameConnection) -> None:
        pass

    def connection_lost(self, connection: FrameConnection, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)


def make_identity(folder: Path, name: str, authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey]) -> Identity:
    certificate, key = _certificate(name, authority)
    root, _ = authority
    paths = [folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}-ca.pem"]
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    paths[2].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return Identity(*paths)


def _certificate(
    name: str, authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((authority[1] if authority else key).public_key()),
            critical=False,
        )
    )
    if authority is None:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(authority[1] if authority else key, hashes.SHA256()), key


async def test_frames_cross_a_unix_socket_of_mode_600(tmp_path: Path) -> None:
    here, there = Sink(), Sink(Welcome("r1", "b", PROTOCOL))
    address = f"unix:{tmp_path}/r.sock"
    server = await listen(address, lambda: FrameConnection(there, _to_runner))
    connection = await dial(address, lambda: FrameConnection(here, _from_runner))
    connection.send(Hello("web", PROTOCOL))
    assert await there.frames.get() == Hello("web", PROTOCOL)
    assert await here.frames.get() == Welcome("r1", "b", PROTOCOL)
    assert (tmp_path / "r.sock").stat().st_mode & 0o777 == 0o600
    connection.close()
    await there.lost
    server.close()


async def test_tls_needs_a_certificate_of_the_same_authority(tmp_path: Path) -> None:
    authority, stranger = _certificate("ca", None), _certificate("other", None)
    here, there = Sink(), Sink(Welcome("r1", "b", PROTOCOL))
    server = await listen(
        "tls:localhost:0", lambda: FrameConnection(there, _to_runner), make_identity(tmp_path, "runner", authority)
    )
    address = f"tls:localhost:{server.sockets[0].getsockname()[1]}"
    connection = await dial(
        address, lambda: FrameConnection(here, _from_runner), make_identity(tmp_path, "web", authority)
    )
    connection.send(Hello("web", PROTOCOL))
    assert isinstance(await here.frames.get(), Welcome)
    connection.close()

    foreign = make_identity(tmp_path, "thief", stranger)
    with pytest.raises(ssl.SSLError):
        await dial(address, lambda: FrameConnection(Sink(), _from_runner), foreign)
    server.close()


@pytest.mark.parametrize("raw", [b"\x00\x00\x00\x02\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x01\x90"])
async def test_rubbish_ends_the_connection(tmp_path: Path, raw: bytes) -> None:
    there = Sink()
    server = await listen(f"unix:{tmp_path}/r.sock", lambda: FrameConnection(there, _to_runner))
    reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/r.sock")
    writer.write(raw)
    assert "bad frame" in await there.lost
    assert await reader.read() == b""
    writer.close()
    server.close()


@pytest.mark.parametrize("address", ["", "unix:", "unix:relative", "tcp:host:1", "tls:host", "tls::5"])
async def test_a_wrong_address_is_refused_with_the_expected_form(address: str) -> None:
    with pytest.raises(ValueError, match="expected unix:/path or tls:host:port"):
        await dial(address, lambda: FrameConnection(Sink(), _from_runner))
