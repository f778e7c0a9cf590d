"""A package index on a free port of this machine: PyPI's simple pages and npm's registry, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from tests.packages.archives import npm_tarball, source_archive, wheel

UPLOADED = "2026-01-01T12:00:00.000000Z"


class LocalIndex:
    """Serves what was added, with the time of its upload. `hold(word)` makes downloads of files with this word in
    their name wait."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.simple: dict[str, list[str]] = {}
        self.uploaded: dict[str, str] = {}
        self.npm: dict[str, dict[str, Any]] = {}
        self.downloads: list[str] = []
        self.files_at = ""  # another address, for the files of Python packages
        self.authorizations: tuple[str, ...] = ()  # what a request's Authorization has to be, if anything
        self.held_word = ""
        self.is_asked = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> LocalIndex:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> dict[str, str]:
        """What an operator would set to use this index alone."""
        return {
            "UV_DEFAULT_INDEX": f"{self.url}/simple",
            "UV_HTTP_RETRIES": "0",
            "npm_config_registry": f"{self.url}/npm/",
            "npm_config_fetch_retries": "0",
        }

    def hold(self, word: str) -> None:
        self.held_word = word
        self.is_asked.clear()
        self.released.clear()

    def add_wheel(
        self, name: str, version: str, files: Mapping[str, str], *, uploaded: str = UPLOADED, **options: Any
    ) -> None:
        file, content, metadata = wheel(name, version, files, **options)
        self.uploaded[file] = uploaded
        self._add_file(name, file, content)
        self.files[f"{file}.metadata"] = metadata  # PEP 658: uv resolves without downloading the wheel

    def add_source(self, name: str, version: str) -> None:
        self._add_file(name, *source_archive(name, version))

    def add_npm(
        self, name: str, version: str, files: Mapping[str, str], *, uploaded: str = UPLOADED, **manifest: Any
    ) -> None:
        content = npm_tarball(name, version, files, **manifest)
        file = f"{name.replace('/', '-').lstrip('@')}-{version}.tgz"
        self.files[file] = content
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
        entry = self.npm.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}, "time": {}})
        entry["time"][version] = uploaded
        entry["dist-tags"]["latest"] = version
        dist = {"tarball": f"{self.url}/files/{file}", "integrity": integrity}
        entry["versions"][version] = {"name": name, "version": version, **manifest, "dist": dist}

    def _add_file(self, name: str, file: str, content: bytes) -> None:
        self.files[file] = content
        if file not in self.simple.setdefault(name, []):
            self.simple[name].append(file)

    def page(self, path: str) -> tuple[str, bytes] | None:
        """Content type and body for a path, or None."""
        area, _, rest = unquote(path).lstrip("/").partition("/")
        if area == "files" and rest in self.files:
            if not rest.endswith(".metadata"):
                self.downloads.append(rest)
                if self.held_word and self.held_word in rest:
                    self.is_asked.set()
                    self.released.wait()
            return "application/octet-stream", self.files[rest]
        if area == "simple" and rest.strip("/") in self.simple:
            name = rest.strip("/")
            page = {"meta": {"api-version": "1.1"}, "name": name, "files": [self._file(f) for f in self.simple[name]]}
            return "application/vnd.pypi.simple.v1+json", json.dumps(page).encode()
        if area == "npm" and rest in self.npm:
            return "application/json", json.dumps(self.npm[rest]).encode()
        return None

    def _file(self, file: str) -> dict[str, Any]:
        """One entry of a project's page, as PEP 691 and PEP 700 have it."""
        return {
            "filename": file,
            "url": f"{self.files_at or self.url}/files/{file}",
            "hashes": {"sha256": hashlib.sha256(self.files[file]).hexdigest()},
            "core-metadata": f"{file}.metadata" in self.files,
            "size": len(self.files[file]),
            "upload-time": self.uploaded.get(file, UPLOADED),
        }


def _handler(index: LocalIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            is_known = not index.authorizations or self.headers.get("Authorization") in index.authorizations
            found = index.page(self.path.partition("?")[0]) if is_known else None
            kind, body = found or ("application/json", b'{"error": "not found"}')
            try:
                self.send_response(200 if found else 404 if is_known else 401)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # a client that was killed

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler
