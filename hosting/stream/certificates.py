"""Certificates of the stream between hosts: an authority of this site's own, and one certificate for each end.

Both ends trust only this authority (hosting/runner/transport.py), so a certificate of it is what admits a process to
the stream. Keys are P-256, files have mode 600. Knows nothing of Django.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hosting.runner.transport import Identity

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
SITE = "site"


def site_identity(folder: Path) -> Identity | None:
    """The site's own end, or None as long as no runner of another host was given a certificate."""
    identity = _paths(folder, SITE)
    return identity if identity.certificate.exists() else None


def issue(folder: Path, name: str, hosts: list[str], into: Path | None = None) -> Identity:
    """A certificate for a runner that is reached as `hosts` (names or addresses), written below `into`.

    The first call makes the authority and the site's own certificate in `folder`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _paths(folder, "authority")
    if not authority.certificate.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        _write(authority, _certificate("Slipway runners", key, None, []), key)
        _issue_one(folder, SITE, [SITE], folder)
    target = into or folder
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _issue_one(folder, name, hosts, target)


def _issue_one(folder: Path, name: str, hosts: list[str], into: Path) -> Identity:
    authority = _paths(folder, "authority")
    root = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    root_key = serialization.load_pem_private_key(authority.key.read_bytes(), password=None)
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    identity = _paths(into, name)
    _write(identity, _certificate(name, key, (root, root_key), hosts), key)
    if identity.authority != authority.certificate:
        _write_private(identity.authority, root.public_bytes(serialization.Encoding.PEM))
    return identity


def _paths(folder: Path, name: str) -> Identity:
    return Identity(folder / f"{name}.pem", folder / f"{name}.key", folder / "authority.pem")


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    hosts: list[str],
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = authority[1] if authority else key
    now = datetime.datetime.now(datetime.UTC)
    days = CERTIFICATE_DAYS if authority else AUTHORITY_DAYS
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority[0].subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(identity: Identity, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    _write_private(identity.key, private)
    _write_private(identity.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
