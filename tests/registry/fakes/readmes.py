"""Where READMEs lie: an npm index's packages as a whole, and files of GitHub's repositories."""

from __future__ import annotations

from urllib.parse import unquote

from tests.registry.fakes.indexes import as_json
from tests.registry.fakes.web import MISSING, Request, Response


class FakePackuments:
    """`readmes` by package."""

    def __init__(self) -> None:
        self.readmes: dict[str, str] = {}
        self.status = 200

    def answer(self, request: Request) -> Response:
        name = unquote(request.path[1:])
        if self.status != 200:
            return as_json({}, self.status)
        if name not in self.readmes:
            return as_json("Not Found", 404)
        return as_json({"name": name, "versions": {}, "readme": self.readmes[name]})


class FakeRawFiles:
    """`files` by path: owner/name/HEAD/README.md."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def answer(self, request: Request) -> Response:
        found = self.files.get(request.path[1:])
        return MISSING if found is None else Response(200, found, {"Content-Type": "text/plain; charset=utf-8"})
