"""Indexes of packages, each by its own protocol: npm, PyPI, NuGet, crates.io."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from tests.registry.fakes.web import MISSING, Request, Response


class FakeNpm:
    """`packages` are package.json by name and version; `tags` name versions."""

    def __init__(self) -> None:
        self.packages: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[tuple[str, str], str] = {}

    def put(self, name: str, version: str, **more: Any) -> None:
        self.packages[name, version] = {"name": name, "version": version, **more}

    def answer(self, request: Request) -> Response:
        name, _, version = request.path[1:].rpartition("/")
        name, version = unquote(name), unquote(version)
        found = self.packages.get((name, self.tags.get((name, version), version)))
        return as_json(found) if found else as_json("Not Found", 404)


class FakePyPI:
    """`releases` are descriptions by name and version."""

    def __init__(self) -> None:
        self.releases: dict[tuple[str, str], str | None] = {}

    def answer(self, request: Request) -> Response:
        match request.path.strip("/").split("/"):
            case ["pypi", name, version, "json"] if (unquote(name), unquote(version)) in self.releases:
                text = self.releases[unquote(name), unquote(version)]
                return as_json({"info": {"name": name, "version": version, "description": text}, "urls": []})
        return as_json({"message": "Not Found"}, 404)


class FakeNuGet:
    """`readmes` by name and version in lower case; a version may have none."""

    def __init__(self) -> None:
        self.url = ""
        self.readmes: dict[tuple[str, str], str | None] = {}

    def answer(self, request: Request) -> Response:
        match request.path.strip("/").split("/"):
            case ["v3", "index.json"]:
                readme = f"{self.url}/flat/{{lower_id}}/{{lower_version}}/readme"
                resources = [
                    {"@id": f"{self.url}/flat/", "@type": "PackageBaseAddress/3.0.0"},
                    {"@id": readme, "@type": "ReadmeUriTemplate/6.13.0"},
                    {"@id": f"{self.url}/other", "@type": ["Other/1.0.0", "Other/2.0.0"]},
                ]
                return as_json({"version": "3.0.0", "resources": resources})
            case ["flat", name, "index.json"]:
                versions = [version for known, version in self.readmes if known == name]
                return as_json({"versions": versions}) if versions else MISSING
            case ["flat", name, version, "readme"]:
                text = self.readmes.get((name, version))
                return MISSING if text is None else Response(200, text.encode(), {"Content-Type": "text/markdown"})
        return MISSING


class FakeCrates:
    """Sends whoever wants a README to where they lie, as HTML without comments."""

    def __init__(self) -> None:
        self.url = ""
        self.readmes: dict[tuple[str, str], str] = {}

    def answer(self, request: Request) -> Response:
        match request.path.strip("/").split("/"):
            case ["api", "v1", "crates", name, version, "readme"] if (name, version) in self.readmes:
                return Response(302, b"", {"Location": f"{self.url}/readmes/{name}/{name}-{version}.html"})
            case ["readmes", name, file]:
                html = self.readmes[name, file.removeprefix(f"{name}-").removesuffix(".html")]
                return Response(200, html.encode(), {"Content-Type": "text/html"})
        return as_json({"errors": [{"detail": "not found"}]}, 404)


def as_json(found: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(found).encode(), {"Content-Type": "application/json"})
