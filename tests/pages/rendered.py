"""Pages that the walk has collected, over HTTP for a browser: the site's files beside them, and nothing alive."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders

from tests.pages.visit import Visit

STATIC: str = settings.STATIC_URL
WHO = "X-Who"  # the field by which a browser says whose page it wants: "" is nobody's


@contextmanager
def pages_served(pages: Sequence[Visit]) -> Iterator[str]:
    """Gives the address at which they are, each at its own path. Fails where they name a file that there is not."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.missing = []
    server.pages = {(visit.who, visit.path): visit for visit in pages}
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert server.missing == []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: dict[tuple[str, str], Visit]
    missing: list[str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        visit = self.server.pages.get((self.headers.get(WHO, ""), path))
        if visit is not None:
            kept = {name: value for name, value in visit.headers.items() if name != "Content-Length"}
            self._answer(visit.status, visit.body, kept)
        elif path.startswith(STATIC) and (file := finders.find(path.removeprefix(STATIC))):
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            fields = {"Content-Type": kind, "Cache-Control": "max-age=600, immutable"}
            self._answer(200, Path(str(file)).read_bytes(), fields)
        else:
            if path.startswith("/static"):
                self.server.missing.append(path)
            self._answer(404, b"", {})

    def _answer(self, status: int, body: bytes, fields: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
