"""What a client says of itself (RFC 7591, 2), read from a registration or from a document at its client id. Pure
but for the language of who reads.

What we don't support is left out where a client can go on without it, as section 2 lets us; what it can't is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from oauth import redirects
from oauth.refusals import Refusal

NONE: Final = "none"
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
KEY: Final = "private_key_jwt"
SECRETS: Final = (BASIC, POST)

CODE: Final = "authorization_code"
REFRESH: Final = "refresh_token"
CLIENT_CREDENTIALS: Final = "client_credentials"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MAX_NAME: Final = 100
MAX_KEYS: Final = 10


@dataclass(frozen=True)
class ClientMetadata:
    """`jwks` is a JWK Set of public keys; it and `jwks_uri` are for `private_key_jwt` only, and never both."""

    name: str
    redirect_uris: tuple[str, ...]
    grants: tuple[str, ...]
    method: str
    client_uri: str = ""
    jwks: Mapping[str, Any] = field(default_factory=dict)
    jwks_uri: str = ""

    @property
    def digest(self) -> str:
        """Of what a person's consent rests on. A client that sends answers elsewhere, or has other keys, is asked for
        anew; one that only changed its name is not."""
        said = [sorted(self.redirect_uris), self.method, self.jwks_uri, self.jwks if not self.jwks_uri else {}]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class MetadataInvalid(Refusal):
    """`name` is of the member that is to blame."""

    def __init__(self, name: str, sentence: str, **values: object) -> None:
        super().__init__("invalid_client_metadata", sentence, field=name, name=name, **values)


def parse(said: Mapping[str, Any], methods: tuple[str, ...], default_method: str) -> ClientMetadata:
    """Raises a Refusal, with the error codes of RFC 7591, 3.2.2."""
    uris = _texts(said, "redirect_uris")
    if not uris:
        raise Refusal("invalid_redirect_uri", gettext_noop("redirect_uris is missing."), field="redirect_uris")
    redirects.check(uris, "invalid_redirect_uri")
    if "code" not in _texts(said, "response_types", ("code",)):
        raise MetadataInvalid("response_types", gettext_noop("%(name)s has to list code."))
    method = _text(said, "token_endpoint_auth_method") or default_method
    if method not in methods:
        raise MetadataInvalid(
            "token_endpoint_auth_method", gettext_noop("%(name)s has to be one of %(known)s."), known=", ".join(methods)
        )
    offered = (CODE, REFRESH, JWT_BEARER) if method == KEY else (CODE, REFRESH)
    grants = tuple(grant for grant in _texts(said, "grant_types", (CODE,)) if grant in offered)
    if CODE not in grants:
        raise MetadataInvalid("grant_types", gettext_noop("%(name)s has to list authorization_code."))
    jwks, jwks_uri = _keys(said) if method == KEY else ({}, "")
    return ClientMetadata(
        name=_name(said),
        redirect_uris=uris,
        grants=grants,
        method=method,
        client_uri=_web_page(said),
        jwks=jwks,
        jwks_uri=jwks_uri,
    )


def public_keys(said: Any) -> dict[str, Any]:
    """A JWK Set (RFC 7517, 5) with public keys and nothing else. Raises BadInput."""
    keys = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise MetadataInvalid("jwks", gettext_noop("%(name)s is no JWK Set."))
    if not 1 <= len(keys) <= MAX_KEYS:
        raise MetadataInvalid("jwks", gettext_noop("%(name)s has to hold 1 to %(most)d keys."), most=MAX_KEYS)
    if any(key.get("kty") not in ("EC", "RSA", "OKP") or "d" in key for key in keys):
        raise MetadataInvalid(
            "jwks", gettext_noop("%(name)s has to hold public keys of the kinds EC, RSA and OKP only.")
        )
    return {"keys": keys}


def _keys(said: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    uri = _text(said, "jwks_uri")
    if bool(uri) == ("jwks" in said):
        raise MetadataInvalid(
            "jwks",
            gettext_noop("%(name)s or jwks_uri has to be there, one of the two, since private_key_jwt needs keys."),
        )
    if not uri:
        return public_keys(said["jwks"]), ""
    if not uri.startswith("https://") or len(uri) > redirects.MAX_LENGTH:
        raise MetadataInvalid("jwks_uri", gettext_noop("%(name)s has to be an https URL."))
    return {}, uri


def _name(said: Mapping[str, Any]) -> str:
    """Printable, on one line, without marks that turn the direction of what follows."""
    text = "".join(character for character in _text(said, "client_name") if character.isprintable())
    return " ".join(text.split())[:MAX_NAME]


def _web_page(said: Mapping[str, Any]) -> str:
    uri = _text(said, "client_uri")
    return uri if urlsplit(uri).scheme == "https" and len(uri) <= redirects.MAX_LENGTH and uri.isprintable() else ""


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MetadataInvalid(name, gettext_noop("%(name)s has to be a string."))
    return value


def _texts(said: Mapping[str, Any], name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = said.get(name)
    if value is None:
        return default
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MetadataInvalid(name, gettext_noop("%(name)s has to be a list of strings."))
    return tuple(dict.fromkeys(value))
