"""Who this site is to an authorization server elsewhere, and how it proves that.

In this order (2026-07-28 basic/authorization/client-registration): what its owner was given there; a document of ours
at a URL that is our client id; dynamic registration. Each issuer has a redirect URI of its own, so that an answer says
which issuer was asked even where it names none (RFC 9700, 4.4.2.2); so there is a document for each, too.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import ECKey

from common import clock
from common.sealing import site_key
from oauth.clients.assertions import TYPE
from oauth.clients.metadata import BASIC, CODE, KEY, NONE, POST, REFRESH
from oauth.keys import public_part
from oauth.outbound.discovery import Server, host_of, impossible
from oauth.outbound.requests import basic, printable
from oauth.redirects import is_loopback

NAME: Final = "Slipway"
PUBLIC, SIGNED = "public", "signed"  # documents of a client that can't prove who it is, and of one that signs
KINDS: Final = (PUBLIC, SIGNED)
KEY_FORM: Final = re.compile(r"[0-9a-f]{16}")
DOCUMENT, REGISTERED, GIVEN = "document", "registered", "given"  # how it is known there
ASSERTION_SECONDS: Final = 60
MAX_SECRET: Final = 4096
_PURPOSE: Final = b"slipway outbound client key 1"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Client:
    """This site, as one issuer knows it."""

    id: str
    method: str = NONE  # of oauth.clients.metadata
    source: str = DOCUMENT
    secret: str = field(default="", repr=False)


def issuer_key(issuer: str) -> str:
    """Its part of our URLs."""
    return hashlib.sha256(issuer.encode()).hexdigest()[:16]


def callback_key(server: Server) -> str:
    """A provider that somebody configured has one of its own: what its addresses claim to be proves nothing."""
    return server.callback or issuer_key(server.issuer)


def redirect_uri(server: Server) -> str:
    return callback_uri(callback_key(server))


def callback_uri(key: str) -> str:
    return f"{settings.SLIPWAY_URL}/connect/callback/{key}"


# --- the document


def document_url(kind: str, key: str) -> str:
    return f"{settings.SLIPWAY_URL}/oauth/client-metadata/{kind}/{key}"


def document(kind: str, key: str) -> dict[str, Any]:
    """What others read of us (SEP-991). `key` is an `issuer_key`, whosoever's."""
    said = {
        "client_id": document_url(kind, key),
        **_metadata(callback_uri(key), KEY if kind == SIGNED else NONE),
    }
    if kind == SIGNED:
        said["jwks"] = {"keys": [public_part(client_key())]}
    return said


def document_client(server: Server) -> Client | None:
    """Our id at a server that reads documents; None where that is impossible. It would fetch ours by https only."""
    if not server.takes_documents or not settings.SLIPWAY_URL.startswith("https://"):
        return None
    key = issuer_key(server.issuer)
    if KEY in server.methods and "ES256" in (server.algorithms or ("ES256",)):
        return Client(document_url(SIGNED, key), KEY)
    return Client(document_url(PUBLIC, key), NONE)


def _metadata(uri: str, method: str) -> dict[str, Any]:
    """RFC 7591, 2."""
    return {
        "client_name": f"{NAME} at {host_of(settings.SLIPWAY_URL)}",
        "client_uri": settings.SLIPWAY_URL,
        "redirect_uris": [uri],
        "grant_types": [CODE, REFRESH],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    }


# --- dynamic registration


def registration(server: Server, uri: str) -> dict[str, Any]:
    """What to send (RFC 7591, 3.1)."""
    method = next((each for each in (BASIC, POST, NONE) if each in server.methods), NONE)
    # SEP-837. OpenID Connect lets no web client be at a loopback address.
    kind = "native" if is_loopback(uri) else "web"
    return {**_metadata(uri, method), "application_type": kind}


def registered(said: Mapping[str, Any], asked: Mapping[str, Any], issuer: str) -> Client:
    """Who we are now (RFC 7591, 3.2.1): the server may have chosen another method. Raises SignInImpossible."""
    client_id, secret = said.get("client_id"), said.get("client_secret") or ""
    method = said.get("token_endpoint_auth_method") or asked["token_endpoint_auth_method"]
    if not isinstance(client_id, str) or not 0 < len(client_id) <= 500 or not client_id.isprintable():
        raise impossible("it registered this site without giving it an id", issuer)
    if not isinstance(secret, str) or len(secret) > MAX_SECRET:
        raise impossible("it gave this site a secret that can't be used", issuer)
    if method not in (NONE, BASIC, POST):
        raise impossible(f"it wants this site to prove itself by {printable(str(method))}, which it can't", issuer)
    if not secret:
        method = NONE
    elif method == NONE:
        secret = ""
    return Client(client_id, method, REGISTERED, secret)


def given(client_id: str, secret: str, server: Server) -> Client:
    """What the owner was given there."""
    if not secret:
        return Client(client_id, NONE, GIVEN)
    method = POST if POST in server.methods and BASIC not in server.methods else BASIC
    return Client(client_id, method, GIVEN, secret)


# --- proving it


def proof(client: Client, issuer: str) -> tuple[dict[str, str], dict[str, str]]:
    """Fields of the form and of the header that prove who we are at the token endpoint."""
    if client.method == BASIC:
        return {}, {"Authorization": basic(client.id, client.secret)}
    if client.method == POST:
        return {"client_id": client.id, "client_secret": client.secret}, {}
    if client.method == KEY:
        signed = assertion(client.id, issuer)
        return {"client_id": client.id, "client_assertion_type": TYPE, "client_assertion": signed}, {}
    return {"client_id": client.id}, {}


def assertion(client_id: str, issuer: str) -> str:
    """RFC 7523, 3; for the issuer and nobody else, once, for a minute."""
    now = int(clock.now().timestamp())
    key = client_key()
    said = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode({"alg": "ES256", "kid": str(key.kid), "typ": "JWT"}, said, key)


def client_key() -> ECKey:
    """From the site's sealing key: never the one that signs access tokens, so that neither passes for the other."""
    # 48 bytes, so that what is left of dividing them is even (FIPS 186-5, A.2.1)
    return _key_of(site_key(_PURPOSE, 48))


@lru_cache(maxsize=2)
def _key_of(derived: bytes) -> ECKey:
    number = int.from_bytes(derived, "big")
    private = ec.derive_private_key(number % (_P256_ORDER - 1) + 1, ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = ECKey.import_key(pem)
    return ECKey.import_key(pem, {"kid": key.thumbprint()})
