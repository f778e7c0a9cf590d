"""Typed readers of the process environment.

Every reader fails loudly: `ImproperlyConfigured` names the variable, what it holds and what is expected. Nothing else
in the project reads configuration from `os.environ`.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_locale

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def _wrong(name: str, value: str, expected: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}, but must be {expected}.")


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def integer(name: str, default: int, *, least: int, most: int) -> int:
    raw = text(name)
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
        raise _wrong(name, raw, f"a whole number from {least} to {most}")
    return int(raw)


def flag(name: str, default: bool = False) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value not in _TRUE | _FALSE:
        raise _wrong(name, raw, "1 or 0")
    return value in _TRUE


def choice(name: str, default: str, choices: Iterable[str]) -> str:
    raw, allowed = text(name, default), list(choices)
    if raw not in allowed:
        raise _wrong(name, raw, "one of " + ", ".join(allowed))
    return raw


def several(name: str, default: Iterable[str], choices: Iterable[str]) -> frozenset[str]:
    """Words separated by commas; the word none for none of them."""
    raw = text(name)
    allowed = list(choices)
    if not raw:
        return frozenset(default)
    found = {piece.strip() for piece in raw.split(",")} - {""}
    if found == {"none"}:
        return frozenset()
    if not found <= set(allowed):
        raise _wrong(name, raw, f"some of {', '.join(allowed)}, separated by commas, or none")
    return frozenset(found)


def languages(name: str, catalogues: Path) -> list[tuple[str, str]]:
    """English and the languages named, by their codes, separated by commas: each with what it calls itself, as Django's
    LANGUAGES. `catalogues` is the folder that has a catalogue of each (CONTRIBUTING.md)."""
    found = {"en": "English"}
    for code in filter(None, (piece.strip() for piece in text(name).split(","))):
        compiled = catalogues / to_locale(code) / "LC_MESSAGES" / "django.mo"
        own_name = LANG_INFO.get(code, {}).get("name_local")
        if own_name is None or (code != "en" and not compiled.is_file()):
            raise _wrong(name, code, f"languages such as de, separated by commas, and for each a file as {compiled}")
        found[code] = own_name
    return list(found.items())


def folder(name: str, default: Path) -> Path:
    """An absolute path; a relative one counts from the current folder. It need not exist yet."""
    raw = text(name)
    path = Path(os.path.abspath(Path(raw).expanduser())) if raw else default
    if path.exists() and not path.is_dir():
        raise _wrong(name, raw, "a folder, not a file")
    return path


def networks(name: str) -> list[str]:
    """Addresses or networks in CIDR notation, separated by commas."""
    found = []
    for part in filter(None, (piece.strip() for piece in text(name).split(","))):
        try:
            found.append(str(ipaddress.ip_network(part)))
        except ValueError as error:
            raise _wrong(name, part, "addresses or networks such as 10.0.0.0/8, separated by commas") from error
    return found


def ports(name: str) -> list[int]:
    """Port numbers, separated by commas."""
    found = []
    for part in filter(None, (piece.strip() for piece in text(name).split(","))):
        if not part.isascii() or not part.isdigit() or not 0 < int(part) < 65536:
            raise _wrong(name, part, "port numbers such as 5432, separated by commas")
        found.append(int(part))
    return found


def name_servers(name: str) -> list[str]:
    """Addresses of DNS servers, with a port or without, separated by commas."""
    found = []
    for part in filter(None, (piece.strip() for piece in text(name).split(","))):
        try:
            parts = urlsplit(f"//{part}" if part.count(":") < 2 or part.startswith("[") else f"//[{part}]")
            ipaddress.ip_address(parts.hostname or "")
            is_server = parts.port != 0 and not parts.path and "@" not in part
        except ValueError:
            is_server = False
        if not is_server:
            raise _wrong(name, part, "addresses such as 10.0.0.2 or 10.0.0.2:5353, separated by commas")
        found.append(part)
    return found


def https_url(name: str, default: str) -> str:
    """The https address of a service, without a slash at the end."""
    raw = text(name, default)
    try:
        parts = urlsplit(raw)
        is_url = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment or "@" in parts.netloc:
        raise _wrong(name, raw, "an address such as https://service.example.org/path, without user or query")
    return raw.rstrip("/")


def hosts(name: str, default: Iterable[str]) -> list[str]:
    """Host names, with a port or without, or *.example.org for all below one, separated by commas."""
    raw = text(name)
    found = [piece.strip().lower() for piece in raw.split(",") if piece.strip()] if raw else list(default)
    for part in found:
        if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?", part):
            raise _wrong(name, part, "hosts such as registry.example.org or *.example.org, separated by commas")
    return found


def storage(name: str, options: str) -> dict[str, Any] | None:
    """A Django storage: the dotted path of its class, and its options as a JSON object. None where it is not set."""
    backend, raw = text(name), text(options, "{}")
    if not backend:
        return None
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(f"{options} must be a JSON object.")  # not quoted: it may have keys in it
    return {"BACKEND": backend, "OPTIONS": found}


def vault_keys(name: str) -> str:
    """ "id:base64 of 32 bytes", separated by commas. The value is no part of any message."""
    raw = text(name)
    for part in raw.split(",") if raw else []:
        key_id, _, value = part.strip().partition(":")
        try:
            is_key = len(base64.b64decode(value, validate=True)) == 32
        except ValueError:
            is_key = False
        if not key_id or not is_key:
            raise ImproperlyConfigured(f"{name} must be id:key,id:key, each key 32 bytes in base64.")
    return raw


def origins(name: str) -> list[str]:
    """Origins as browsers send them, separated by commas."""
    found = []
    for part in filter(None, (piece.strip() for piece in text(name).split(","))):
        try:
            parts = urlsplit(part.lower())
            is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_origin = False
        if not is_origin or parts.geturl() != f"{parts.scheme}://{parts.netloc}" or "@" in part or "*" in part:
            raise _wrong(name, part, "origins such as https://client.example.org, separated by commas")
        found.append(parts.geturl())
    return found


@dataclass(frozen=True)
class PublicUrl:
    """The address people and clients use: the only source of issuer, resource and links."""

    origin: str  # scheme://host[:port], without a slash at the end
    host: str  # lower case; an IPv6 address is in brackets
    is_https: bool
    is_loopback: bool

    def named(self, host: str) -> str:
        """The origin of the same place under another name."""
        return self.origin.replace(self.host, host, 1)


def is_loopback(host: str) -> bool:
    name = host.lower().strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def public_url(name: str, default: str) -> PublicUrl:
    raw = text(name, default)
    expected = "an address such as https://slipway.example.org, without path, user or query"
    try:
        parts = urlsplit(raw)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(name, raw, expected) from error
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not host or extra:
        raise _wrong(name, raw, expected)
    host = f"[{host}]" if ":" in host else host
    is_https, loopback = parts.scheme == "https", is_loopback(host)
    if not is_https and not loopback:
        raise _wrong(
            name, raw, "https; plain http is allowed only for a loopback address such as http://127.0.0.1:8000"
        )
    usual = port is None or port == (443 if is_https else 80)
    return PublicUrl(f"{parts.scheme}://{host}" + ("" if usual else f":{port}"), host, is_https, loopback)


def service_url(name: str, default: str, schemes: Iterable[str]) -> str:
    """The address of PostgreSQL or Valkey. The message never shows the value: it may hold a password."""
    raw, allowed = text(name, default), tuple(schemes)
    if urlsplit(raw).scheme not in allowed:
        raise ImproperlyConfigured(f"{name} must start with one of {', '.join(f'{scheme}://' for scheme in allowed)}.")
    return raw


def settings_module() -> str:
    """A site with an https address runs on the production settings without being told so."""
    if chosen := text("DJANGO_SETTINGS_MODULE"):
        return chosen
    return "config.settings." + ("production" if text("SLIPWAY_URL").startswith("https://") else "local")


def other_url(name: str, site: PublicUrl) -> PublicUrl | None:
    """A second address of `site`, under another host name: cookies know no ports, and a Content-Security-Policy no IPv6
    addresses. None where it is not set."""
    raw = text(name)
    if not raw:
        return None
    found = public_url(name, raw)
    if found.host == site.host or found.host.startswith("[") or found.is_https != site.is_https:
        scheme = "https" if site.is_https else "http"
        raise _wrong(name, raw, f"an {scheme} address with another host name than SLIPWAY_URL, which has {site.host}")
    return found
