"""Where the package tools fetch from on this machine, for a sandbox that lets them reach nothing else.

Read from what the tools themselves read: uv's variables and its uv.toml, npm's configuration as npm gives it. Names and
passwords in addresses stay here: code of a stranger runs where these settings go.
"""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from common.addresses import HostInvalid, host_name
from hosting.kinds import interpreters
from hosting.kinds.failure import BuildFailed
from hosting.kinds.public_indexes import NPM, PYPI, PYPI_FILES, PYPI_SIMPLE

MORE_HOSTS = "SLIPWAY_INDEX_HOSTS"  # "host" or "host:port", by commas: where an index keeps its files, if elsewhere
_PORTS = {"https": 443, "http": 80}
_PROBE_SECONDS = 30
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE")
# What the tools may be told besides: nothing that names a folder of ours, a file or a secret.
_PASSED = (
    "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_INSECURE_HOST", "UV_INDEX_STRATEGY",
    "npm_config_fetch_retries", "npm_config_fetch_timeout", "npm_config_strict_ssl", "NODE_USE_SYSTEM_CA", "TZ",
)  # fmt: skip


@dataclass(frozen=True)
class Indexes:
    """`hosts` as "host:port"; `env` for the tools, without credentials; `reads` are local files that it names;
    `upstream` is this machine's own proxy for them, if it has one."""

    hosts: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    upstream: str = ""


def indexes(environment: Mapping[str, str], *, with_npm: bool = True, with_users: bool = False) -> Indexes:
    """`environment` is what a tool outside of the sandbox would get (commands.tool_environment).

    `with_npm`: npm's registries as well. `with_users`: addresses keep the names and passwords in them.
    """
    shown = str if with_users else _without_user
    env = {name: environment[name] for name in _PASSED if name in environment}
    addresses: list[str] = []
    for name in _INDEX_VARIABLES:
        if name in environment:
            separator = "," if name == "UV_FIND_LINKS" else None
            found = [one for one in environment[name].split(separator) if one]
            addresses += found
            env[name] = (separator or " ").join(map(shown, found))
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & env.keys():
        settings = _uv_settings()
        addresses += settings or [PYPI_SIMPLE]
        if settings:
            env["UV_DEFAULT_INDEX"], *others = map(shown, settings)
            env.setdefault("UV_INDEX", " ".join(others))
    registries = _npm_registries(environment) if with_npm else {}
    env |= {f"npm_config_{name}": shown(url) for name, url in registries.items()}
    addresses += registries.values()
    if any(f"{PYPI.removeprefix('https:')}/" in f"{address}/" for address in addresses):
        addresses.append(PYPI_FILES)
    addresses += [f"https://{host.strip()}" for host in os.environ.get(MORE_HOSTS, "").split(",") if host.strip()]
    hosts = tuple(dict.fromkeys(_hosts(addresses)))
    reads = [*_local(addresses)]
    for name in _CERTIFICATES:
        if name in environment and os.path.exists(environment[name]):
            env[name] = environment[name]
            reads.append(os.path.realpath(environment[name]))
            reads.append(environment[name])
    return Indexes(hosts, env, tuple(reads), _upstream(environment, hosts))


def _hosts(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        url = _parsed(address)
        if url.scheme in _PORTS and url.hostname:
            try:
                yield f"{host_name(url.hostname)}:{url.port or _PORTS[url.scheme]}"
            except HostInvalid:
                continue


def _local(addresses: Iterable[str]) -> Iterator[str]:
    for address in addresses:
        url = _parsed(address)
        path = unquote(url.path) if url.scheme == "file" else address
        if url.scheme in ("file", "") and path.startswith("/") and os.path.exists(path):
            yield os.path.realpath(path)


def _parsed(address: str) -> SplitResult:
    """uv takes NAME=URL too."""
    name, equals, url = address.partition("=")
    return urlsplit(url if equals and "/" not in name else address)


def _without_user(address: str) -> str:
    name, equals, _ = address.partition("=")
    url = _parsed(address)
    if "@" not in url.netloc:
        return address
    bare = urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
    return f"{name}={bare}" if equals and "/" not in name else bare


def _upstream(environment: Mapping[str, str], hosts: Iterable[str]) -> str:
    """One proxy for all, as long as it is for any of them."""
    lower = {name.lower(): value for name, value in environment.items()}
    proxy = lower.get("https_proxy") or lower.get("all_proxy") or lower.get("http_proxy") or ""
    if not proxy.startswith("http://"):
        return ""
    direct = [one.strip().lstrip("*.") for one in lower.get("no_proxy", "").lower().split(",") if one.strip()]
    names = [host.rpartition(":")[0] for host in hosts]
    if any(one == "" for one in direct):  # "*"
        return ""
    return "" if all(any(name == one or name.endswith(f".{one}") for one in direct) for name in names) else proxy


def _uv_settings() -> list[str]:
    """The indexes of uv.toml, of the user before the system, the default one first."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    for path in (home / "uv" / "uv.toml", Path("/etc/uv/uv.toml")):
        try:
            settings: dict[str, Any] = tomllib.loads(path.read_text())
        except (OSError, ValueError):
            continue
        pip = settings.get("pip", {})
        tables = [one for one in settings.get("index", []) if isinstance(one.get("url"), str)]
        default = next((one["url"] for one in tables if one.get("default")), None)
        default = default or pip.get("index-url") or settings.get("index-url") or PYPI_SIMPLE
        others = [one["url"] for one in tables if not one.get("default")]
        others += [*pip.get("extra-index-url", []), *settings.get("extra-index-url", [])]
        return [default, *others]
    return []


@lru_cache(maxsize=8)
def _npm_answer(npm: str, variables: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    try:
        ran = subprocess.run(
            [npm, "config", "list", "--json"],
            capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True, cwd="/", env=dict(variables),
        )  # fmt: skip
        found = json.loads(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def npm_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """What npm says of its settings, without secrets; nothing where there is no npm."""
    try:
        return _npm_answer(interpreters.npm(), tuple(sorted(environment.items())))
    except BuildFailed:
        return {}


def _npm_registries(environment: Mapping[str, str]) -> dict[str, str]:
    """npm's registry, and those of scopes."""
    answer = npm_settings(environment)
    if not answer:
        return {}
    found = {name: url for name, url in answer.items() if name == "registry" or name.endswith(":registry")}
    # npm doesn't tell an address that holds a password
    told = next((value for name, value in environment.items() if name.lower() == "npm_config_registry"), "")
    own = {name: url for name, url in found.items() if isinstance(url, str)}
    return {"registry": f"{NPM}/"} | own | ({"registry": told} if told else {})
