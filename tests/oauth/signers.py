"""Others' keys: a client's or an identity provider's, and what they sign."""

from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from common import ids


class Signer:
    def __init__(self, kind: str = "ES256") -> None:
        self.algorithm = kind
        made: Any = RSAKey.generate_key(2048) if kind in ("RS256", "PS256") else ECKey.generate_key("P-256")
        self.key = type(made).import_key(made.as_pem(private=True), {"kid": made.thumbprint()})

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self.key.as_dict(private=False), "kid": str(self.key.kid), "alg": self.algorithm}]}

    def sign(self, body: dict[str, Any], **header: Any) -> str:
        fields = {"alg": self.algorithm, "kid": str(self.key.kid), "typ": "JWT", **header}
        said = {name: value for name, value in fields.items() if value is not None}
        return jws.serialize_compact(said, json.dumps(body), self.key, algorithms=[self.algorithm])

    def client_assertion(self, client_id: str, **changes: Any) -> str:
        now = int(time.time())
        body = {"iss": client_id, "sub": client_id, "aud": settings.SLIPWAY_URL, "iat": now, "exp": now + 60}
        return self.sign(_without_none({**body, "jti": ids.new_id(), **changes}))

    def id_jag(
        self, issuer: str, subject: str, client_id: str, *, typ: str = "oauth-id-jag+jwt", **changes: Any
    ) -> str:
        now = int(time.time())
        body = {
            "iss": issuer, "sub": subject, "aud": settings.SLIPWAY_URL, "client_id": client_id, "jti": ids.new_id(),
            "iat": now, "exp": now + 300, "scope": "mcp:read mcp:call",
        }  # fmt: skip
        return self.sign(_without_none({**body, **changes}), typ=typ)


def with_hmac(public: dict[str, Any], body: dict[str, Any], **header: Any) -> str:
    """Signed with a public key as if that were a secret: what a verifier that trusts `alg` takes for good."""
    secret = OctKey.import_key(json.dumps(public).encode() + b"0" * 32)
    return jws.serialize_compact({"alg": "HS256", **header}, json.dumps(body), secret, algorithms=["HS256"])


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
