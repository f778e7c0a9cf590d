"""An OpenID Connect issuer, such as GitHub's for its Actions: discovery, keys, and the token a job asks for."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.registry.fakes.web import MISSING, Request, Response

Key = RSAKey | ECKey | OKPKey


class FakeIssuer:
    """`claims` are those of the job that asks it for a token, by what it was given to ask with."""

    def __init__(self, name: str = "") -> None:
        self.url = ""  # once it is served
        self.says = ""  # that it is, in its discovery document
        self.key = _first_key(name)
        self.published: list[dict[str, Any]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.publish(self.key)

    def publish(self, *keys: Key) -> None:
        """Instead of what it published before."""
        self.published = [
            {**key.as_dict(private=False), "use": "sig", "alg": _algorithm(key), "kid": key.kid} for key in keys
        ]

    def rotate(self) -> None:
        self.key = _with_id(RSAKey.generate_key(2048))
        self.publish(self.key)

    def token(self, audience: str | list[str], *, key: Key | None = None, seconds: float = 300, **claims: Any) -> str:
        """That it would give; with another key, one that it wouldn't."""
        signing = key or self.key
        now = int(time.time())
        body = {
            "iss": self.url, "aud": audience, "iat": now, "nbf": now, "exp": int(now + seconds),
            "jti": f"{time.monotonic_ns()}", **claims,
        }  # fmt: skip
        header = {"alg": _algorithm(signing), "typ": "JWT", "kid": signing.kid}
        return jws.serialize_compact(header, json.dumps(body), signing, algorithms=[_algorithm(signing)])

    def answer(self, request: Request) -> Response:
        match request.path:
            case "/.well-known/openid-configuration":
                return _json({"issuer": self.says or self.url, "jwks_uri": f"{self.url}/.well-known/jwks"})
            case "/.well-known/jwks":
                return _json({"keys": self.published})
            case "/token":  # ACTIONS_ID_TOKEN_REQUEST_URL
                claims = self.jobs.get(request.bearer)
                if claims is None:
                    return _json({"message": "Unauthorized"}, 401)
                return _json({"value": self.token(request.query.get("audience", ""), **claims)})
        return MISSING


def elliptic() -> ECKey:
    made = _with_id(ECKey.generate_key("P-256"))
    assert isinstance(made, ECKey)
    return made


@cache  # half a second each
def _first_key(_name: str) -> Key:
    """That an issuer of this name begins with."""
    return _with_id(RSAKey.generate_key(2048))


def _with_id(key: Key) -> Key:
    return type(key).import_key(key.as_dict(private=True), {"kid": key.thumbprint()})


def _algorithm(key: Key) -> str:
    return {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[key.key_type]


def _json(found: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(found).encode(), {"Content-Type": "application/json"})
