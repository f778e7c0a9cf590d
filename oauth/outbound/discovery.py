"""Where a server asks people to sign in: its own metadata (RFC 9728), and its authorization server's (RFC 8414, OpenID
Connect Discovery 1.0). Pure: which URLs to ask, in which order, and what an answer is worth.

Source: 2026-07-28 basic/authorization/authorization-server-discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec
from django.utils.translation import gettext

from common.errors import AppError

PROTECTED: Final = "/.well-known/oauth-protected-resource"
SERVER: Final = "/.well-known/oauth-authorization-server"
OPENID: Final = "/.well-known/openid-configuration"
MAX_SCOPES: Final = 100
MAX_SCOPE: Final = 200


class SignInImpossible(AppError):
    """The server can't be signed in to. The text says what is wrong with what it says of itself."""

    status = 502


class Protected(msgspec.Struct, frozen=True):
    """What a server says of itself: what tokens for it are for, and who issues them."""

    resource: str
    issuers: tuple[str, ...]
    scopes: tuple[str, ...] | None = None  # None: it didn't say


class Server(msgspec.Struct, frozen=True):
    """An authorization server. Empty URLs: it has no such endpoint."""

    issuer: str
    authorize_url: str
    token_url: str
    register_url: str = ""
    revoke_url: str = ""
    scopes: tuple[str, ...] | None = None
    methods: tuple[str, ...] = ("client_secret_basic",)  # RFC 8414, 2: the default
    algorithms: tuple[str, ...] = ()  # that a client's assertion may be signed with; empty: it didn't say
    takes_documents: bool = False  # client ids may be URLs of documents (SEP-991)
    names_itself: bool = False  # every answer says `iss` (RFC 9207)
    callback: str = ""  # the part of our callback's address that stands for it; "": made of the issuer
    style: str = ""  # of oauth.outbound.styles; "": the standard


class Found(msgspec.Struct, frozen=True):
    """All that has to be known to ask a person for consent. `scopes` are those to ask for; empty: none is named."""

    resource: str
    server: Server
    scopes: tuple[str, ...] = ()


# --- which URLs, in order


def protected_urls(url: str, challenged: str = "") -> list[str]:
    """Of the server's metadata: where its challenge says, then below its path, then at the root; the first counts."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    query = f"?{parts.query}" if parts.query else ""
    urls = [challenged, f"{origin}{PROTECTED}{path}{query}", f"{origin}{PROTECTED}"]
    return [url for url in dict.fromkeys(urls) if url]


def server_urls(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    if not path:
        return [f"{origin}{SERVER}", f"{origin}{OPENID}"]
    return [f"{origin}{SERVER}{path}", f"{origin}{OPENID}{path}", f"{origin}{path}{OPENID}"]


# --- what an answer is worth


def protected_read(said: Mapping[str, Any], url: str) -> Protected:
    """`url` is the server's own. Raises SignInImpossible when the document is another server's, or names no issuer."""
    resource = _text(said, "resource")
    if not is_for(resource, url):
        raise impossible(f"what describes it is for {resource or 'no server'}, which is another one", url)
    issuers = tuple(issuer for issuer in _texts(said, "authorization_servers") or () if is_issuer(issuer, url))
    if not issuers:
        raise impossible("it names no site at which to sign in", url)
    return Protected(resource, issuers, _scopes(_texts(said, "scopes_supported")))


def is_for(resource: str, url: str) -> bool:
    """Whether what is for `resource` may be used at `url`: the same, or what stands above it at the same origin.

    RFC 9728, 3.3, wants the same; servers in the field name their origin, or the path above.
    """
    try:
        wanted, given = urlsplit(url), urlsplit(resource)
        if _origin(wanted) != _origin(given) or "@" in given.netloc:
            return False
    except ValueError:
        return False
    above = given.path.rstrip("/")
    if given.query and given.query != wanted.query:
        return False
    return not given.fragment and (wanted.path.rstrip("/") == above or wanted.path.startswith(f"{above}/"))


def server_read(said: Mapping[str, Any], issuer: str) -> Server:
    """Raises SignInImpossible when the document is another issuer's, or lets codes be stolen (no PKCE with S256)."""
    if said.get("issuer") != issuer:  # as strings: RFC 8414, 3.3
        raise impossible("its description is another site's, so nothing in it can be believed", issuer)
    if "S256" not in (_texts(said, "code_challenge_methods_supported") or ()):
        raise impossible("it does not say that it protects codes (PKCE with S256)", issuer)
    if "code" not in (_texts(said, "response_types_supported") or ("code",)):
        raise impossible("it gives out no codes", issuer)
    endpoints = {name: _endpoint(said, name, issuer) for name in _ENDPOINTS}
    if not endpoints["authorization_endpoint"] or not endpoints["token_endpoint"]:
        raise impossible("it names no address for signing in, or none for tokens", issuer)
    return Server(
        issuer=issuer,
        authorize_url=endpoints["authorization_endpoint"],
        token_url=endpoints["token_endpoint"],
        register_url=endpoints["registration_endpoint"],
        revoke_url=endpoints["revocation_endpoint"],
        scopes=_scopes(_texts(said, "scopes_supported")),
        methods=_texts(said, "token_endpoint_auth_methods_supported") or ("client_secret_basic",),
        algorithms=_texts(said, "token_endpoint_auth_signing_alg_values_supported") or (),
        takes_documents=said.get("client_id_metadata_document_supported") is True,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def scopes_to_ask(
    challenged: tuple[str, ...] | None,
    protected: tuple[str, ...] | None,
    offered: tuple[str, ...] | None,
    before: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """As "Scope Selection Strategy" has it, with what was granted before (SEP-2350), and for refreshing (SEP-2207)."""
    wanted = challenged or protected or ()
    offline = ("offline_access",) if offered and "offline_access" in offered else ()
    if not wanted and not before:
        offline = ()  # naming it alone would ask for nothing else
    return tuple(dict.fromkeys((*before, *wanted, *offline)))


def impossible(words: str, url: str) -> SignInImpossible:
    return SignInImpossible(
        "sign_in_impossible",
        gettext("Nobody can sign in to %(host)s from here: %(words)s.") % {"host": host_of(url), "words": words},
    )


def host_of(url: str) -> str:
    """What people are shown: the host, and the port where it isn't the usual one."""
    return urlsplit(url).netloc.rpartition("@")[2]


_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint")


def _endpoint(said: Mapping[str, Any], name: str, issuer: str) -> str:
    """Of https, or of http where the issuer itself is; "" for none."""
    url = _text(said, name)
    if not url:
        return ""
    if not is_url(url) or "#" in url or (urlsplit(url).scheme != "https" and urlsplit(issuer).scheme == "https"):
        raise impossible(f"its {name} is no https address", issuer)
    return url


def is_issuer(issuer: str, url: str = "http:") -> bool:
    """RFC 8414, 2: no query, no fragment. By http only where the server itself is."""
    if not is_url(issuer) or "?" in issuer or "#" in issuer:
        return False
    return urlsplit(issuer).scheme == "https" or urlsplit(url).scheme == "http"


def is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' \\"<>') and len(url) <= 2048
    return is_plain and parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _texts(said: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = said.get(name)
    if not isinstance(value, list):
        return None
    return tuple(item for item in value if isinstance(item, str))


def _scopes(said: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Those that can be asked for (RFC 6749, 3.3)."""
    if said is None:
        return None
    fit = [scope for scope in said if is_scope(scope)]
    return tuple(dict.fromkeys(fit))[:MAX_SCOPES]


def is_scope(text: str) -> bool:
    return 0 < len(text) <= MAX_SCOPE and all("!" <= c <= "~" and c not in '"\\' for c in text)
