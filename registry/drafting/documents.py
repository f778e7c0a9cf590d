"""What was filled in, as a server.json of today's schema. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from registry.server_json.schemas import ADDRESS, CURRENT

Values = Mapping[str, Any]
_RUNS_WITH = {"npm": "npx", "pypi": "uvx", "oci": "docker", "nuget": "dnx"}
_SOURCES = {"github.com": "github", "gitlab.com": "gitlab"}


def document_of(values: Values, rows: Sequence[Values]) -> dict[str, Any]:
    """Members that say nothing are left out; `name`, `description` and `version` always stand there."""
    found: dict[str, Any] = {"$schema": ADDRESS.format(CURRENT), "name": _of(values, "name")}
    _set(found, "title", _of(values, "title"))
    found["description"] = " ".join(_of(values, "description").split())
    if url := _of(values, "repository"):
        source = _SOURCES.get((urlsplit(url).hostname or "") if "[" not in url else "", "git")
        found["repository"] = {"url": url, "source": source}
        _set(found["repository"], "subfolder", _of(values, "subfolder"))
    found["version"] = _of(values, "version")
    _set(found, "websiteUrl", _of(values, "website"))
    if _of(values, "package"):
        found["packages"] = [_package(values, rows)]
    if _of(values, "remote"):
        remote: dict[str, Any] = {"type": _of(values, "remote"), "url": _of(values, "remote_url")}
        if headers := [_input(row) for row in _at(rows, "header")]:
            remote["headers"] = headers
        found["remotes"] = [remote]
    return found


def _package(values: Values, rows: Sequence[Values]) -> dict[str, Any]:
    kind = _of(values, "package")
    made: dict[str, Any] = {"registryType": kind, "identifier": _of(values, "identifier")}
    if kind not in ("oci", "mcpb"):  # these name their version in the identifier
        made["version"] = _of(values, "package_version") or _of(values, "version")
    if kind == "mcpb":
        _set(made, "fileSha256", _of(values, "file_sha256").lower())
    _set(made, "runtimeHint", _RUNS_WITH.get(kind, ""))
    made["transport"] = {"type": "stdio"}
    if arguments := [_argument(row) for row in _at(rows, "argument")]:
        made["packageArguments"] = arguments
    if variables := [_input(row) for row in _at(rows, "environment")]:
        made["environmentVariables"] = variables
    return made


def _argument(row: Values) -> dict[str, Any]:
    """`--city` takes its value behind it; a name without dashes is what stands in that place."""
    rest = {name: value for name, value in _input(row).items() if name != "name"}
    name = _of(row, "name")
    if name.startswith("-"):
        return {"type": "named", "name": name, **rest}
    return {"type": "positional", "valueHint": name, **rest}


def _input(row: Values) -> dict[str, Any]:
    made: dict[str, Any] = {"name": _of(row, "name")}
    _set(made, "description", _of(row, "description"))
    if row.get("is_required"):
        made["isRequired"] = True
    if row.get("is_secret"):
        made["isSecret"] = True
    elif default := _of(row, "default"):  # a secret has none: everybody would read it
        made["default"] = default
    return made


def _at(rows: Iterable[Values], where: str) -> list[Values]:
    return [row for row in rows if (row.get("where") or "environment") == where and _of(row, "name")]


def _of(values: Values, name: str) -> str:
    found = values.get(name)
    return found.strip() if isinstance(found, str) else ""


def _set(holder: dict[str, Any], name: str, value: str) -> None:
    if value:
        holder[name] = value
